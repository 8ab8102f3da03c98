"""Why an example came out otherwise in another run: what was the first to differ, in the order of the flow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

__all__ = ["CAUSES", "Cause", "Row", "Rows", "cause_of"]

Cause = Literal["prompt", "generation", "parser", "score"]
CAUSES: tuple[Cause, ...] = ("prompt", "generation", "parser", "score")
Row = Mapping[str, Any]  # of a run's table: a sample of an example
Rows = Sequence[Row]


def cause_of(one: Rows, other: Rows) -> Cause:
    """The first thing that differs, in the order of the flow: what was asked, what was written, or how it was read."""
    found = {cause for a, b in zip_longest(one, other) for cause in [cause_of_row(a, b)] if cause}
    if not found and one[0].get("decided") != other[0].get("decided"):
        return "parser"
    return next((cause for cause in CAUSES if cause in found), "score")


def cause_of_row(one: Row | None, other: Row | None) -> Cause | None:
    """The same of one sample, stage by stage; a sample that only one run drew differs in what was written."""
    if one is None or other is None:
        return "generation"
    for a, b in zip_longest(calls(one), calls(other)):
        if a is None or b is None or a["prompt"] != b["prompt"]:
            return "prompt"
        if written(a) != written(b):
            return "generation"
        if (a["answer"], a["status"]) != (b["answer"], b["status"]):
            return "parser"
    return None


def calls(row: Row) -> Iterator[Row]:
    """The calls of the model that a row holds: its stages, or itself."""
    yield from json.loads(row.get("stages") or "[]") or (row,)


def written(call: Row) -> tuple[Any, ...]:
    """What the model made in a call: the text, why it ended, the options' scores."""
    options = tuple((each["text"], each["log_likelihood"]) for each in call.get("options") or ())
    return call["completion"], call["ended"], options
