"""Completions that can be nothing but what a pattern, a schema, a list of texts or a grammar allows."""
