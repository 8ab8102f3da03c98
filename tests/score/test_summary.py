"""What a table shows."""

from __future__ import annotations

import pytest

from promptkit.score import Score, count_statuses, summarize, wilson

STATUSES = ("answered", "unparsed", "truncated", "ambiguous", "empty")


def test_a_score_is_the_mean_with_its_interval():
    score, interval = summarize("exact_match", [1, 0, 1, 1]), wilson(3, 4)
    assert (score.metric, score.value, score.num) == ("exact_match", 0.75, 4)
    assert (score.low, score.high) == pytest.approx((interval.low, interval.high))
    assert str(score) == "exact_match 0.750 [0.301, 0.954] over 4"


def test_rows_without_a_target_are_left_out():
    """They can be neither right nor wrong."""
    assert summarize("exact_match", [1, None, 0]) == summarize("exact_match", [1, 0])


@pytest.mark.parametrize("values", [[], [None, None]])
def test_over_nothing_there_is_no_score(values):
    """0 would say that all is wrong."""
    score = summarize("exact_match", values)
    assert score == Score(metric="exact_match", value=None, low=None, high=None, num=0)
    assert str(score) == "exact_match n/a"


def test_every_status_is_counted_those_that_never_came_up_too():
    """A column that comes and goes cannot be compared across runs."""
    counts = count_statuses(["empty", "answered", "answered"], STATUSES)
    assert list(counts.items()) == [
        ("answered", 2),
        ("unparsed", 0),
        ("truncated", 0),
        ("ambiguous", 0),
        ("empty", 1),
    ]
