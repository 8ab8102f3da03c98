"""`maths`: an expression, whatever it is spelled like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, ClassVar

import regex
from pydantic import Field

from promptkit.align.algebra import can_read
from promptkit.align.expression import MAX_EXPRESSION, TIMEOUT_S, Expression, number_of
from promptkit.align.formula import Formula, formulas, is_formula, leading_formula
from promptkit.align.number import is_number
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["Maths"]

BETWEEN = regex.compile(r"\s*+(?:[,;]|[,;]?\s*+(?:and|or))\s*+")  # formulas that are one answer together
WORD = regex.compile(r"\p{L}{2,}+")  # one may be an answer, in a box: the name of a day


class Maths(ItemStep):
    r"""Reads a mathematical expression, and knows what it equals: `\frac{1}{2}`, `0.5` and `1/2` are one answer.

    It looks where `latex` does; of a text without marks it takes the formula at the beginning, and passes over the
    words after it. `$3$ and $5$` are one answer, a set. Numbers are compared at once, anything else by math-verify: sets,
    intervals, matrices, equations (`x=5` is `5`). An expression that math-verify cannot read is no answer.
    """

    kind = "maths"
    main: ClassVar[str | None] = "take"

    take: Take = Field(
        default="first",
        description="which expression: first, last, only (ambiguous if they differ), all (gives a list)",
    )
    timeout_s: float = Field(
        default=TIMEOUT_S,
        gt=0,
        allow_inf_nan=False,
        description="seconds to read one expression, or to compare two; then it is unparsed, or they differ",
    )

    def read(self, found: Found) -> Found | Missing:
        """The expression that is asked for."""
        pieces = self.pieces(found)
        if self.take == "last":  # to read one takes milliseconds, and a chain of thought may have hundreds
            pieces = pieces[-1:]
        return take_from(self.expressions(pieces), self.take) or NOTHING

    def read_other(self, found: Found) -> Found | Missing:
        """A number, as it is."""
        return found if is_number(found.value) else super().read_other(found)

    def pieces(self, found: Found) -> list[Found]:
        """Where the text holds expressions, in order; what is one answer together is one piece."""
        every = formulas(found.value)
        if not every:
            span = leading_formula(found.value)
            return [] if span is None else [found.part(span.start, span.end)]
        groups = [[each] for each in every] if self.take == "all" else together(found.value, every)
        return [joined(found, group) for group in groups]

    def expressions(self, pieces: list[Found]) -> Iterator[Found | Missing]:
        """What is read in each piece, no sooner than it is asked for; one that says what another does, as it does."""
        before: list[Found] = []
        for piece in pieces:
            result = self.expression(piece)
            if isinstance(result, Found) and self.take == "only":
                same = next((each for each in before if each.value.is_same_as(result.value)), None)
                result = result if same is None else result.become(same.value)
                before.append(result)
            yield result

    def expression(self, piece: Found) -> Found | Missing:
        """The expression that a piece of text is."""
        expression = Expression(piece.value, self.timeout_s)
        if len(expression) > MAX_EXPRESSION:
            return Missing(reason=f"{shorten(expression)} is too long for an expression")
        if not (is_formula(piece.value) or WORD.fullmatch(piece.value)):
            return Missing(reason=f"{shorten(piece.value)} is no expression")
        if number_of(expression) is None and not can_read(str(expression), self.timeout_s):
            return Missing(reason=f"{shorten(expression)} is no expression")
        return piece.become(expression)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The expression of a text; a number as it is."""
        if is_number(target):
            return target
        if not isinstance(target, str):
            raise ValueError(f"{shorten(target)} is no expression")  # noqa: TRY004 - a value of the data
        result = self.read(Found(value=target, span=Span(start=0, end=len(target)), is_verbatim=True))
        if isinstance(result, Missing):
            raise ValueError(result.reason if result is not NOTHING else f"{shorten(target)} is no expression")  # noqa: TRY004
        return result.value


NOTHING = Missing(reason="no expression")


def together(text: str, every: list[Formula]) -> list[list[Formula]]:
    """Formulas with nothing between them but a comma, `and` or `or`, as groups."""
    groups = [[every[0]]]
    for before, each in pairwise(every):
        if BETWEEN.fullmatch(text, before.outer.end, each.outer.start):
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def joined(found: Found, group: list[Formula]) -> Found:
    """The piece of text that formulas are: from the first to the last."""
    place, inner = group[0].place(found.value), group[0].of(found.value).strip()
    if len(group) > 1:
        inner = ",".join(each.of(found.value) for each in group)
        place = Span(start=group[0].outer.start, end=group[-1].outer.end)
    elif WORD.fullmatch(inner):  # without its marks it is prose
        place = group[0].outer
    return found.part(place.start, place.end).become(inner)
