"""What a table shows of many scores: the mean with its interval, and how often each status came up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from promptkit.score.interval import mean_interval

__all__ = ["Score", "count_statuses", "status_rates", "summarize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A metric's mean over `num` examples with its 95 % interval; all three None over no examples."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    num: int

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.metric} n/a"
        return f"{self.metric} {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] over {self.num}"


def summarize(metric: str, values: Iterable[float | None]) -> Score:
    """The mean of the values, each in [0, 1] and of one independent example; None, no target, is left out.

    >>> print(summarize("exact_match", [1, 0, 1, None]))
    exact_match 0.667 [0.208, 0.939] over 3
    """
    known = [float(value) for value in values if value is not None]
    assert all(0 <= value <= 1 for value in known), "a score is in [0, 1]"
    if not known:
        return Score(metric=metric, value=None, low=None, high=None, num=0)
    interval = mean_interval(known)
    return Score(metric=metric, value=fsum(known) / len(known), low=interval.low, high=interval.high, num=len(known))


def count_statuses(statuses: Iterable[str], order: Sequence[str]) -> dict[str, int]:
    """How often each status of `order` came up, in that order, those that never did included.

    >>> count_statuses(["answered", "empty", "answered"], ["answered", "unparsed", "empty"])
    {'answered': 2, 'unparsed': 0, 'empty': 1}
    """
    counts = Counter(statuses)
    assert counts.keys() <= set(order), "the set of statuses is closed"
    return {status: counts[status] for status in order}


def status_rates(counts: Mapping[str, int]) -> dict[str, float | None]:
    """Each status as a share of all, in [0, 1]; None where there is nothing to have a share of.

    >>> status_rates({'answered': 3, 'empty': 1})
    {'answered': 0.75, 'empty': 0.25}
    """
    total = sum(counts.values())
    return {status: count / total if total else None for status, count in counts.items()}
