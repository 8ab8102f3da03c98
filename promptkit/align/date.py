"""`date`: the calendar dates that a text holds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_within
from promptkit.align.written_date import Reading, WrittenDate, written_dates
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["Date"]

ISO = "%Y-%m-%d"
WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.IGNORECASE)
Order = Literal["mdy", "dmy", "ymd"]
Year = Annotated[int, Field(ge=1, le=9999, strict=True)]


class Date(ItemStep):
    """Reads a date of the calendar, in figures or with the month's name, and writes it in one format.

    What may be read in two ways (`05/06/2021`) is ambiguous unless `order` decides it; a date that no calendar has, one
    without a year and one whose year has two digits are not read, and never passed over for the next one.
    """

    kind = "date"
    main: ClassVar[str | None] = "format"

    format: str = Field(default=ISO, description="how the answer is written, in the letters of `strftime`")
    take: Take = Field(
        default="first", description="which date: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    order: Order | None = Field(
        default=None,
        description="what a date in figures that may be read in two ways is: mdy, dmy or ymd; null: ambiguous",
    )
    default_year: Year | None = Field(
        default=None, description="the year of dates without one; null: they are not read"
    )
    pivot: Annotated[int, Field(ge=0, le=99, strict=True)] | None = Field(
        default=None,
        description="the last year of two digits that is in this century, the next being 19..; null: they are not read",
    )

    @field_validator("format")
    @classmethod
    def _is_a_format(cls, text: str) -> str:
        days = [dt.date(2001, 2, 3), dt.date(1998, 11, 27)]
        try:
            written = {day.strftime(text) for day in days}
        except (ValueError, UnicodeError) as error:
            message = "is no format of dates: {why}"
            raise PydanticCustomError("format", message, {"why": str(error)}) from error
        if len(written) < len(days):
            context = {"value": repr(text), "hint": "such as %Y-%m-%d or %d %B %Y"}
            raise PydanticCustomError("format", "{value} writes every date alike", context)
        return text

    def read(self, found: Found) -> Found | Missing:
        """The date that is asked for."""
        return take_within(found, self.take, self.candidates) or Missing(reason="no date")

    def read_other(self, found: Found) -> Found | Missing:
        """A date that is one already, as it is asked for."""
        if isinstance(found.value, dt.date):
            return found.become(self.value(found.value))
        return super().read_other(found)

    def candidates(self, found: Found) -> Iterator[Found | Missing]:
        """Every date of a text, in order; and what looks like one and cannot be read."""
        for each in written_dates(found.value):
            days = self.days(each)
            if len(days) == 1:
                yield found.part(each.span.start, each.span.end).become(self.value(days[0]))
            else:
                reason = "may be read in several ways; `order` says which" if days else self.flaw(each)
                yield Missing(reason=f"{shorten(each.text)} {reason}", is_ambiguous=bool(days))

    def days(self, written: WrittenDate) -> list[dt.date]:
        """The days that a written date may mean: one if `order` decides it, none if no calendar has it."""
        days = {reading.order: self.day(reading) for reading in written.readings}
        possible = {day for day in days.values() if day is not None}
        chosen = days.get(self.order) if self.order and len(possible) > 1 else None
        return [chosen] if chosen else sorted(possible)

    def day(self, reading: Reading) -> dt.date | None:
        """The day of one reading, None where there is none."""
        year = self.year(reading)
        try:
            return None if year is None else dt.date(year, reading.month, reading.day)
        except ValueError:
            return None

    def year(self, reading: Reading) -> int | None:
        """The year of one reading, None where it is not known."""
        if reading.year is None:
            return self.default_year
        if not reading.is_short:
            return reading.year
        return None if self.pivot is None else reading.year + (2000 if reading.year <= self.pivot else 1900)

    def flaw(self, written: WrittenDate) -> str:
        """Why a written date is no day."""
        if not written.readings:
            return "is a range of days"
        first = written.readings[0]
        if self.year(first) is None:
            return "has no year" if first.year is None else "has a year of two digits"
        return "is in no calendar"

    def value(self, day: dt.date) -> str:
        """A day as the answer is written."""
        return day.isoformat()[:10] if self.format == ISO else day.strftime(self.format)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The date that a text is from end to end: as `format` has it, or in any other way that can be read."""
        if isinstance(target, dt.date):
            return self.value(target)
        text = WEEKDAY.sub("", target.strip(), count=1) if isinstance(target, str) else ""
        try:
            return self.value(dt.datetime.strptime(text, self.format))  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            every = list(written_dates(text))
        days = self.days(every[0]) if len(every) == 1 and every[0].span == Span(start=0, end=len(text)) else []
        if len(days) != 1:
            raise ValueError(f"{shorten(target)} is not a date" + (", but several" if days else ""))
        return self.value(days[0])
