"""The chain: values with spans, one status for every way to fail, and no completion that breaks it."""

from typing import ClassVar

import pytest

from promptkit.align import STATUSES, AlignStep, Answer, Chain, Found, Missing, NoAnswer, Number, Strip
from promptkit.errors import TemplateError
from promptkit.text import Span


class Raises(AlignStep):
    """A plug-in that breaks its word."""

    kind: ClassVar[str] = "raises"

    def __call__(self, found: Found) -> Found | Missing:
        raise ZeroDivisionError("oh")


class Gives(AlignStep):
    """A plug-in that gives what it was made with."""

    kind: ClassVar[str] = "gives"
    value: object = None

    def __call__(self, found: Found) -> Found | Missing:
        return found.become(self.value)


def test_an_answer_has_its_value_its_span_and_its_step(read_with):
    """The ledger of extraction: what, where, by whom."""
    outcome = read_with("align:\n  - regex: 'answer is (.*)'\n  - number", "2 + 2. The answer is $4.00.")
    assert (outcome.value, outcome.span, outcome.step) == (4, Span(start=21, end=26), "align[1].number")


def test_no_steps_answer_with_the_whole_text():
    """A free-text task needs no alignment, and nothing may be stripped unasked."""
    assert Chain().align(" a\n", fields={}, ended="stop") == Answer(
        value=" a\n", span=Span(start=0, end=3), step="align"
    )


@pytest.mark.parametrize(
    ("completion", "ended", "status"),
    [
        ("The answer is 4.", "eos", "answered"),
        ("The answer is 4.", "length", "answered"),
        ("I am not sure.", "eos", "unparsed"),
        ("I am not sure.", "stop", "unparsed"),
        ("I am not sure.", "scored", "unparsed"),
        ("Let me think about", "length", "truncated"),
        ("", "eos", "empty"),
        (" \n\t", "length", "empty"),
        ("4 or 5", "eos", "ambiguous"),
        ("4 or 5 or", "length", "ambiguous"),
    ],
)
def test_every_way_to_end_has_its_status(read_with, completion, ended, status):
    """lm-evaluation-harness counts all of these but the first two as wrong answers, and nobody sees how many."""
    outcome = read_with("align: [{number: only}]", completion, ended=ended)
    assert outcome.status == status
    assert status in STATUSES


def test_a_no_answer_says_where_the_chain_stopped_and_why(read_with):
    """A rate of failures is of use only with their reasons."""
    outcome = read_with("align:\n  - strip\n  - regex: 'answer is (.*)'\n  - number", "none")
    assert outcome == NoAnswer(status="unparsed", step="align[1].regex", reason="no match")


@pytest.mark.parametrize("value", ["", " \n", None])
def test_a_value_of_nothing_is_no_answer(value):
    """An empty text would be graded, and in a vote it would count."""
    outcome = Chain((Gives(value=value),)).align("text", fields={}, ended="eos")
    assert outcome == NoAnswer(status="unparsed", step="align[0].gives", reason="the value is empty")


def test_no_steps_find_nothing_in_an_empty_completion():
    """A model that said nothing did not answer, whatever the chain."""
    outcome = Chain().align("\n", fields={}, ended="stop")
    assert outcome == NoAnswer(status="empty", step="align", reason="the completion is empty")


def test_a_step_that_raises_is_a_no_answer_and_not_a_crash():
    """One odd completion in ten thousand must not end a run of hours."""
    outcome = Chain((Strip(), Raises())).align("text", fields={}, ended="eos")
    assert outcome == NoAnswer(
        status="unparsed", step="align[1].raises", reason="the step raised ZeroDivisionError: oh"
    )


def test_what_a_person_must_mend_is_raised(read_with):
    """A misspelt field would otherwise look like a model that never answers."""
    with pytest.raises(TemplateError):
        read_with("align: [{choice: '{{ optoins }}'}]", "A", options=["x", "y"])


def test_a_chain_is_a_step():
    """`first` and every later composite are made of that."""
    found = Found(value=" 7 ", span=Span(start=10, end=13), is_verbatim=True)
    result = Chain((Strip(), Number()))(found)
    assert isinstance(result, Found)
    assert (result.value, result.span, result.step) == (7, Span(start=11, end=12), "[1].number")


def test_the_target_goes_through_every_step(declare):
    """Answer and target are compared as values of one kind: '$1,234.00' is 1234."""
    chain = declare("align:\n  - regex: 'is (.*)'\n  - strip\n  - number")
    assert chain.align_target(" $1,234.00 ", {}) == 1234
    assert chain.align_target(None, {}) is None


def test_a_target_that_no_completion_could_give_is_refused(declare):
    """Such a row is wrong for ever, and it is the file or the data that must change."""
    with pytest.raises(ValueError, match=r"^'yes' is not a number$"):
        declare("align: [number]").align_target("yes", {})


def test_chains_are_equal_by_their_steps(declare):
    """A frozen value: what was compiled or looked up on the way is no part of it."""
    text = "align: [{regex: 'a'}, {choice: null}]"
    one, other = declare(text), declare(text)
    one.align("a", fields={"options": ["x"]}, ended="eos")
    assert one == other
    assert one.step_names() == ("align[0].regex", "align[1].choice")
