"""Files as verbs take them: with a matrix, whole or one cell of it."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.run import Pipeline, Sweep, load, load_cell, load_whole

__all__ = ["load_any", "load_one"]


def load_one(file: str, overrides: Sequence[str] = (), cell: int | None = None, *, allow_code: bool) -> Pipeline:
    """The pipeline of a file: without its matrix, which is said, or that of one cell."""
    if cell is None:
        return load(file, overrides=overrides, allow_code=allow_code)
    return load_cell(file, cell, overrides=overrides, allow_code=allow_code)


def load_any(
    file: str, overrides: Sequence[str] = (), cell: int | None = None, *, allow_code: bool
) -> Pipeline | Sweep:
    """The sweep of a file that has a matrix, or one cell of it; the pipeline of any other."""
    if cell is not None:
        return load_cell(file, cell, overrides=overrides, allow_code=allow_code)
    return load_whole(file, overrides=overrides, allow_code=allow_code)
