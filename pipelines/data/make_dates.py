"""Writes `dates-test.jsonl` and `dates-train.jsonl` beside itself: questions about dates, with four options each.

Run it as `python make_dates.py`. The seed decides everything, so the files come out the same. Wrong options are near
misses: the other direction, a day too many, the wrong month or year.
"""

# ruff: noqa: INP001 - a script among its data, not a package

from __future__ import annotations

import json
import random
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

SEED = 19700101
NUM_TEST, NUM_TRAIN = 100, 16
LETTERS = "ABCD"

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVENTS = ("concert", "exam", "wedding", "festival", "race", "meeting", "exhibition", "flight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question, how to work it out, the right option, and wrong ones, the nearest first."""

    question: str
    rationale: str
    right: str
    wrong: tuple[str, ...]


def show(day: date) -> str:
    """The date as the problems write it: 3 May 2021."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def plural(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ordinal(number: int) -> str:
    """`21st`, `12th`."""
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def with_year(day: date, year: int) -> date:
    """The same day and month in another year; 29 February becomes 28 February."""
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def by_months(day: date, months: int) -> date:
    """The same day of the month, so many months on; the month's last day where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def any_day(chance: random.Random) -> date:
    """A day between 1950 and 2039."""
    return date(1950, 1, 1) + timedelta(days=chance.randrange(90 * 365))


def near(right: date, *others: date) -> tuple[str, ...]:
    """Wrong dates: the given ones, then the neighbours of the right one."""
    days = (timedelta(days=count) for count in (1, -1, 2, -7))
    return tuple(show(day) for day in (*others, *(right + step for step in days)))


def after(chance: random.Random) -> Problem:
    """So many days after a date."""
    today, count = any_day(chance), chance.randint(3, 20)
    right, month = today + timedelta(days=count), MONTHS[today.month - 1]
    num_days = monthrange(today.year, today.month)[1]
    if right.month == today.month:
        way = f"{today.day} + {count} = {right.day}, which is still in {month}."
    else:
        way = (
            f"{today.day} + {count} = {today.day + count}, but {month} {today.year} has {num_days} days. "
            f"{today.day + count} - {num_days} = {right.day}, so it is day {right.day} of the next month."
        )
    return Problem(
        question=f"Today is {show(today)}. What will the date be in {count} days?",
        rationale=f"{way} The date is {show(right)}.",
        right=show(right),
        wrong=near(right, today - timedelta(days=count), by_months(right, 1)),
    )


def before(chance: random.Random) -> Problem:
    """So many days before a date."""
    today, count = any_day(chance), chance.randint(3, 20)
    right, month = today - timedelta(days=count), MONTHS[today.month - 1]
    if right.month == today.month:
        way = f"{today.day} - {count} = {right.day}, which is still in {month}."
    else:
        over, num_days = count - today.day, monthrange(right.year, right.month)[1]
        way = (
            f"{plural(today.day, 'day')} back from {show(today)} is the last day of {MONTHS[right.month - 1]}, "
            f"day {num_days}. {count} - {today.day} = {over}, and {num_days} - {over} = {right.day}."
        )
    return Problem(
        question=f"Today is {show(today)}. What was the date {count} days ago?",
        rationale=f"{way} The date was {show(right)}.",
        right=show(right),
        wrong=near(right, today + timedelta(days=count), by_months(right, 1)),
    )


def tomorrow_known(chance: random.Random) -> Problem:
    """Yesterday's date, where tomorrow's is given."""
    tomorrow = any_day(chance)
    today, right = tomorrow - timedelta(days=1), tomorrow - timedelta(days=2)
    return Problem(
        question=f"Tomorrow will be {show(tomorrow)}. What was the date yesterday?",
        rationale=f"If tomorrow is {show(tomorrow)}, today is {show(today)}. Yesterday was {show(right)}.",
        right=show(right),
        wrong=near(right, today, tomorrow + timedelta(days=1), with_year(right, right.year - 1)),
    )


def weeks(chance: random.Random) -> Problem:
    """An event put off by whole weeks."""
    planned, count, event = any_day(chance), chance.randint(2, 4), chance.choice(EVENTS)
    right = planned + timedelta(weeks=count)
    return Problem(
        question=f"The {event} was planned for {show(planned)} and is put off by {count} weeks. When is it now?",
        rationale=f"{count} weeks are {count} * 7 = {count * 7} days. {count * 7} days after {show(planned)} is "
        f"{show(right)}.",
        right=show(right),
        wrong=near(right, planned - timedelta(weeks=count), by_months(planned, count), planned + timedelta(days=count)),
    )


def months(chance: random.Random) -> Problem:
    """An event moved by whole months."""
    start, count, event = any_day(chance), chance.randint(2, 11), chance.choice(EVENTS)
    start = start.replace(day=min(start.day, 28))
    right, number = by_months(start, count), start.month + count
    way = f"{MONTHS[start.month - 1]} is month {start.month}, and {start.month} + {count} = {number}."
    if number > 12:
        way += f" {number} - 12 = {number - 12}, so it is month {number - 12} of the next year."
    return Problem(
        question=f"The first {event} was on {show(start)}, the second exactly {count} months later. "
        "When was the second?",
        rationale=f"{way} Month {right.month} is {MONTHS[right.month - 1]}. The date was {show(right)}.",
        right=show(right),
        wrong=near(right, by_months(right, 1), by_months(right, -1), with_year(right, right.year + 1)),
    )


def anniversary(chance: random.Random) -> Problem:
    """The day before or after an anniversary."""
    first, count, shift = any_day(chance), chance.randint(2, 25), chance.choice((-1, 1))
    first = first.replace(day=min(first.day, 28))
    today = with_year(first, first.year + count)
    right = today + timedelta(days=shift)
    asked = "What will the date be tomorrow?" if shift == 1 else "What was the date yesterday?"
    answer = "Tomorrow will be" if shift == 1 else "Yesterday was"
    return Problem(
        question=f"A shop opened on {show(first)}. Today is its {ordinal(count)} anniversary. {asked}",
        rationale=f"{first.year} + {count} = {today.year}, so today is {show(today)}. {answer} {show(right)}.",
        right=show(right),
        wrong=near(right, today, today - timedelta(days=shift), with_year(right, right.year + 1)),
    )


def weekday(chance: random.Random) -> Problem:
    """The weekday so many days on."""
    today, count = any_day(chance), chance.randint(9, 27)
    right = today + timedelta(days=count)
    full, rest = divmod(count, 7)
    way = f"{count} days are {plural(full, 'week')} and {plural(rest, 'day')}."
    if not rest:
        way = f"{count} days are exactly {plural(full, 'week')}."
    name = WEEKDAYS[today.weekday()]
    others = (right + timedelta(days=step) for step in (1, -1, 2, 3))
    return Problem(
        question=f"{show(today)} is a {name}. Which day of the week is it {count} days later?",
        rationale=f"{way} After whole weeks it is {name} again"
        + (f", and {plural(rest, 'day')} after {name} comes {WEEKDAYS[right.weekday()]}." if rest else "."),
        right=WEEKDAYS[right.weekday()],
        wrong=tuple(WEEKDAYS[day.weekday()] for day in others),
    )


def days_between(chance: random.Random) -> Problem:
    """How many days lie between two dates, at most one month's end apart."""
    start, count, event = any_day(chance), chance.randint(5, 27), chance.choice(EVENTS)
    end = start + timedelta(days=count)
    num_days = monthrange(start.year, start.month)[1]
    if end.month == start.month:
        way = f"Both are in the same month: {end.day} - {start.day} = {count}."
    else:
        left = num_days - start.day
        way = (
            f"{MONTHS[start.month - 1]} {start.year} has {num_days} days, so {num_days} - {start.day} = {left} are left "
            f"of it. {left} + {end.day} = {count}."
        )
    return Problem(
        question=f"Today is {show(start)}. The {event} is on {show(end)}. In how many days is that?",
        rationale=way,
        right=f"{count} days",
        wrong=tuple(f"{count + step} days" for step in (1, -1, 2, 3)),
    )


KINDS: tuple[Callable[[random.Random], Problem], ...] = (
    *(after, before, tomorrow_known, weeks, months, anniversary, weekday, days_between),
)


def letters(count: int, chance: random.Random) -> list[str]:
    """`count` right letters, each about equally often, in no order."""
    deck = [LETTERS[index % len(LETTERS)] for index in range(count)]
    chance.shuffle(deck)
    return deck


def row_of(problem: Problem, letter: str, chance: random.Random) -> dict[str, str | list[str]]:
    """The problem with its options, the right one under `letter`."""
    wrong = [option for option in dict.fromkeys(problem.wrong) if option != problem.right][: len(LETTERS) - 1]
    chance.shuffle(wrong)
    wrong.insert(LETTERS.index(letter), problem.right)
    return {"question": problem.question, "options": wrong, "rationale": problem.rationale, "answer": letter}


def split(name: str, count: int, seen: set[str], chance: random.Random) -> str:
    """One file's text: `count` problems whose questions are not in `seen`, which grows. Kinds take turns."""
    lines: list[str] = []
    deck = letters(count, chance)
    kinds: list[Callable[[random.Random], Problem]] = []
    while len(lines) < count:
        kinds = kinds or chance.sample(KINDS, len(KINDS))
        problem = kinds[-1](chance)
        if problem.question not in seen:
            seen.add(problem.question)
            row = {"id": f"dates-{name}-{len(lines) + 1:03d}", "kind": kinds.pop().__name__}
            lines.append(json.dumps({**row, **row_of(problem, deck[len(lines)], chance)}, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Writes both files into `folder`."""
    chance = random.Random(SEED)  # noqa: S311 - examples, no secrets
    seen: set[str] = set()
    for name, count in (("train", NUM_TRAIN), ("test", NUM_TEST)):
        text = split(name, count, seen, chance)
        (folder / f"dates-{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent)
