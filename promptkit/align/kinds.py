"""Every kind of alignment step that promptkit ships."""

from __future__ import annotations

from promptkit.align.case import Lower
from promptkit.align.choice import Choice
from promptkit.align.first import First
from promptkit.align.mapping import Map
from promptkit.align.number import Number
from promptkit.align.python import Python
from promptkit.align.regex import Regex
from promptkit.align.step import AlignStep
from promptkit.align.whitespace import Strip

__all__ = ["KINDS"]

KINDS: dict[str, type[AlignStep]] = {
    "choice": Choice,
    "first": First,
    "lower": Lower,
    "map": Map,
    "number": Number,
    "python": Python,
    "regex": Regex,
    "strip": Strip,
}
