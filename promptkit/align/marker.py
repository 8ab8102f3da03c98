"""Markers: plain texts that stand before or after what is looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import regex
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.align.pattern import flags_of
from promptkit.spec import Texts
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["FirstOrLast", "Markers", "Places", "shown"]

FirstOrLast = Literal["first", "last"]


def checked(markers: tuple[str, ...]) -> tuple[str, ...]:
    """The markers, if there is one and none is empty."""
    if not markers or not all(markers):
        raise PydanticCustomError("marker", "must be a text that is not empty, or several")
    return markers


Markers = Annotated[Texts, AfterValidator(checked)]


class Places:
    """Where any of the markers stands; where several begin or end at one place, the longest of them."""

    def __init__(self, markers: Sequence[str], *, ignore_case: bool) -> None:
        self.markers = tuple(sorted(set(markers), key=lambda marker: (-len(marker), marker)))
        self.longest = len(self.markers[0])
        pattern = "|".join(f"({regex.escape(marker)})" for marker in self.markers)
        self.forwards = regex.compile(pattern, flags_of(ignore_case=ignore_case))
        self.backwards = regex.compile(pattern, flags_of(ignore_case=ignore_case, reverse=True))

    def find(self, text: str, take: FirstOrLast) -> Span | None:
        """The place of the marker that begins first, or of the one that ends last."""
        match = (self.forwards if take == "first" else self.backwards).search(text)
        return Span(start=match.start(), end=match.end()) if match else None

    def settled(self, text: str) -> Span | None:
        """The place of the first marker, once no text that follows could move it."""
        place = self.find(text, "first")
        return place if place and place.start + self.longest <= len(text) else None

    def every(self, text: str) -> Iterator[tuple[str, Span]]:
        """The markers in order, as they were given, with their places."""
        for match in self.forwards.finditer(text):
            assert match.lastindex is not None
            yield self.markers[match.lastindex - 1], Span(start=match.start(), end=match.end())


def shown(markers: Sequence[str]) -> str:
    """The markers, for a reason.

    >>> shown(["Answer:", "So:"])
    "'Answer:' or 'So:'"
    """
    return " or ".join(shorten(marker) for marker in markers)
