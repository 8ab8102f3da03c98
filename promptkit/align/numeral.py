"""Numerals: the numbers that a text writes in digits, with their spans and exact values."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from promptkit.align.notation import SEPARATORS, leading_digits, token_pattern
from promptkit.align.unit import unit_of
from promptkit.text import Span

__all__ = ["Numeral", "Unreadable", "last_numeral", "numerals"]

MAX_LENGTH = 1000  # characters; the largest float has 309 digits, the smallest 324 zeros after the point
MAX_EXPONENT = 400
LONGEST_LINE = 20_000  # characters; in one that is longer the last numeral is looked for from the middle of it
MARGIN = 2 * MAX_LENGTH  # characters from there, within which a token may have been cut
FIRST_STRETCH = 400  # characters before the end in which the last numeral is looked for first
SCALES = {
    "hundred": 100,
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}
SUFFIXES = {"k": 10**3} | dict.fromkeys(("m", "mn", "mln"), 10**6) | dict.fromkeys(("b", "bn", "bln"), 10**9)
SUFFIXES |= dict.fromkeys(("t", "tn", "trn"), 10**12)
PLAIN_SUFFIXES = frozenset(("k", "K", "M", "bn", "mln", "bln", "Bln"))  # those that are read without a currency too
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻\N{MINUS SIGN}", "0123456789+--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """A number as written: where, its exact value, and what it counts.

    `is_percent`: a sign of per cent belongs to it. `unit` is where the text says what it counts: the word after it, or
    the sign of per cent, currency or degrees, which are a part of it.
    """

    span: Span
    value: Fraction
    is_percent: bool = False
    unit: Span | None = None

    def is_whole(self, text: str) -> bool:
        """Whether the text is this numeral and nothing else."""
        return self.span.start == 0 and self.span.end == len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What looks like a number, where, and why it is not read. `is_ambiguous`: it may be several."""

    text: str
    span: Span
    reason: str
    is_ambiguous: bool = False


def numerals(text: str) -> Iterator[Numeral | Unreadable]:
    """Every numeral of a text, in order.

    >>> [(each.span.start, float(each.value)) for each in numerals("-$1,234.50 on 3/4/2020, or 3/4 of it")]
    [(0, -1234.5), (27, 0.75)]
    """
    return map(read_token, tokens(text, 0, len(text)))


def last_numeral(text: str) -> Numeral | Unreadable | None:
    """The last numeral of a text; most texts are read no further back than their last lines."""
    length = FIRST_STRETCH
    while True:
        start = line_start(text, len(text) - length)
        last = None
        for last in tokens(text, start, len(text)):  # noqa: B007 - the last is what is wanted
            pass
        if last is not None and (start == 0 or text[start] == "\n" or last.start() > start + MARGIN):
            return read_token(last)
        if start == 0:
            return None
        length *= 4


def line_start(text: str, place: int) -> int:
    """Where to begin, at `place` or before it, so that no token is cut: no token goes over a line's end.

    In a line without an end it is a space, and what begins soon after it is not relied on.
    """
    if place <= 0:
        return 0
    start = text.rfind("\n", max(place - LONGEST_LINE, 0), place)
    return start if start >= 0 else max(text.rfind(" ", 0, place), 0) if place > LONGEST_LINE else 0


def tokens(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """What is a number or looks like one, in order, the far end of a range left out."""
    passed = 0
    for match in token_pattern().finditer(text, start, end):
        if match.lastgroup is None or match.start() < passed:
            continue
        if (match["to"] is not None or match["and"] is not None) and is_range(match):
            passed = max(match.end("to"), match.end("and"))
        yield match


def is_range(match: re.Match[str]) -> bool:
    """Whether a numeral is the near end of a range: 5-6, 5 to 6, between 5 and 6; but 10-5 is a subtraction."""
    if match["and"] is not None:
        return match["between"] is not None
    if len(match["numeral"]) + len(match["to"]) > MAX_LENGTH:
        return False
    try:
        return unscaled_value(match) < read_plain(match["to"])
    except ValueError:
        return False


def read_token(match: re.Match[str]) -> Numeral | Unreadable:
    """A token as the number that it writes, or why it is not read."""
    if match["numeral"] is None:
        is_expression = match["expression"] is not None
        return unreadable(match, "is not worked out" if is_expression else "is not one number for certain")
    if match["continued"]:
        return unreadable(match, "goes on after its digits in a way that is not read")
    start, end = match.span("numeral")
    if (match["to"] is not None or match["and"] is not None) and is_range(match):
        end = max(match.end("to"), match.end("and"))
        span = Span(start=start, end=end)
        return Unreadable(text=match.string[start:end], span=span, reason="is a range", is_ambiguous=True)
    try:
        value = exact_value(match)
    except ValueError as error:
        return unreadable(match, str(error))
    is_scaled = match["suffix"] is not None and scale_of(match) != 1
    if match["suffix"] is not None and not is_scaled:
        end = start + len(match.string[start : match.start("suffix")].rstrip())
    unit, is_percent = unit_of(match, is_scaled=is_scaled), match["percent"] is not None
    return Numeral(span=Span(start=start, end=end), value=value, is_percent=is_percent, unit=unit)


def unreadable(match: re.Match[str], reason: str) -> Unreadable:
    """A token that is not read."""
    start = match.start("numeral") if match["numeral"] is not None else match.start()
    end = max(match.end("continued"), match.end("numeral")) if match["numeral"] is not None else match.end()
    return Unreadable(text=match.string[start:end], span=Span(start=start, end=end), reason=reason)


def exact_value(match: re.Match[str]) -> Fraction:
    """The value of a numeral that was found. Raises `ValueError` with the reason why there is none."""
    if len(match["numeral"]) > MAX_LENGTH:
        raise ValueError("is too long to be a number")
    value, scale = unscaled_value(match), scale_of(match)
    if scale != 1:
        value *= scale
    signs = match.group("sign", "sign2", "negative", "above1")
    if any(signs) and sum(sign not in (None, "+") for sign in signs) % 2:
        value = -value
    try:
        is_in_range = value == 0 or float(value) != 0
    except OverflowError:
        is_in_range = False
    if not is_in_range:
        raise ValueError("is out of the range of numbers")
    return value


def unscaled_value(match: re.Match[str]) -> Fraction:
    """The value of a numeral without its sign, and without a word such as million after it."""
    if match["plain"] is not None:
        return read_plain(match["plain"])
    return read_power(match) if match["ten"] is not None else read_fraction(match)


def scale_of(match: re.Match[str]) -> int:
    """What a word or a letter after a numeral makes it count: 1000 for k. Raises `ValueError` where that is not clear."""
    if match["scale"] is not None:
        scale = 1
        for word in match["scale"].lower().split():
            scale *= SCALES[word.removesuffix("s")]
        return scale
    suffix = match["suffix"]
    if suffix is None:
        return 1
    is_attached = not match.string[match.start("suffix") - 1].isspace()
    if match["currency"] is not None:
        return SUFFIXES[suffix.lower()] if is_attached or suffix != "T" else 1
    if is_attached and suffix == "B":
        raise ValueError("may be billions, or a number and a letter")
    return SUFFIXES[suffix.lower()] if (is_attached or suffix == "bn") and suffix in PLAIN_SUFFIXES else 1


def read_power(match: re.Match[str]) -> Fraction:
    """The value of a power of ten, with the number that it multiplies."""
    exponent = int((match["power"] or match["raised"]).translate(SUPERSCRIPTS)[: MAX_LENGTH // 10])
    if abs(exponent) > MAX_EXPONENT:
        raise ValueError("is out of the range of numbers")
    return (read_plain(match["mantissa"]) if match["mantissa"] else 1) * Fraction(10) ** exponent


def read_fraction(match: re.Match[str]) -> Fraction:
    """The value of a fraction, with the whole number before it."""
    if match["vulgar"] is not None:
        part = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
    else:
        top = next(filter(None, match.group("top1", "top2", "top3", "top4")))
        bottom = read_plain(
            next(filter(None, match.group("bottom1", "digit1", "bottom2", "digit2", "bottom3", "bottom4")))
        )
        if bottom == 0:
            raise ValueError("divides by zero")
        part = read_plain(top) / bottom
    whole = match["whole"] or match["whole3"]
    if not whole:
        return part
    if part >= 1 or match["above1"]:
        raise ValueError("is a whole number beside a fraction that is not below one")
    return read_plain(whole) + part


@functools.lru_cache(maxsize=1024)
def read_plain(text: str) -> Fraction:
    """The value of digits with separators, point and exponent, without a sign.

    >>> read_plain("1,234.50")
    Fraction(2469, 2)
    """
    if text.isdigit():
        return Fraction(int(text))
    leading = leading_digits().match(text)
    digits = leading[0] if leading else ""
    groups, rest = SEPARATORS.split(digits), text[len(digits) :]
    if len(groups) > 1 and not is_grouped(digits, groups):
        raise ValueError("is not grouped in thousands")
    try:
        value = Decimal("".join(groups) + rest.replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation as error:
        raise ValueError("is out of the range of numbers") from error
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        if value == 0:
            return Fraction(0)
        raise ValueError("is out of the range of numbers")
    return Fraction(value)


def is_grouped(digits: str, groups: list[str]) -> bool:
    """Whether groups of digits are thousands: up to three, not led by 0, then threes, all with one separator."""
    separators = set(SEPARATORS.findall(digits))
    is_led = len(groups[0]) <= 3 and not groups[0].startswith("0")
    return is_led and len(separators) == 1 and all(len(group) == 3 for group in groups[1:])
