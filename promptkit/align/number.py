"""`number`: the numbers that a text holds."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field

from promptkit.align.numeral import Numeral, Unreadable, numerals, token_pattern
from promptkit.align.outcome import Found, Missing
from promptkit.align.reach import Reach
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from, unsettled_take
from promptkit.spec.declaration import shorten

__all__ = ["Number", "Percent"]

Percent = Literal["as_written", "fraction"]

MAX_DIGITS = 300  # a number of more may be out of the range of numbers


class Number(ItemStep):
    """Reads a number: thousands separators, currency, signs, decimals, fractions, per cent; units are passed over.

    The first number is taken if nothing else is said: after words that introduce an answer it follows at once, and
    what comes later explains it (Kojima et al. 2022, section 4, answer cleansing). For a whole chain of thought, say
    `take: last`, as Wei et al. 2022 do, or `only`. A whole value is an integer, any other a float. What looks like a
    number and cannot be read for certain (`1,5`, `2.5 million`, `5^2`) is never passed over for the next one.
    """

    kind = "number"
    main: ClassVar[str | None] = "take"

    take: Take = Field(
        default="first", description="which number: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    percent: Percent = Field(default="as_written", description="what 75 % is: as_written (75) or a fraction (0.75)")

    def read(self, found: Found) -> Found | Missing:
        """The number that is asked for."""
        if is_digits(found.value):
            return found.become([int(found.value)] if self.take == "all" else int(found.value))
        return take_from(self.candidates(found), self.take) or Missing(reason="no number")

    def read_other(self, found: Found) -> Found | Missing:
        """A number, as it is."""
        return found if is_number(found.value) else super().read_other(found)

    def settle(self, found: Found) -> Found | Missing:
        """The first number, once what follows it cannot be a part of it."""
        first = next(numerals(found.value), None)
        if self.take != "first" or not isinstance(first, Numeral) or not reach().is_over(found.value, first.span.start):
            return Missing(reason=self.unsettled() or "no number that has ended")
        return found.part(first.span.start, first.span.end).become(self.value(first)).closed()

    def unsettled(self) -> str:
        """Why any number but the first may be another in the end."""
        return unsettled_take(self.take)

    def candidates(self, found: Found) -> Iterator[Found | Missing]:
        """Every number of a text, in order; and what looks like one and cannot be read."""
        for each in numerals(found.value):
            if isinstance(each, Unreadable):
                yield Missing(reason=f"{shorten(each.text)} {each.reason}")
            else:
                yield found.part(each.span.start, each.span.end).become(self.value(each))

    def value(self, numeral: Numeral) -> int | float:
        """The number: an integer if it is whole."""
        exact = numeral.value
        if numeral.is_percent and self.percent == "fraction":
            exact /= 100
        return plain(exact)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A number as it is, and the number that a text is from end to end: '1,234' is 1234, '$29.00' is 29."""
        if is_number(target):
            return target
        if isinstance(target, str):
            text = target.strip()
            every = list(numerals(text))
            if self.take == "all" and every and not any(isinstance(each, Unreadable) for each in every):
                return [self.value(each) for each in every if isinstance(each, Numeral)]
            if len(every) == 1 and isinstance(every[0], Numeral) and every[0].is_whole(text):
                return self.value(every[0])
        raise ValueError(f"{shorten(target)} is not a number")


@functools.cache
def reach() -> Reach:
    """How far the search for numbers looks."""
    return Reach(token_pattern())


def is_digits(text: str) -> bool:
    """Whether a text is a whole number and nothing else, as a step before this one most often leaves it."""
    return text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS


def is_number(value: Any) -> bool:
    """Whether a value is a number already. A truth value is none, though Python counts with it."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(exact: Fraction) -> int | float:
    """The exact value as Python's nearest: an integer if it is whole.

    >>> plain(Fraction(29)), plain(Fraction(3, 4))
    (29, 0.75)
    """
    return exact.numerator if exact.denominator == 1 else float(exact)
