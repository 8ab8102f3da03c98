"""How far scores lie apart over variants."""

from statistics import stdev

import pytest
from scipy.stats import t

from promptkit.score.spread import spread, student_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 29, 200])
def test_the_quantile_is_students(freedom):
    """Odd and even numbers have sums of their own."""
    assert student_quantile(freedom) == pytest.approx(t.ppf(0.975, freedom))


def test_the_interval_is_students_around_the_mean():
    """As a table of three seeds would have it."""
    values = [0.5, 0.6, 0.7]
    found, half = spread(values), t.ppf(0.975, 2) * stdev(values) / 3**0.5
    said = [found.num, found.mean, found.deviation, found.low, found.high]
    assert said == pytest.approx([3, 0.6, 0.1, 0.6 - half, 0.6 + half])


def test_it_stays_inside_0_and_1():
    """Two seeds far apart know next to nothing."""
    found = spread([0.1, 0.9])
    assert (found.low, found.high) == (0.0, 1.0)


def test_one_says_nothing_of_others():
    """No deviation, no interval."""
    found = spread([0.4])
    assert (found.mean, found.deviation, found.low, found.high) == (0.4, None, None, None)
