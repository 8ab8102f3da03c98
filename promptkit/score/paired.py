"""Paired comparison of runs over the same examples: which are clearly worse than the best.

McNemar (1947, "Note on the sampling error of the difference between correlated proportions or percentages",
Psychometrika 12) compares two runs over the examples on which they differ; the test here is its exact form, on one side:
the binomial test, which is the sign test for scores that are not only 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Worse", "clearly_worse", "sign_test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worse:
    """A run that is clearly worse than the best: its number, the best's, and the corrected p-value."""

    number: int
    best: int
    p_value: float


def sign_test(num_better: int, num_worse: int) -> float:
    """The chance of no more than so many examples being better, if better and worse were as likely. Ties do not count.

    >>> sign_test(0, 5), sign_test(1, 1)
    (0.03125, 0.75)
    """
    num = num_better + num_worse
    term = tail = 1
    for k in range(num_better):  # the binomial coefficients, one after another
        term = term * (num - k) // (k + 1)
        tail += term
    return tail / (1 << num)


def clearly_worse(scores: Sequence[Sequence[float]], alpha: float, num_tests: int) -> list[Worse]:
    """The runs that are clearly worse than the best, the clearest first; one list of scores a run, example by example.

    The best is the best by these same scores, and so lucky: a run that is as good as any is compared with the luckiest of
    its rivals. So p-values are multiplied by `num_tests`, which must count all of the rivals that there are, and all
    times at which they are looked at (Bonferroni). Then a run that is as good as any is found worse, at any of these
    times, with a chance of at most `alpha`.
    """
    means = [sum(each) / len(each) for each in scores]
    best = max(range(len(scores)), key=lambda number: (means[number], -number))
    p_values = {number: min(1.0, num_tests * compared(each, scores[best])) for number, each in enumerate(scores)}
    worse = [number for number in p_values if number != best and p_values[number] <= alpha]
    worse.sort(key=lambda number: (p_values[number], means[number]))
    return [Worse(number=number, best=best, p_value=p_values[number]) for number in worse]


def compared(scores: Sequence[float], with_scores: Sequence[float]) -> float:
    """The sign test of a run against another."""
    pairs = list(zip(scores, with_scores, strict=True))
    return sign_test(sum(a > b for a, b in pairs), sum(a < b for a, b in pairs))
