"""`number`: the numbers that a text holds."""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

import regex
from pydantic import Field

from promptkit.align.equation import result_of
from promptkit.align.notation import token_pattern
from promptkit.align.number_word import number_words, spelled_answer
from promptkit.align.numeral import Numeral, Unreadable, last_numeral, numerals
from promptkit.align.outcome import Capture, Found, Missing
from promptkit.align.reach import Reach
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from, unsettled_take
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["Number", "Percent"]

MAX_DIGITS = 300  # a number of more may be out of the range of numbers
MAX_DIFFERENT = 100  # numbers that differ, after which `only` looks no further
Percent = Literal["as_written", "fraction"]
Words = Literal["auto"] | bool


class Number(ItemStep):
    """Reads a number: thousands separators, currency, signs, decimals, fractions, powers of ten, millions, per cent.

    The first number is taken if nothing else is said: after words that introduce an answer it follows at once, and
    what comes later explains it (Kojima et al. 2022, section 4, answer cleansing). `take: result` is the same, but of
    an equation (`5 + 3 = 8`) it takes what comes out. For a whole chain of thought, say `take: last`, as Wei et al.
    2022 do, or `only`. A whole value is an integer, any other a float. What looks like a number and cannot be read for
    certain (`1,5`, `5-6`, `5^2`) is never passed over for the next one; dates, times, versions, ordinals and the
    numbers of list items are none. The unit, where one is written, is captured as `unit`.
    """

    kind = "number"
    main: ClassVar[str | None] = "take"

    take: Take | Literal["result"] = Field(
        default="first",
        description="which number: first, last, only (ambiguous if they differ), all (gives a list), result (after the "
        "equals sign of the first sentence, where it has one; else the first)",
    )
    percent: Percent = Field(default="as_written", description="what 75 % is: as_written (75) or a fraction (0.75)")
    words: Words = Field(
        default="auto",
        description="whether seven is a number: true, false, or auto (where the text has no digits and begins with it)",
    )

    def read(self, found: Found) -> Found | Missing:
        """The number that is asked for."""
        if is_digits(found.value):
            return found.become([int(found.value)] if self.take == "all" else int(found.value))
        if self.take in ("only", "all"):
            every = self.every(found.value)
            candidates = (self.found(found, each) for each in (new_ones(every) if self.take == "only" else every))
            return take_from(candidates, self.take) or Missing(reason="no number")
        one = self.one(found.value)
        return Missing(reason="no number") if one is None else self.found(found, one)

    def read_other(self, found: Found) -> Found | Missing:
        """A number, as it is."""
        return found if is_number(found.value) else super().read_other(found)

    def settle(self, found: Found) -> Found | Missing:
        """The first number, once what follows it cannot be a part of it or its unit."""
        why = self.unsettled()
        first = None if why else next(numerals(found.value), None)
        if not isinstance(first, Numeral) or not reach().is_over(found.value, first.span.start):
            return Missing(reason=why or "no number that has ended")
        result = self.found(found, first)
        return result.closed() if isinstance(result, Found) else result

    def unsettled(self) -> str:
        """Why any number but the first may be another in the end."""
        if self.take == "first" and self.words is True:
            return "with `words: true` waits for the end of the text"
        return unsettled_take(self.take)

    def one(self, text: str) -> Numeral | Unreadable | None:
        """The number of a text that `take` asks for, where it is one."""
        if self.take == "last" and self.words is not True:
            return last_numeral(text) or next(self.every(text), None)
        every = self.every(text)
        if self.take == "first":
            return next(every, None)
        if self.take == "result":
            return result_of(text, every)
        return last_of(every)

    def every(self, text: str) -> Iterator[Numeral | Unreadable]:
        """Every number of a text, in order; and what looks like one and cannot be read."""
        in_digits = numerals(text)
        if self.words is True:
            return with_words(in_digits, number_words(text))
        first = next(in_digits, None)
        if first is not None:
            return itertools.chain((first,), in_digits)
        spelled = spelled_answer(text) if self.words == "auto" else None
        return iter(() if spelled is None else (spelled,))

    def found(self, found: Found, each: Numeral | Unreadable) -> Found | Missing:
        """A number in its place, with its unit."""
        if isinstance(each, Unreadable):
            return Missing(reason=f"{shorten(each.text)} {each.reason}", is_ambiguous=each.is_ambiguous)
        captures = found.captures
        if each.unit is not None:
            unit = found.value[each.unit.start : each.unit.end]
            captures = {**captures, "unit": Capture(value=unit, span=place(found, each.unit))}
        value = self.value(each)
        return replace(found, value=value, span=place(found, each.span), is_verbatim=False, captures=captures)

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
            every = list(self.every(text))
            if self.take == "all" and every and not any(isinstance(each, Unreadable) for each in every):
                return [self.value(each) for each in every if isinstance(each, Numeral)]
            if len(every) == 1 and isinstance(every[0], Numeral) and every[0].is_whole(text):
                return self.value(every[0])
        raise ValueError(f"{shorten(target)} is not a number")


@functools.cache
def reach() -> Reach:
    """How far the search for numbers looks."""
    return Reach(regex.compile(token_pattern().pattern, regex.VERBOSE))


def last_of(every: Iterable[Numeral | Unreadable]) -> Numeral | Unreadable | None:
    """The last of several, None where there are none."""
    last = None
    for last in every:  # noqa: B007 - the last is what is wanted
        pass
    return last


def with_words(
    in_digits: Iterator[Numeral | Unreadable], in_words: Iterator[Numeral | Unreadable]
) -> Iterator[Numeral | Unreadable]:
    """Numbers in digits and in words, in order; words inside a number in digits (`5 hundred`) are a part of it."""
    end = 0
    for each in heapq.merge(in_digits, in_words, key=lambda each: each.span.start):
        if each.span.start >= end:
            yield each
            end = each.span.end


def new_ones(every: Iterator[Numeral | Unreadable]) -> Iterator[Numeral | Unreadable]:
    """The numbers that are not yet there, up to more than anybody wants to know of."""
    seen: set[Fraction | str] = set()
    for each in every:
        key = each.value if isinstance(each, Numeral) else each.text
        if key not in seen:
            yield each
            seen.add(key)
            if len(seen) > MAX_DIFFERENT:
                return


def place(found: Found, span: Span) -> Span:
    """The span of a piece of a text; the text's own where it is not verbatim."""
    return span.inside(found.span) if found.is_verbatim else found.span


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
