"""How far scores move where nothing but the prompt varies, apart from how far they might by chance of the examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from promptkit.run.deciding import decisions
from promptkit.run.record import Record
from promptkit.run.summary import interval_json, metric_score
from promptkit.run.sweeps.matrix import same_key
from promptkit.run.sweeps.sweep import Cell
from promptkit.score import spread
from promptkit.spec import parts_of

__all__ = ["is_seed", "over_seeds", "variation"]


class Varied(Protocol):
    """A cell with its records and scores."""

    @property
    def cell(self) -> Cell:
        """The cell."""

    @property
    def records(self) -> Sequence[Record]:
        """Its records."""

    @property
    def scores(self) -> Mapping[str, Any]:
        """Its scores."""


def variation(runs: Sequence[Varied]) -> dict[str, Any]:
    """Each metric over cells: `value`, `deviation` and the interval over cells (`low`, `high`); `num` cells.

    Under `over_examples` is the interval of the same mean over examples: each counts with its mean over the cells.
    """
    metrics = dict.fromkeys(metric for run in runs for metric in run.scores)
    return {metric: of_metric(metric, [run for run in runs if metric in run.scores]) for metric in metrics}


def of_metric(metric: str, runs: Sequence[Varied]) -> dict[str, Any]:
    """The same for one metric that all of the cells have."""
    values = [run.scores[metric]["value"] for run in runs if run.scores[metric]["value"] is not None]
    examples = interval_json(metric_score(metric, [record for run in runs for record in judged(run)]))
    if not values:
        return {"num": 0, "value": None, "deviation": None, "low": None, "high": None, "over_examples": examples}
    found = asdict(spread(values))
    return {"num": found["num"], "value": found.pop("mean"), **found, "over_examples": examples}


def judged(run: Varied) -> Sequence[Record]:
    """What a cell's scores are over: its records, or what was decided over them."""
    return run.records if run.cell.pipeline.deciding is None else decisions(run.records)


def over_seeds(paths: Sequence[str], runs: Sequence[Varied], dropped: Sequence[Varied] = ()) -> list[dict[str, Any]]:
    """The cells that differ in nothing but a seed, put together; empty where no path of the matrix is a seed.

    `num_dropped` says of each how many more a race dropped: the mean over those that are left is then too high.
    Where the seed changes nothing (`is_one_draw`), one draw was made, and there is no interval over draws.
    """
    if not any(map(is_seed, paths)):
        return []
    groups: dict[str, list[Varied]] = {}
    for run in runs:
        groups.setdefault(same_key(without_seeds(run.cell.settings)), []).append(run)
    return [
        {
            "settings": without_seeds(group[0].cell.settings),
            "cells": [run.cell.number for run in group],
            "num_dropped": sum(same_key(without_seeds(run.cell.settings)) == key for run in dropped),
            "is_one_draw": is_one_draw(group),
            "scores": of_one_draw(variation(group)) if is_one_draw(group) else variation(group),
        }
        for key, group in groups.items()
    ]


def is_one_draw(runs: Sequence[Varied]) -> bool:
    """Whether several cells asked and were told the very same: their seeds are of no use to what they declare."""
    said = [[(each.prompt, each.completion.text) for each in run.records] for run in runs]
    return len(said) > 1 and all(each == said[0] for each in said)


def of_one_draw(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The scores without what would be said over draws: a width of 0 is none that was measured."""
    return {name: {**score, "deviation": None, "low": None, "high": None} for name, score in scores.items()}


def is_seed(path: str) -> bool:
    """Whether a path leads to a seed.

    >>> is_seed("prompt.demonstrations.seed"), is_seed("prompt.demonstrations.take")
    (True, False)
    """
    return parts_of(path)[-1] == "seed"


def without_seeds(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings without those of seeds."""
    return {path: value for path, value in settings.items() if not is_seed(path)}
