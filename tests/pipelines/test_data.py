"""The shipped data: reproducible, right, unique, balanced, and without test rows among the train rows."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "pipelines" / "data"
NUM_ROWS = {
    "arithmetic": {"test": 200, "train": 32},
    "contacts": {"test": 40, "train": 8},
    "dates": {"test": 100, "train": 16},
    "sentiment": {"test": 120, "train": 32},
    "support-chat": {"test": 40, "train": 8},
}
FILES = [(name, split) for name, splits in NUM_ROWS.items() for split in splits]
ASKED = {"arithmetic": "question", "contacts": "message", "dates": "question"}  # the field that holds what is asked
ASKED |= {"sentiment": "review", "support-chat": "ticket"}

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")
DATE = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

Row = dict[str, Any]


def rows(name: str, split: str) -> list[Row]:
    text = (FOLDER / f"{name}-{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def all_rows(name: str) -> list[Row]:
    return rows(name, "train") + rows(name, "test")


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)  # dataclasses look their module up there
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder is shipped as it is
    spec.loader.exec_module(module)
    return module


def squeezed(text: str) -> str:
    """The text without what does not tell two rows apart: case, punctuation, white space."""
    return " ".join(re.findall(r"\w+", text.lower()))


# Every file.


def test_every_data_file_is_one_that_is_tested():
    """A file that nobody checks is how wrong rows get in."""
    expected = {f"{name}-{split}.jsonl" for name, split in FILES}
    assert {path.name for path in FOLDER.glob("*.jsonl")} == expected


@pytest.mark.parametrize(("name", "split"), FILES)
def test_rows_are_as_many_as_promised_and_alike(name, split):
    """Every row of a file has the same fields, none of them empty, and an id that says where it belongs."""
    found = rows(name, split)
    assert len(found) == NUM_ROWS[name][split]
    assert [row["id"] for row in found] == [f"{name}-{split}-{number:03d}" for number in range(1, len(found) + 1)]
    for row in found:
        assert row.keys() == found[0].keys()
        for value in row.values():
            assert value
            assert not isinstance(value, str) or value == value.strip()


@pytest.mark.parametrize("name", NUM_ROWS)
def test_no_row_is_there_twice(name):
    """Above all, no test row stands among the train rows, where a demonstration would give its answer away."""
    asked = [squeezed(row[ASKED[name]]) for split in ("train", "test") for row in rows(name, split)]
    assert [text for text, count in Counter(asked).items() if count > 1] == []


@pytest.mark.parametrize(("name", "split"), FILES)
def test_files_end_in_one_newline_and_are_plain_utf8(name, split):
    """So that a line-based tool and every platform reads the same rows."""
    raw = (FOLDER / f"{name}-{split}.jsonl").read_bytes()
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw
    assert not raw.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", ["arithmetic", "dates"])
def test_generators_write_the_committed_files(name, tmp_path, monkeypatch):
    """The seed alone decides; a change of a script shows as a change of its data."""
    script(f"make_{name}", monkeypatch).write(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.glob(f"{name}-*.jsonl")}


# arithmetic


def test_arithmetic_is_right():
    """Each equation holds, and the last one gives the answer."""
    for row in all_rows("arithmetic"):
        equations = EQUATION.findall(row["rationale"])
        assert len(equations) == row["num_steps"] == row["rationale"].count("=")
        for left, sign, right, result in equations:
            a, b = Fraction(left), Fraction(right)
            assert {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign] == int(result)
        assert equations[-1][-1] == row["answer"]


def test_arithmetic_uses_all_numbers_of_the_question_and_no_others():
    """A number of an equation comes from the question or from an earlier step; "twice" is the one hidden 2."""
    for row in all_rows("arithmetic"):
        given = set(re.findall(r"\d+", row["question"])) | ({"2"} if "twice" in row["question"] else set())
        used: set[str] = set()
        results: set[str] = set()
        for left, _, right, result in EQUATION.findall(row["rationale"]):
            assert {left, right} <= given | results
            used |= {left, right}
            results.add(result)
        assert given <= used


def test_arithmetic_has_problems_of_every_length():
    """One, two and three steps, each at least a quarter of the test rows."""
    lengths = Counter(row["num_steps"] for row in rows("arithmetic", "test"))
    assert lengths.keys() == {1, 2, 3}
    assert min(lengths.values()) >= 50


# dates


def day(text: str) -> date:
    return datetime.strptime(text, "%d %B %Y").date()  # noqa: DTZ007 - a calendar day has no time zone


def days(count: int) -> timedelta:
    return timedelta(days=count)


def month_later(start: date, count: int) -> date:
    """The same day of the month, found by walking through the months one by one."""
    current = start
    for _ in range(count):
        following = current + days(28)
        while following.day != start.day:
            following += days(1)
        current = following
    return current


def anniversary(question: str, first: date, count: int) -> date:
    today = date(first.year + count, first.month, first.day)
    return today + days(1) if "tomorrow" in question else today - days(1)


# What the answer is, from the question alone: its text, its first date, and its first number that is no date.
SOLVERS: dict[str, Callable[[str, date, int], object]] = {
    "after": lambda _, first, count: first + days(count),
    "anniversary": anniversary,
    "before": lambda _, first, count: first - days(count),
    "days_between": lambda question, first, _: f"{(day(DATE.findall(question)[1]) - first).days} days",
    "months": lambda _, first, count: month_later(first, count),
    "tomorrow_known": lambda _, first, __: first - days(2),
    "weekday": lambda _, first, count: WEEKDAYS[(first + days(count)).weekday()],
    "weeks": lambda _, first, count: first + days(7 * count),
}


def right_option(row: Row) -> Any:
    option = row["options"]["ABCD".index(row["answer"])]
    return day(option) if DATE.fullmatch(option) else option


def test_dates_are_right():
    """Worked out again from the words of the question, the right option is the one under the answer's letter."""
    for row in all_rows("dates"):
        first = day(DATE.findall(row["question"])[0])
        numbers = re.findall(r"\d+", DATE.sub("", row["question"]))
        assert SOLVERS[row["kind"]](row["question"], first, int(numbers[0]) if numbers else 0) == right_option(row)


def test_dates_have_four_options_and_the_chain_ends_in_the_right_one():
    """Two equal options would make two letters right; a chain must not argue for another option."""
    for row in all_rows("dates"):
        assert len(set(row["options"])) == 4
        option = row["options"]["ABCD".index(row["answer"])]
        assert re.search(rf"(?<!\d){re.escape(option.removesuffix(' days'))}\.|again\.$", row["rationale"])
        assert all(int(result) == worked_out(*parts) for *parts, result in EQUATION.findall(row["rationale"]))


def worked_out(left: str, sign: str, right: str) -> int:
    return {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}[sign]


def test_weekdays_in_dates_are_those_of_the_calendar():
    """A question that calls a Friday a Monday would teach nonsense."""
    asked = [row["question"] for row in all_rows("dates") if row["kind"] == "weekday"]
    assert asked
    for question in asked:
        assert f"is a {WEEKDAYS[day(DATE.findall(question)[0]).weekday()]}." in question


def test_dates_have_every_letter_and_every_kind_equally_often():
    """So that always saying A is right a quarter of the time, and no kind decides the score."""
    found = rows("dates", "test")
    assert Counter(row["answer"] for row in found) == dict.fromkeys("ABCD", 25)
    kinds = Counter(row["kind"] for row in found)
    assert kinds.keys() == SOLVERS.keys()
    assert max(kinds.values()) - min(kinds.values()) <= 1


# sentiment, support-chat, contacts


@pytest.mark.parametrize(("split", "count"), [("test", 15), ("train", 4)])
def test_sentiment_has_every_domain_with_every_label_equally_often(split, count):
    """So that the domain says nothing about the label."""
    pairs = Counter((row["domain"], row["label"]) for row in rows("sentiment", split))
    domains = ("film", "food", "product", "service")
    assert pairs == {(domain, label): count for domain in domains for label in ("negative", "positive")}


@pytest.mark.parametrize("take", [4, 8, 16, 32])
def test_the_first_sentiment_demonstrations_are_half_and_half(take):
    """`select: first` takes them, and an uneven choice would lean towards one label."""
    labels = Counter(row["label"] for row in rows("sentiment", "train")[:take])
    assert labels == {"positive": take // 2, "negative": take // 2}


@pytest.mark.parametrize(("split", "count"), [("test", 10), ("train", 2)])
def test_support_tickets_have_every_class_equally_often(split, count):
    """So that always saying the same is right a quarter of the time."""
    labels = Counter(row["label"] for row in rows("support-chat", split))
    assert labels == dict.fromkeys(("account", "billing", "other", "technical"), count)


def test_contacts_can_be_read_from_their_messages():
    """Name and place stand in the message as they are, the date by its day and its month."""
    for row in all_rows("contacts"):
        assert row["name"] in row["message"]
        assert row["place"] in row["message"]
        number, month = row["date"].split()
        assert re.search(rf"\b{number}(st|nd|rd|th)?\b", row["message"])
        assert month in row["message"]
        assert not set(";\n.") & set(row["name"] + row["date"] + row["place"])  # the pipeline's pattern ends at these


def test_contacts_are_different_people_in_different_places():
    """A name that comes twice could be copied from a demonstration."""
    found = all_rows("contacts")
    assert len({row["name"] for row in found}) == len({row["place"] for row in found}) == len(found)
