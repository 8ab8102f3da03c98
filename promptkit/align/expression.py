r"""An expression: a text that knows when another means the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from promptkit.align.algebra import is_equal
from promptkit.align.numeral import Numeral, numerals
from promptkit.align.spelling import bare, spelled

__all__ = ["MAX_EXPRESSION", "TIMEOUT_S", "Expression", "number_of"]

TIMEOUT_S = 5.0
MAX_EXPRESSION = 2_000  # characters
ENOUGH_DIGITS = 6  # of a decimal number, for it to stand for what it is rounded from


class Expression(str):
    r"""A mathematical expression, in one spelling. As text it is its spelling; `is_same_as` says what it equals.

    >>> Expression(r"\frac{1}{2}").is_same_as("0.5")
    True
    """

    __slots__ = ("timeout_s",)
    timeout_s: float

    def __new__(cls, text: str, timeout_s: float = TIMEOUT_S) -> Self:
        """The expression that a text is; to compare it takes no longer than `timeout_s`."""
        expression = super().__new__(cls, spelled(text))
        expression.timeout_s = timeout_s
        return expression

    def __getnewargs__(self) -> tuple[Any, ...]:  # copying and pickling go through __new__
        return (str(self), self.timeout_s)

    def is_same_as(self, other: Any) -> bool:
        """Whether a value means the same: a text, a number. What needs no algebra is said without it."""
        if isinstance(other, bool) or not isinstance(other, str | int | float):
            return False
        one, two = str(self), spelled(str(other))
        if one == two or bare(one) == bare(two):
            return True
        numbers = number_of(one), number_of(two)
        if numbers[0] is not None and numbers[1] is not None:
            return is_same_number(numbers[0], numbers[1], (one, two))
        return max(len(one), len(two)) <= MAX_EXPRESSION and is_equal(one, two, self.timeout_s)


def number_of(text: str) -> Numeral | None:
    """The number that a text is; None where it is none, or more than that."""
    if len(text) > MAX_EXPRESSION:
        return None
    first = next(numerals(text), None)
    return first if isinstance(first, Numeral) and first.is_whole(text) else None


def is_same_number(one: Numeral, other: Numeral, texts: tuple[str, str]) -> bool:
    """Whether two numbers are one: exactly, or one is the other rounded to a decimal of six digits or more.

    50 % is 0.5, and 50 where that is what was asked for; 50 is not 0.5.
    """
    values = [(one.value, other.value)]
    if one.is_percent and not other.is_percent:
        values.append((one.value / 100, other.value))
    elif other.is_percent and not one.is_percent:
        values.append((one.value, other.value / 100))
    return any(a == b or is_rounded(texts[0], a, b) or is_rounded(texts[1], b, a) for a, b in values)


def is_rounded(text: str, value: Fraction, exact: Fraction) -> bool:
    """Whether a number of that text is `exact`, rounded where its digits end."""
    digits = sum(character.isdigit() for character in text.lstrip("-+0."))
    _, point, part = text.rstrip("\\% ").partition(".")
    if not point or digits < ENOUGH_DIGITS or not part.isdigit():
        return False
    return round(exact, len(part)) == value
