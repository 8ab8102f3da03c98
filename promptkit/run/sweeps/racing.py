"""A race: cells see the same examples round by round, and those that are clearly worse stop early."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from promptkit.errors import DataError, RunError
from promptkit.run.record import Record
from promptkit.run.sweeps.matrix import Race
from promptkit.run.sweeps.sweep import Sweep
from promptkit.score import clearly_worse
from promptkit.text import known_names

__all__ = ["Dropped", "check_race", "in_order", "run_race"]

Round = Callable[[Sequence[int], frozenset[str]], Sequence[Sequence[Record]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Why a cell stopped: the ids that it saw, the cell that was best then, and the corrected p-value against it."""

    seen: frozenset[str]
    best: int
    p_value: float


def run_race(sweep: Sweep, ids: Sequence[str], run_round: Round) -> dict[int, Dropped]:
    """The cells that stopped early, by number. `ids` are the examples in the order in which they come.

    `run_round` is given cells and ids, and gives each cell's records. The last round drops none: all is seen then.
    """
    race = sweep.race
    assert race is not None
    metric = race.metric or sweep.cells[0].pipeline.metrics[0].name
    rounds = [ids[start : start + race.every] for start in range(0, len(ids), race.every)]
    live = [cell.number for cell in sweep.cells]
    scores: dict[int, list[float]] = {number: [] for number in live}
    dropped: dict[int, Dropped] = {}
    seen: frozenset[str] = frozenset()
    for asked in rounds:
        for number, records in zip(live, run_round(live, frozenset(asked)), strict=True):
            scores[number] += example_scores(records, metric, asked)
        seen |= frozenset(asked)
        if len(seen) < len(ids):
            num_tests = (len(rounds) - 1) * (len(sweep.cells) - 1)
            out = drop(race, [scores[number] for number in live], num_tests)
            dropped |= {
                live[worse]: Dropped(seen=seen, best=live[best], p_value=p_value) for worse, best, p_value in out
            }
            live = [number for number in live if number not in dropped]
    return dropped


def drop(race: Race, scores: Sequence[Sequence[float]], num_tests: int) -> list[tuple[int, int, float]]:
    """The runs that a round drops, each with the best and the p-value; never more than leaves the share to keep."""
    share = Fraction(str(race.keep))  # as it is written: 0.07 * 100 is more than 7 in binary
    most = len(scores) - ceil(share * len(scores))
    worse = clearly_worse(scores, race.alpha, num_tests)
    return [(each.number, each.best, each.p_value) for each in worse[:most]]


def example_scores(records: Sequence[Record], metric: str, ids: Sequence[str]) -> list[float]:
    """Each example's score, the mean over its samples, in the order of `ids`. Raises `DataError` without a target."""
    by_id: dict[str, list[float]] = {each: [] for each in ids}
    for record in records:
        value = record.scores[metric]
        if value is None:
            raise DataError(f"{record.origin}: a race compares scores, and this example has no target")
        by_id[record.id].append(value)
    return [sum(values) / len(values) for values in by_id.values()]


def check_race(sweep: Sweep, ids: Mapping[int, Sequence[str]]) -> None:
    """Nothing; or `RunError` where cells cannot be compared: by other metrics, or over other examples."""
    assert sweep.race is not None
    first = sweep.cells[0]
    metric = sweep.race.metric or first.pipeline.metrics[0].name
    for cell in sweep.cells:
        known = [each.name for each in cell.pipeline.metrics]
        if metric not in known:
            hint = known_names(metric, known)
            raise RunError(f"{sweep.file}: race: cell {cell.number} has no metric {metric!r}\n    {hint}")
        if set(ids[cell.number]) != set(ids[first.number]):
            raise RunError(
                f"{sweep.file}: race: cells {first.number} and {cell.number} are asked about different examples, "
                "and cannot be compared example by example"
            )


def in_order(ids: Sequence[str], race: Race, seed: int) -> list[str]:
    """The ids in the order in which a race asks about them; the random one is the same on any machine."""
    if race.order == "data":
        return list(ids)
    return sorted(ids, key=lambda each: hashlib.sha256(f"{seed}\0race\0{each}".encode()).digest())
