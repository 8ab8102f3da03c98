r"""`latex`: the formula that a text gives, as text in one spelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.formula import formulas, is_formula
from promptkit.align.outcome import Found, Missing
from promptkit.align.spelling import spelled
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["Latex"]


class Latex(ItemStep):
    r"""Reads a LaTeX formula: boxed content, else what stands in `$`, `$$`, `\(`, `\[`; else the whole text.

    The value is text in one spelling: `\dfrac12` is `\frac{1}{2}`, sizes and spaces go. Signs of a dollar before sums
    of money mark no formula. Two values are the same where their spelling is; `maths` asks whether they mean the same.
    """

    kind = "latex"
    main: ClassVar[str | None] = "take"

    take: Take = Field(
        default="first", description="which formula: first, last, only (ambiguous if they differ), all (gives a list)"
    )

    def read(self, found: Found) -> Found | Missing:
        """The formula that is asked for."""
        return take_from(self.candidates(found), self.take) or Missing(reason="no text")

    def candidates(self, found: Found) -> Iterator[Found]:
        """Every formula of a text, in order; else the text itself, if it holds anything."""
        every = formulas(found.value)
        for each in every:
            place = each.place(found.value)
            yield found.part(place.start, place.end).become(as_a_whole(each.of(found.value)))
        text = "" if every else as_a_whole(found.value)
        if text:
            yield found.become(text)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The formula of a text; anything else as it is."""
        if not isinstance(target, str):
            return target
        result = self.read(Found(value=target, span=Span(start=0, end=len(target)), is_verbatim=True))
        if isinstance(result, Missing):
            raise ValueError(f"{shorten(target)}: {result.reason}")  # noqa: TRY004 - a value of the data
        return result.value


def as_a_whole(text: str) -> str:
    """A formula in one spelling; words with a space between them."""
    return spelled(text) if is_formula(text) else " ".join(text.split())
