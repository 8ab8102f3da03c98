"""Selectors: which rows of a pool become demonstrations."""
