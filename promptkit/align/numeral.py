r"""Numerals: how numbers are written, found in a text with their spans and exact values.

One pattern goes through the text from left to right, and each character is looked at once or twice: a numeral is
taken whole or not at all, so that nothing is read out of the middle of a date, a version or a word.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import regex

from promptkit.text import Span

__all__ = ["Numeral", "Unreadable", "numerals", "token_pattern"]

MAX_LENGTH = 1000  # characters; the largest float has 309 digits, the smallest 324 zeros after the point
MAX_EXPONENT = 400

# Unicode by its escapes, as a reader cannot tell these characters apart:
# 2212 minus, 2013 en dash, 2019 apostrophe, 00a0 2007 2009 202f the spaces that hold digits together.
SIGN = r"[-+\u2212\u2013]"
SEPARATOR = r"(?:,\\!|,|\{,\}|\\,|['\u2019_]|[\u00a0\u2007\u2009\u202f])"
DIGITS = rf"[0-9]++(?:{SEPARATOR}[0-9]++)*+"
PLAIN = rf"(?:{DIGITS}(?:\.[0-9]++)?+|(?<![\w.])\.[0-9]++)(?:[eE][-+\u2212]?[0-9]++(?!\w))?+"
LEADING_DIGITS, SEPARATORS = regex.compile(DIGITS), regex.compile(SEPARATOR)
SYMBOL = r"(?:\\?\$|[\u00a3\u20ac\u00a5\u20b9\u20a9])"
CURRENCY = rf"(?:(?<!\w)(?:US|CA|AU|NZ|HK|C|A)?{SYMBOL}|(?<!\w)(?:USD|EUR|GBP|JPY|CNY|INR|CHF|Rs\.?))"
VULGAR = r"[\u00bc-\u00be\u2150-\u215e]"
SCALE = r"(?i:hundred|thousand|million|billion|trillion)s?+(?!\w)"

# What is made of digits and is no number: dates, times and ratios, versions.
COMPOUND = r"""(?:
    [0-9]++ (?:/[0-9]++){2,}+ | [0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])
  | [0-9]++ (?::[0-9]++)++    | [0-9]++ (?:\.[0-9]++){2,}+
)"""

# What, after a number, makes another number of it, which is not read: powers, roots, products, words, stray groups.
EXPONENT = r"(?:(?:\^|\*\*(?=[0-9]))\{?-?[0-9.]*+\}?|[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]++)"
CONTINUED = rf"""(?:
    {EXPONENT} | (?:,[0-9]++(?:\.[0-9]++)?+)++
  | [ ]?(?:\u221a|\u03c0|\\sqrt|\\pi(?!\w)) [{{(]?+ [0-9.]*+
  | [ ]?(?:\u00d7|[x*]|\\times|\\cdot)[ ]?10{EXPONENT}
  | [ ]?{SCALE}
)"""

TOKEN = rf"""
    (?=[\w\\.$+\u2212\u2013\u00a3\u20ac\u20b9\u20a9\u00a5\u00bc-\u00be\u2150-\u215e-]) (?:
    (?P<compound>{COMPOUND})
  | (?P<numeral>
      (?: (?<![\w)\]}}%$\u00a3\u20ac\u00a5]) (?P<sign>{SIGN}) )?+
      (?: {CURRENCY} [ \u00a0]?+ (?P<sign>{SIGN})?+ )?+
      (?! {COMPOUND} )
      (?:
        (?: (?P<whole>{DIGITS}) [ ]?+ )?+ (?: \\[dt]?frac\{{(?P<top>{DIGITS})\}}\{{(?P<bottom>{DIGITS})\}} | (?P<vulgar>{VULGAR}) )
      | (?P<whole>{DIGITS}) [ ] (?P<top>[0-9]++) / (?P<bottom>[0-9]++) (?![/.]?[0-9])
      | (?P<top>{PLAIN}) / (?P<bottom>{PLAIN}) (?!/[0-9])
      | (?P<plain>{PLAIN})
      )
      (?P<percent> [ \u00a0]?+ (?: \\?% | (?i:per[ ]?cent)(?!\w) ) )?+
      (?: [ \u00a0]?+ \u20ac (?![0-9]) | {SYMBOL} (?![ ]?[0-9]) )?+
    )
    (?P<continued>{CONTINUED})?+
  | [^\W\d_]\w*+ (?: (?<=[0-9]) \.[0-9]++ )*+ )
    """


@functools.cache
def token_pattern() -> regex.Pattern[str]:
    """The compiled pattern: compiling takes a good part of a light verb's start, and most of them read no numbers."""
    return regex.compile(TOKEN, regex.VERBOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """A number as written: where, its exact value, and whether a sign of per cent belongs to it."""

    span: Span
    value: Fraction
    is_percent: bool

    def is_whole(self, text: str) -> bool:
        """Whether the text is this numeral and nothing else."""
        return self.span.start == 0 and self.span.end == len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What looks like a number, and why it is not read."""

    text: str
    reason: str


def numerals(text: str) -> Iterator[Numeral | Unreadable]:
    """Every numeral of a text, in order.

    >>> [(each.span.start, float(each.value)) for each in numerals("-$1,234.50 on 3/4/2020, or 3/4 of it")]
    [(0, -1234.5), (27, 0.75)]
    """
    for match in token_pattern().finditer(text):
        if match["numeral"] is None:
            continue
        if match["continued"]:
            yield Unreadable(text=match[0], reason="goes on after its digits in a way that is not read")
            continue
        try:
            value = exact_value(match)
        except ValueError as error:
            yield Unreadable(text=match[0], reason=str(error))
            continue
        start, end = match.span("numeral")
        yield Numeral(span=Span(start=start, end=end), value=value, is_percent=match["percent"] is not None)


def exact_value(match: regex.Match[str]) -> Fraction:
    """The value of a numeral that was found. Raises `ValueError` with the reason why there is none."""
    if len(match["numeral"]) > MAX_LENGTH:
        raise ValueError("is too long to be a number")
    value = read_plain(match["plain"]) if match["plain"] else read_fraction(match)
    if match["sign"] not in (None, "+"):
        value = -value
    try:
        is_in_range = value == 0 or float(value) != 0
    except OverflowError:
        is_in_range = False
    if not is_in_range:
        raise ValueError("is out of the range of numbers")
    return value


def read_fraction(match: regex.Match[str]) -> Fraction:
    """The value of a fraction, with the whole number before it."""
    if match["vulgar"]:
        part = Fraction(unicodedata.numeric(match["vulgar"])).limit_denominator(10)
    else:
        bottom = read_plain(match["bottom"])
        if bottom == 0:
            raise ValueError("divides by zero")
        part = read_plain(match["top"]) / bottom
    if not match["whole"]:
        return part
    if part >= 1:
        raise ValueError("is a whole number beside a fraction that is not below one")
    return read_plain(match["whole"]) + part


def read_plain(text: str) -> Fraction:
    """The value of digits with separators, point and exponent, without a sign.

    >>> read_plain("1,234.50")
    Fraction(2469, 2)
    """
    if text.isdigit():
        return Fraction(int(text))
    leading = LEADING_DIGITS.match(text)
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
