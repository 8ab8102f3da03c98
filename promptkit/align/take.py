"""Which of several finds is the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from promptkit.align.outcome import Found, Missing
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["Take", "TakeOne", "take_from", "take_within", "unsettled_take"]

TakeOne = Literal["first", "last", "only"]
Take = Literal["first", "last", "only", "all"]

SPACE = re.compile(r"\s")
MAX_SHOWN = 4
WINDOW = 50_000  # characters that are read first of a text that is longer


def take_from(candidates: Iterable[Found | Missing], take: Take) -> Found | Missing | None:
    """The find that `take` asks for, of those found in order; None where there are none.

    A `Missing` among the candidates is a place that cannot be read: it is never passed over for one that can.
    `first` looks no further than it must.
    """
    if take == "first":
        return next(iter(candidates), None)
    every = list(candidates)
    if not every:
        return None
    if take == "last":
        return every[-1]
    return the_only(every) if take == "only" else all_of(every)


def take_within(
    found: Found, take: Take, candidates: Callable[[Found], Iterable[Found | Missing]]
) -> Found | Missing | None:
    """The find that `take` asks for, of those in a text, of which no more is read than it must.

    Of a very long text the begin or the end is read first, cut at white space.
    """
    length, size = len(found.value), WINDOW
    while size < length and take != "all":
        start, end = (length - size, length) if take == "last" else (0, size)
        space = SPACE.search(found.value, start, end) if start else None
        taken = take_from(candidates(found.part(space.end() if space else start, end)), take)
        if taken is not None and (take != "only" or isinstance(taken, Missing)):
            return taken
        size *= 8
    return take_from(candidates(found), take)


def unsettled_take(take: str) -> str:
    """Why more text may change what is taken, to stand after a step's name; empty for the first, which stays first."""
    return "" if take == "first" else f"with `take: {take}` waits for the end of the text"


def the_only(every: Sequence[Found | Missing]) -> Found | Missing:
    """The first, if all the others say the same."""
    first = every[0]
    if len(every) == 1:
        return first
    if isinstance(first, Found) and all(isinstance(each, Found) and each.value == first.value for each in every):
        return first
    differing = list(dict.fromkeys(show(each) for each in every))
    if len(differing) == 1:
        return first
    shown = ", ".join(differing[:MAX_SHOWN]) + (", ..." if len(differing) > MAX_SHOWN else "")
    return Missing(reason=f"there are {len(differing)} that differ: {shown}", is_ambiguous=True)


def show(candidate: Found | Missing) -> str:
    """One candidate, for a reason."""
    return shorten(candidate.value) if isinstance(candidate, Found) else candidate.reason


def all_of(every: Sequence[Found | Missing]) -> Found | Missing:
    """The list of the values, over the stretch from the first to the last; or the first that cannot be read."""
    values: list[Any] = []
    start, end = None, 0
    for each in every:
        if isinstance(each, Missing):
            return each
        values.append(each.value)
        start = each.span.start if start is None else min(start, each.span.start)
        end = max(end, each.span.end)
    first = every[0]
    assert isinstance(first, Found)
    assert start is not None
    return replace(first, value=values, span=Span(start=start, end=end), is_verbatim=False)
