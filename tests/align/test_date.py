"""`date`: the ways in which a day is written, those that are ambiguous, and what is no day."""

import datetime as dt

import pytest

from promptkit.align import Answer, Chain, Date, NoAnswer
from promptkit.errors import DeclarationError


def run(completion, **fields):
    return Chain((Date(**fields),)).align(completion, ended="eos")


MAY_24 = [
    "2021-05-24",
    "2021-5-24",
    "2021/05/24",
    "05/24/2021",
    "5 / 24 / 2021",
    "24/05/2021",
    "24.05.2021",
    "24-05-2021",
    "24-May-2021",
    "May 24, 2021",
    "may 24, 2021",
    "MAY 24, 2021",
    "May 24,2021",
    "May 24 2021",
    "May 24th, 2021",
    "May the 24th, 2021",
    "24 May 2021",
    "24. May 2021",
    "24th May 2021",
    "24th of May, 2021",
    "24th day of May, 2021",
    "2021 May 24",
    "May~24,~2021",
    "May 24$^{th}$, 2021",
]


@pytest.mark.parametrize("written", MAY_24)
@pytest.mark.parametrize(
    "around", ["{}", "It was {}.", "**{}**", r"\text{{{}}}", "Monday, {} at 5 pm", "({})", "Date:{}"]
)
def test_a_day_is_read_as_people_write_it(written, around):
    """The span is the date alone: no weekday, no time."""
    completion = around.format(written)
    outcome = run(completion)
    assert isinstance(outcome, Answer), outcome
    assert (outcome.value, completion[outcome.span.start : outcome.span.end]) == ("2021-05-24", written)


@pytest.mark.parametrize("completion", ["2021-05-24T10:00:00Z", "2021-05-24 10:00", "Sept. 24, 2021 - 10:00"])
def test_a_time_after_a_day_is_left(completion):
    """It is no part of the answer."""
    assert run(completion).value[:4] == "2021"


NO_DATES = [
    "",
    "no date",
    "May 2021",
    "you may 5 people",
    "10.0.0.1",
    "3.11.2",
    "1/2/3",
    "20210524",
    "555-12-3456",
    "3/4",
]
NO_DATES += ["Decem 5, 2020", "Marchy 5, 2020", "2021", "12:30", "x2021-05-24"]


@pytest.mark.parametrize("completion", NO_DATES)
def test_what_is_no_date_is_not_read(completion):
    """A library that guesses reads a day out of every one of these."""
    outcome = run(completion)
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason in ("no date", "the completion is empty")


REFUSED = [
    ("02/30/2021", "unparsed", "'02/30/2021' is in no calendar"),
    ("Feb 29, 2021", "unparsed", "'Feb 29, 2021' is in no calendar"),
    ("13/45/2021", "unparsed", "'13/45/2021' is in no calendar"),
    ("0000-01-01", "unparsed", "'0000-01-01' is in no calendar"),
    ("May 24", "unparsed", "'May 24' has no year"),
    ("05/24/21", "unparsed", "'05/24/21' has a year of two digits"),
    ("May 24-26, 2021", "unparsed", "'May 24-26' is a range of days"),
    ("05/06/2021", "ambiguous", "'05/06/2021' may be read in several ways; `order` says which"),
]


@pytest.mark.parametrize("after", ["", ", or 2021-05-24"])
@pytest.mark.parametrize(("completion", "status", "reason"), REFUSED)
def test_what_cannot_be_read_for_certain_is_not_read_nor_passed_over(completion, status, reason, after):
    """The next best date is not the answer."""
    assert run(completion + after) == NoAnswer(status=status, step="align[0].date", reason=reason)


def test_order_decides_only_what_is_ambiguous():
    """24/05/2021 is in May, whatever was asked for."""
    assert run("05/06/2021", order="mdy").value == "2021-05-06"
    assert run("05/06/2021", order="dmy").value == "2021-06-05"
    assert run("24/05/2021", order="mdy").value == "2021-05-24"
    assert run("05/05/2021").value == "2021-05-05"


def test_years_that_are_not_written_in_full_are_read_where_the_file_says_how():
    """A century is not guessed."""
    assert run("May 24", default_year=2020).value == "2020-05-24"
    assert run("05/24/21", pivot=50).value == "2021-05-24"
    assert run("05/24/70", pivot=50).value == "1970-05-24"
    assert run("21-05-04", pivot=50, order="ymd").value == "2021-05-04"


@pytest.mark.parametrize(
    ("take", "value"),
    [("first", "2021-05-24"), ("last", "2021-05-25"), ("only", None), ("all", ["2021-05-24", "2021-05-25"])],
)
def test_take_says_which_date(take, value):
    """As for numbers."""
    outcome = run("May 24, 2021, then 5/25/2021", take=take)
    assert (outcome.value if isinstance(outcome, Answer) else None) == value
    assert run("May 24, 2021 (2021-05-24)", take="only").value == "2021-05-24"


def test_the_answer_has_the_format_that_is_declared():
    """And a target is brought to it, from that format or any other."""
    step = Date(format="%m/%d/%Y")
    assert run("May 6, 2021", format="%m/%d/%Y").value == "05/06/2021"
    for target in ("05/06/2021", "May 6, 2021", "Thursday, May 6, 2021", "2021-05-06", dt.date(2021, 5, 6)):
        assert step.align_target(target, {}) == "05/06/2021"


@pytest.mark.parametrize("target", ["05/06/2021", "on 2021-05-06", "x", 5, None, "2021-02-30"])
def test_a_target_that_is_no_day_is_refused(target):
    """Every answer would be wrong against it."""
    with pytest.raises(ValueError, match="is not a date"):
        Date().read_target(target, {})


@pytest.mark.parametrize("text", ["{format: day}", "{format: ''}", "{pivot: 100}", "{default_year: 0}", "{order: ydm}"])
def test_a_declaration_that_cannot_work_is_refused(declare, text):
    """Before any model is loaded."""
    with pytest.raises(DeclarationError):
        declare(f"align: [{{date: {text}}}]")
