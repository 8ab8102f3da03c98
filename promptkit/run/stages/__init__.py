"""Stages: calls of the model that build on each other, from their declaration to their records."""
