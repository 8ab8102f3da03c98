"""Completions from anywhere: the rows of a file, each with the text in one of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from promptkit.align import Context
from promptkit.data import read_file
from promptkit.errors import DataError
from promptkit.spec.declaration import shorten
from promptkit.text import known_names

__all__ = ["Given", "read_given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A completion that somebody has: its row's id and place, its text, and the row's fields."""

    id: str
    origin: str
    text: str
    fields: Mapping[str, Any]

    def context(self, *, is_traced: bool = False) -> Context:
        """What the chain may know of it."""
        return Context(fields=self.fields, is_traced=is_traced)


def read_given(path: Path, field: str, limit: int | None = None) -> Iterator[Given]:
    """The completions of a file, as they come. Raises `DataError` that names a row without such a text."""
    for example in islice(read_file(path), limit):
        text = example.fields.get(field)
        if field not in example.fields:
            hint = known_names(field, map(str, example.fields))
            raise DataError(f"{example.origin}: there is no field {field!r}\n    {hint}")
        if not isinstance(text, str):
            raise DataError(f"{example.origin}: the field {field!r} holds {shorten(text)}, not text")
        yield Given(id=example.id, origin=example.origin, text=text, fields=example.fields)
