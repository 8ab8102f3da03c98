"""Sweeps: variants of a pipeline that run together, from the matrix to the folder."""
