"""`between`: the text between two markers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from pydantic import Field

from promptkit.align.marker import Markers, Places, shown
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from
from promptkit.text import Span

__all__ = ["Between"]


class Between(ItemStep):
    """Finds the text between a start marker and the end marker after it.

    Of several start markers before one end, the nearest counts. A start that no end follows is passed over, unless
    `open` lets the text's end stand for it.
    """

    kind = "between"

    start: Markers = Field(description="the text before; or several, any of which will do")
    end: Markers = Field(description="the text after; or several; it may be the same as `start`")
    take: Take = Field(
        default="last", description="which pair: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    open: bool = Field(
        default=False, strict=True, description="whether the text's end may stand for an end marker that is not there"
    )
    ignore_case: bool = Field(default=True, strict=True, description="whether capital and small letters are the same")

    @cached_property
    def places(self) -> Places:
        """The search for both, ready."""
        return Places((*self.start, *self.end), ignore_case=self.ignore_case)

    def read(self, found: Found) -> Found | Missing:
        """The pair that is asked for."""
        *pairs, rest = self.pairs(found.value)
        if rest is not None and self.open:
            pairs.append(rest)
        parts = (found.part(pair.start, pair.end) for pair in pairs if pair is not None)
        return take_from(parts, self.take) or Missing(reason=self.absent(is_open=rest is not None))

    def pairs(self, text: str) -> Iterator[Span | None]:
        """What stands between each pair, in order; and at last what follows a start that is not closed, or None."""
        begun: int | None = None
        for marker, place in self.places.every(text):
            if marker in self.end and (begun is not None or marker not in self.start):
                if begun is not None:
                    yield Span(start=begun, end=place.start)
                begun = None
            else:
                begun = place.end
        yield None if begun is None else Span(start=begun, end=len(text))

    def absent(self, *, is_open: bool) -> str:
        """Why there is no pair."""
        if is_open:
            return f"{shown(self.start)} is there, and no {shown(self.end)} after it"
        return f"{shown(self.start)} is not there before {shown(self.end)}"
