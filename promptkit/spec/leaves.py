"""The leaves of a declaration: its texts and templates, wherever they stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from promptkit.spec.template import Template

__all__ = ["Path", "leaves", "templates_in"]

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str | Template]]:
    """Every text and template of a value, with the way to it, which begins with `path`."""
    if isinstance(value, str | Template):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from leaves(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, (*path, key))


def templates_in(value: Any) -> Iterator[tuple[Path, Template]]:
    """Every template of a value, with the way to it."""
    return ((path, leaf) for path, leaf in leaves(value) if isinstance(leaf, Template))
