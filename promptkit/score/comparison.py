"""Two runs over the same examples: how far their scores lie apart, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from promptkit.score.interval import mean_interval
from promptkit.score.paired import sign_test

__all__ = ["Comparison", "compare_scores", "holm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The mean difference of `num` examples' scores, its 95 % interval, and how many are better, worse and the same.

    `p_value` is two-sided. Over no examples `difference`, `low`, `high` and `p_value` are None.
    """

    num: int
    difference: float | None
    low: float | None
    high: float | None
    num_better: int
    num_worse: int
    p_value: float | None

    @property
    def num_same(self) -> int:
        """How many examples have the same score in both."""
        return self.num - self.num_better - self.num_worse


def compare_scores(scores: Sequence[float], with_scores: Sequence[float]) -> Comparison:
    """How the second scores, in [0, 1] and example by example, compare with the first.

    The test is McNemar's in its exact form, the sign test for scores between. The interval is Newcombe's for paired
    proportions (1998, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17, method 10), made of each run's own interval and of how the two vary together.
    """
    num = len(scores)
    if not num:
        return Comparison(num=0, difference=None, low=None, high=None, num_better=0, num_worse=0, p_value=None)
    pairs = list(zip(scores, with_scores, strict=True))
    better, worse = sum(a < b for a, b in pairs), sum(a > b for a, b in pairs)
    mean, other = fsum(scores) / num, fsum(with_scores) / num
    ends, other_ends = mean_interval(scores), mean_interval(with_scores)
    together = correlation(pairs, mean, other)
    below = apart(other - other_ends.low, ends.high - mean, together)
    above = apart(other_ends.high - other, mean - ends.low, together)
    return Comparison(
        num=num,
        difference=other - mean,
        low=other - mean - below,
        high=other - mean + above,
        num_better=better,
        num_worse=worse,
        p_value=min(1.0, 2 * sign_test(min(better, worse), max(better, worse))),
    )


def correlation(pairs: Sequence[tuple[float, float]], mean: float, other: float) -> float:
    """How scores of these means vary together, in [-1, 1]; 0 where one does not vary.

    With Newcombe's correction: half an example is taken off what they have in common.
    """
    spreads = fsum((a - mean) ** 2 for a, _ in pairs) * fsum((b - other) ** 2 for _, b in pairs)
    if spreads <= 0:
        return 0.0
    shared = fsum((a - mean) * (b - other) for a, b in pairs)
    return (max(0.0, shared - 0.5) if shared > 0 else shared) / sqrt(spreads)


def apart(one: float, other: float, together: float) -> float:
    """How far the end of a difference's interval lies from it, by how far those of its parts lie from them."""
    return sqrt(max(0.0, one * one + other * other - 2 * together * one * other))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values for several tests at once (Holm 1979, "A simple sequentially rejective multiple test procedure").

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted
