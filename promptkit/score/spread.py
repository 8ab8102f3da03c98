"""How far scores lie apart over variants of a prompt: the mean over them, its deviation and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, fsum, pi, sqrt
from statistics import stdev

from promptkit.score.interval import CONFIDENCE

__all__ = ["Spread", "spread", "student_quantile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The mean of `num` variants' scores, their standard deviation (n - 1), and the mean's 95 % interval over variants.

    The last three are None for a single one: it says nothing of how others would do.
    """

    num: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one score in [0, 1]. The interval is Student's, cut off at 0 and 1."""
    num, mean = len(values), fsum(values) / len(values)
    if num == 1:
        return Spread(num=1, mean=mean, deviation=None, low=None, high=None)
    deviation = stdev(values)
    half = student_quantile(num - 1) * deviation / sqrt(num)
    return Spread(num=num, mean=mean, deviation=deviation, low=max(0.0, mean - half), high=min(1.0, mean + half))


def student_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors a two-sided interval of Student's t reaches to either side.

    >>> round(student_quantile(1), 3), round(student_quantile(2), 3), round(student_quantile(30), 3)
    (12.706, 4.303, 2.042)
    """
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if student_within(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def student_within(t: float, freedom: int) -> float:
    """The chance that Student's t with so many degrees of freedom lies within -t and t.

    Abramowitz and Stegun 1964, 26.7.3 and 26.7.4: a finite sum for whole degrees of freedom.
    """
    angle = atan(t / sqrt(freedom))
    sine, cosine = t / sqrt(freedom + t * t), sqrt(freedom / (freedom + t * t))
    term, total = 1.0 if freedom % 2 == 0 else cosine, 0.0
    for k in range(freedom % 2 + 1, freedom, 2):  # cos^1 .. or cos^0 .., each with its quotient of odd and even numbers
        total += term
        term *= cosine * cosine * k / (k + 1)
    if freedom % 2 == 0:
        return sine * total
    return 2 / pi * (angle + sine * total)
