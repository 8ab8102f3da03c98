"""`after` and `before`: the text on one side of a marker."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from pydantic import Field

from promptkit.align.marker import FirstOrLast, Markers, Places, shown
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import unsettled_take

__all__ = ["After", "Before"]


class MarkerStep(ItemStep):
    """A step that looks for a marker."""

    main: ClassVar[str | None] = "marker"

    marker: Markers = Field(description="the text to look for, no pattern; or several, any of which will do")
    take: FirstOrLast
    ignore_case: bool = Field(default=True, strict=True, description="whether capital and small letters are the same")
    required: bool = Field(
        default=True, strict=True, description="whether a text without a marker is no answer; else it passes whole"
    )

    @cached_property
    def places(self) -> Places:
        """The search, ready."""
        return Places(self.marker, ignore_case=self.ignore_case)

    def without(self, found: Found) -> Found | Missing:
        """What becomes of a text that has no marker."""
        return Missing(reason=f"{shown(self.marker)} is not there") if self.required else found

    def unsettled(self) -> str:
        """Why any marker but the first may be another in the end."""
        return unsettled_take(self.take)


class After(MarkerStep):
    """Finds the text after a marker, to the end; white space stays, as it does everywhere."""

    kind = "after"
    stays_open: ClassVar[bool] = True

    take: FirstOrLast = Field(default="last", description="which marker, where it stands there several times")

    def read(self, found: Found) -> Found | Missing:
        """The text after the marker."""
        place = self.places.find(found.value, self.take)
        return found.part(place.end, len(found.value)) if place else self.without(found)

    def settle(self, found: Found) -> Found | Missing:
        """The text after the first marker, which may go on."""
        place = None if self.unsettled() else self.places.settled(found.value)
        return found.part(place.end, len(found.value)) if place else Missing(reason=self.unsettled() or "no marker yet")


class Before(MarkerStep):
    """Finds the text before a marker, from the start."""

    kind = "before"

    take: FirstOrLast = Field(default="first", description="which marker, where it stands there several times")

    def read(self, found: Found) -> Found | Missing:
        """The text before the marker."""
        place = self.places.find(found.value, self.take)
        return found.part(0, place.start) if place else self.without(found)

    def settle(self, found: Found) -> Found | Missing:
        """The text before the first marker, which is over."""
        place = None if self.unsettled() else self.places.settled(found.value)
        return found.part(0, place.start).closed() if place else Missing(reason=self.unsettled() or "no marker yet")
