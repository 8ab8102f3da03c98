"""Confidence intervals for a mean of scores in [0, 1].

A proportion gets the score interval of Wilson (1927, "Probable inference, the law of succession, and statistical
inference", JASA 22). The mean of scores between 0 and 1 gets the same interval for the number of right-or-wrong
examples that would vary as much: the sample size over the design effect, as surveys do it (Kott and Carr 1997,
"Developing an estimation strategy for a pesticide data program", Journal of Official Statistics 13; Franco et al.
2019, "Comparative study of confidence intervals for proportions in complex sample surveys", Journal of Survey
Statistics and Methodology 7). It never leaves [0, 1], never has length 0, needs no random numbers, and is Wilson's
own where every score is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import NormalDist

__all__ = ["Interval", "mean_interval", "wilson"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Two ends, `low <= high`."""

    low: float
    high: float


def wilson(num_right: int, num: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval for a proportion of `num` independent examples, inside [0, 1]. `num` is at least 1.

    >>> round(wilson(0, 10).high, 4)
    0.2775
    """
    assert 0 <= num_right <= num, "there are no more right examples than examples"
    return around(num_right / num, num, confidence)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The interval for the mean of independent scores in [0, 1], of which there is at least one.

    The design effect is the scores' variance over p(1 - p), the largest that scores of mean p can have (Bhatia and
    Davis 2000, "A better bound on the variance", American Mathematical Monthly 107). One score of that largest
    variance is counted in: a few equal scores are no proof that all are.
    """
    num, mean = len(values), fsum(values) / len(values)
    largest = mean * (1 - mean)
    if largest <= 0:
        return around(round(mean), num, confidence)
    design_effect = (fsum((value - mean) ** 2 for value in values) / largest + 1) / (num + 1)
    return around(mean, num / design_effect, confidence)


def around(mean: float, num: float, confidence: float) -> Interval:
    """Wilson's interval around a mean of `num` right-or-wrong examples; `num` need not be whole."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    scale = 1 + z * z / num
    middle = (mean + z * z / (2 * num)) / scale
    half = z / scale * sqrt(mean * (1 - mean) / num + z * z / (4 * num * num))
    low = 0.0 if mean == 0 else min(max(0.0, middle - half), mean)  # rounding must not shut out the mean
    high = 1.0 if mean == 1 else max(min(1.0, middle + half), mean)
    return Interval(low=low, high=high)
