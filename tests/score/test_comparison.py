"""Paired comparison: the interval against published ones, the test against its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.score import compare_scores, holm


def paired(both, first, second, neither):
    """Scores of two runs, by how many examples both have right, one of them alone, or neither."""
    one = [1.0] * (both + first) + [0.0] * (second + neither)
    other = [1.0] * both + [0.0] * first + [1.0] * second + [0.0] * neither
    return one, other


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [((36, 2, 12, 0), 0.0569, 0.3404), ((20, 2, 12, 16), 0.0562, 0.3292)],
)
def test_the_interval_is_newcombes(table, low, high):
    """Published values, to their four decimals: 12 examples won, 2 lost, of 50."""
    found = compare_scores(*paired(*table))
    assert found.difference == pytest.approx(0.2)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
    assert (found.num, found.num_better, found.num_worse, found.num_same) == (50, 12, 2, 36)


def test_the_test_is_exact_and_two_sided():
    """2 of 14 or fewer, or as many the other way: 2 * (1 + 14 + 91) / 2^14."""
    assert compare_scores(*paired(36, 2, 12, 0)).p_value == 2 * 106 / 2**14
    assert compare_scores(*paired(5, 0, 0, 5)).p_value == 1
    assert compare_scores(*paired(0, 1, 1, 0)).p_value == 1


def test_what_is_paired_tells_more_than_what_is_not():
    """lm-eval PR#3868: p 0.080 unpaired, 0.008 paired. Runs that agree on most rows lie surely apart by the few others."""
    found = compare_scores(*paired(500, 2, 14, 484))
    assert found.low is not None
    assert found.p_value is not None
    assert found.low > 0
    assert found.p_value < 0.01


def test_two_equal_runs_are_not_surely_equal():
    """Of a few examples on which they agree, the interval keeps a width."""
    found = compare_scores(*paired(10, 0, 0, 10))
    assert (found.difference, found.num_better, found.num_worse) == (0, 0, 0)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_over_nothing_nothing_is_said():
    """No example has a target in both."""
    found = compare_scores([], [])
    assert (found.num, found.difference, found.low, found.high, found.p_value) == (0, None, None, None, None)


@given(st.lists(st.tuples(st.sampled_from([0, 0.25, 0.5, 1]), st.sampled_from([0, 0.5, 1])), min_size=1, max_size=60))
def test_the_interval_holds_the_difference_and_turns_with_the_runs(pairs):
    """Whatever the scores, also between 0 and 1."""
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    found, turned = compare_scores(one, other), compare_scores(other, one)
    low, middle, high = (each or 0.0 for each in (found.low, found.difference, found.high))
    assert -1 - 1e-9 <= low <= middle <= high <= 1 + 1e-9
    assert turned.low == pytest.approx(-high)
    assert turned.high == pytest.approx(-low)
    assert turned.p_value == found.p_value


def test_several_tests_at_once_are_paid_for():
    """Holm's steps: the least p three times, the next twice, and never less than one before it."""
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
