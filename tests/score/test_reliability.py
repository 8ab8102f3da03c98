"""The expected calibration error, worked by hand."""

import pytest

from promptkit.score import calibration_error


def test_bins_of_equal_width():
    """Two bins. (0.4, right) and (0.5, wrong): |0.9 - 1| = 0.1. (0.8, right), (0.9, wrong), (1.0, right): |2.7 - 2| = 0.7.

    The sum over five answers: 0.16; a confidence on the border is of the lower bin.
    """
    assert calibration_error([0.4, 0.5, 0.8, 0.9, 1.0], [1, 0, 1, 0, 1], 2) == pytest.approx(0.8 / 5)


def test_bins_of_equally_many():
    """Two bins of 2 and 3 in the order of confidence, whatever the width: |0.7 - 1|, and |2.7 - 2|."""
    assert calibration_error([1.0, 0.9, 0.8, 0.4, 0.3], [1, 0, 1, 0, 1], 2, "mass") == pytest.approx((0.3 + 0.7) / 5)


def test_the_usual_number_of_bins_is_15():
    """0.06 and 0.07 lie in the bins (0, 1/15] and (1/15, 2/15]."""
    assert calibration_error([0.06, 0.07], [1, 0]) == pytest.approx((0.94 + 0.07) / 2)


def test_nothing_has_no_error():
    """And a certain right answer none either."""
    assert calibration_error([], []) is None
    assert calibration_error([1.0, 0.0], [1, 0]) == 0
    assert calibration_error([1.0], [1], 15, "mass") == 0
