"""`strip` and `lower`."""

import pytest

from promptkit.align import Answer, Lower, Strip
from promptkit.text import Span


@pytest.mark.parametrize(
    ("chain", "completion", "value", "start"),
    [
        ("[strip]", " a b\n", "a b", 1),
        ("[{strip: '.*'}]", "**a.** ", "a.** ", 2),
        ("[strip, {strip: '.*'}]", " **a.** ", "a", 3),
        ("[{strip: {chars: '\"'}}]", '"x"', "x", 1),
    ],
)
def test_strip_takes_off_both_ends_and_keeps_count(read_with, chain, completion, value, start):
    """The span points into the completion, whatever was taken off."""
    outcome = read_with(f"align: {chain}", completion)
    assert (outcome.value, outcome.span) == (value, Span(start=start, end=start + len(value)))


def test_lower_makes_small_letters(read_with):
    """Labels of classes come in every case."""
    assert read_with("align: [lower]", "YES") == Answer(value="yes", span=Span(start=0, end=3), step="align[0].lower")


def test_spans_stay_inside_where_lowering_changes_the_length(read_with):
    """The capital I with a dot becomes two characters: positions in the changed text are not the completion's."""
    outcome = read_with("align: [lower, {regex: 'x+'}]", "\u0130\u0130xx")
    assert outcome == Answer(value="xx", span=Span(start=0, end=4), step="align[1].regex")
    untouched = read_with("align: [lower, {regex: 'x+'}]", "abxx")
    assert untouched.span == Span(start=2, end=4)


def test_targets_are_treated_as_answers_are():
    """Else 'Yes' in the data could never be met."""
    assert Lower().align_target("Yes", {}) == "yes"
    assert Lower().align_target(["A", 1], {}) == ["a", 1]
    assert Strip().align_target(" a ", {}) == "a"
    assert Strip().align_target(3, {}) == 3
