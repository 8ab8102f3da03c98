"""Dates as people write them, each with the ways in which it may be read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from promptkit.text import Span

__all__ = ["Reading", "WrittenDate", "written_dates"]

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
NUMBERS = {month: number for number, month in enumerate(MONTHS.split(), 1)}
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
GAP = r"(?:[ \t\u00a0~]|\\[ ,;])"
SPACE, MAYBE = rf"{GAP}{{1,4}}", rf"{GAP}{{0,4}}"
ORDINAL = r"(?:(?:st|nd|rd|th)(?![a-z])|\^\{?(?:\\(?:text|mathrm|textrm)\{)?(?:st|nd|rd|th)\}{0,2}\$?|\$\^\{?(?:\\(?:text|mathrm|textrm)\{)?(?:st|nd|rd|th)\}{0,2}\$)?"
BEGIN = r"(?<![0-9A-Za-z]_)(?<![0-9A-Za-z./\u2013\u2014-])"
END = r"(?!(?!T[0-9])_?[0-9A-Za-z]|[./-][0-9])"
TO_YEAR = rf"(?:{MAYBE},?{MAYBE}(?:of{SPACE})?|[-/])"
RANGE = r"[ ]?[-\u2013\u2014][ ]?[0-9]{1,2}(?:st|nd|rd|th)?(?![0-9A-Za-z-])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a date: `year` None where it has none, below 100 where it is written with two digits."""

    order: str
    year: int | None
    month: int
    day: int
    is_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDate:
    """What looks like a date, where, and the ways in which it may be read: none of a range of days."""

    text: str
    span: Span
    readings: tuple[Reading, ...]


@functools.cache
def date_pattern() -> re.Pattern[str]:
    """The pattern of a date, in figures or with the month's name."""
    return re.compile(
        rf"""(?=[0-9a-z]){BEGIN}(?:
            (?P<a>[0-9]{{4}}|[0-9]{{1,2}})[ ]?(?P<sep>[-/.])[ ]?(?P<b>[0-9]{{1,2}})[ ]?(?P=sep)[ ]?(?P<c>[0-9]{{4}}|[0-9]{{1,2}})
          | (?P<month>{MONTH})(?:{SPACE}(?:the{SPACE})?|[-/])\$?(?P<day>[0-9]{{1,2}})(?![0-9]){ORDINAL}
              (?:(?P<range>{RANGE})|{TO_YEAR}(?P<year>[0-9]{{4}}(?![0-9])|['\u2019][0-9]{{2}}))?
          | (?P<day2>[0-9]{{1,2}}){ORDINAL}\.?(?:{SPACE}(?:day{SPACE})?(?:of{SPACE})?|[-/])(?P<month2>{MONTH})
              (?:{TO_YEAR}(?P<year2>[0-9]{{4}}(?![0-9])|['\u2019][0-9]{{2}}|(?<=-)[0-9]{{2}}))?
          | (?P<year3>[0-9]{{4}})(?:{MAYBE},?{MAYBE}|[-/])(?P<month3>{MONTH})(?:{SPACE}|[-/])(?P<day3>[0-9]{{1,2}}){ORDINAL}
        ){END}""",
        re.IGNORECASE | re.VERBOSE,
    )


def written_dates(text: str) -> Iterator[WrittenDate]:
    """Every date of a text, in order, and what looks like one."""
    for match in date_pattern().finditer(text):
        readings = in_figures(match) if match["a"] else with_name(match)
        if readings is not None:
            start, end = match.span()
            yield WrittenDate(text=text[start:end], span=Span(start=start, end=end), readings=readings)


def in_figures(match: re.Match[str]) -> tuple[Reading, ...] | None:
    """The ways to read a date in figures; None where it is none, as a version of a program is."""
    a, b, c = match.group("a", "b", "c")
    first, second, third = int(a), int(b), int(c)
    if len(a) == 4:
        return (Reading(order="ymd", year=first, month=second, day=third),) if len(c) < 3 else None
    month_first = Reading(order="mdy", year=third, month=first, day=second, is_short=len(c) < 3)
    day_first = Reading(order="dmy", year=third, month=second, day=first, is_short=len(c) < 3)
    if len(c) == 4:
        return (month_first, day_first)
    if len(c) < 2 or (match["sep"] == "." and len(a + b) < 4):
        return None
    year_first = Reading(order="ymd", year=first, month=second, day=third, is_short=True)
    return (month_first, day_first, *((year_first,) if len(a) == 2 else ()))


def with_name(match: re.Match[str]) -> tuple[Reading, ...] | None:
    """The way to read a date with the month's name; a small `may` without a year is a verb."""
    month = next(filter(None, match.group("month", "month2", "month3")))
    day = next(filter(None, match.group("day", "day2", "day3")))
    year = next(filter(None, match.group("year", "year2", "year3")), None)
    if match["range"]:
        return ()
    if year is None and month[0].islower():
        return None
    digits = year.lstrip("'\N{RIGHT SINGLE QUOTATION MARK}") if year else ""
    number = int(digits) if digits else None
    return (Reading(order="", year=number, month=NUMBERS[month[:3].lower()], day=int(day), is_short=len(digits) == 2),)
