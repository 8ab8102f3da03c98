"""A sweep as points of a picture: the mean over cells at each value of x, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from promptkit.errors import RunError
from promptkit.report.settings import short_names, value_labels
from promptkit.score import mean_interval, spread
from promptkit.text import known_names

__all__ = ["Axes", "Bars", "Point", "Points", "sweep_points"]

Bars = Literal["cells", "sd", "examples"]
BARS_IN_WORDS = {
    "cells": "bars: 95 % interval over cells",
    "sd": "bars: one standard deviation over cells",
    "examples": "bars: 95 % interval over examples",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What is drawn: the path along x, the metric (the first if None), the path of the colours, and what bars show."""

    x: str
    y: str | None = None
    color: str | None = None
    bars: Bars = "cells"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The mean score of `num` cells that have the same x and colour, all in per cent; the ends of the bar, if any."""

    x: float | str
    color: str
    value: float
    low: float | None
    high: float | None
    num: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What is drawn: points, their axes' names, and in words what they and their bars are."""

    points: tuple[Point, ...]
    title: str
    x: str
    y: str
    color: str | None
    caption: str


def sweep_points(summary: Mapping[str, Any], samples: Sequence[Mapping[str, Any]], axes: Axes) -> Points:
    """The points of a sweep; cells that a race dropped are left out. `samples` are its rows, for intervals over examples.

    Raises `RunError` for a path that the matrix does not have or that is named twice, or a metric that no cell has.
    """
    x_path = path_of(summary, axes.x, "--x")
    color_path = path_of(summary, axes.color, "--color") if axes.color else None
    if color_path == x_path:
        raise RunError(f"--color: {axes.color!r} runs along x already\n    {known_names('', summary['paths'])}")
    cells = [cell for cell in summary["cells"] if "dropped_after" not in cell]
    metric = metric_of(summary, axes.y)
    cells = [cell for cell in cells if cell["scores"].get(metric, {}).get("value") is not None]
    if not cells:
        raise RunError(f"no cell has a score of {metric!r}: there is nothing to draw")
    groups: dict[tuple[float | str, str], list[Mapping[str, Any]]] = {}
    xs = x_values([cell["settings"][x_path] for cell in cells])
    colors = value_labels([cell["settings"][color_path] for cell in cells]) if color_path else [""] * len(cells)
    for cell, place, name in zip(cells, xs, colors, strict=True):
        groups.setdefault((place, name), []).append(cell)
    names = short_names(summary["paths"])
    return Points(
        points=tuple(point_of(place, group, metric, samples, axes.bars) for place, group in groups.items()),
        title=f"{summary['pipeline']} on {summary['model']}",
        x=names[x_path],
        y=f"{metric}, %",
        color=names[color_path] if color_path else None,
        caption=caption_of(
            summary, [names[p] for p in summary["paths"] if p not in (x_path, color_path)], groups, axes.bars
        ),
    )


def path_of(summary: Mapping[str, Any], name: str, option: str) -> str:
    """The path that is meant: whole, or by its short name."""
    short = {label: path for path, label in short_names(summary["paths"]).items()}
    if name in summary["paths"]:
        return name
    if name in short:
        return short[name]
    raise RunError(f"{option}: {name!r} is no path of this sweep\n    {known_names(name, summary['paths'])}")


def metric_of(summary: Mapping[str, Any], name: str | None) -> str:
    """The metric that is meant; the first where none is named."""
    known: list[str] = list(dict.fromkeys(metric for cell in summary["cells"] for metric in cell["scores"]))
    if name is None:
        return known[0]
    if name not in known:
        raise RunError(f"--y: there is no metric {name!r}\n    {known_names(name, known)}")
    return name


def x_values(values: Sequence[Any]) -> list[float | str]:
    """Numbers as they are where all are numbers; else a label for each."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values]
    return [*value_labels(values)]


def point_of(
    place: tuple[float | str, str],
    cells: Sequence[Mapping[str, Any]],
    metric: str,
    samples: Sequence[Mapping[str, Any]],
    bars: Bars,
) -> Point:
    """The mean of some cells, with its bar; over one cell alone the bar is that over examples, unless it is a deviation."""
    found = spread([cell["scores"][metric]["value"] for cell in cells])
    low, high = found.low, found.high
    if bars == "sd":
        low, high = (
            (None, None) if found.deviation is None else (found.mean - found.deviation, found.mean + found.deviation)
        )
    elif bars == "examples" or found.num == 1:
        over = mean_interval(example_means(cells, metric, samples))
        low, high = over.low, over.high
    ends = [None if end is None else 100 * min(1.0, max(0.0, end)) for end in (low, high)]
    return Point(x=place[0], color=place[1], value=100 * found.mean, low=ends[0], high=ends[1], num=found.num)


def example_means(cells: Sequence[Mapping[str, Any]], metric: str, samples: Sequence[Mapping[str, Any]]) -> list[float]:
    """Each example's mean score over the cells: of what was decided over its samples, where the chain decides."""
    numbers = {cell["cell"] for cell in cells}
    by_id: dict[str, list[float]] = {}
    for row in samples:
        name = f"decided.score.{metric}" if row.get("decided_sample") is not None else f"score.{metric}"
        if row["cell"] in numbers and row.get(name) is not None:
            by_id.setdefault(row["id"], []).append(row[name])
    return [sum(values) / len(values) for values in by_id.values()]


def caption_of(
    summary: Mapping[str, Any], others: Sequence[str], groups: Mapping[Any, Sequence[Any]], bars: Bars
) -> str:
    """What a point is, and what its bar is."""
    nums = {len(group) for group in groups.values()}
    over = f"mean over {', '.join(others)}" if others else "one cell a point"
    most, least = max(nums), min(nums)
    how_many = f" ({most} cells a point{f', or {least}' if least != most else ''})" if others else ""
    said = BARS_IN_WORDS["examples" if most == 1 and bars == "cells" else bars]
    alone = "; over examples where there is one cell" if bars == "cells" and least == 1 < most else ""
    dropped = sum("dropped_after" in cell for cell in summary["cells"])
    left_out = f"; {dropped} dropped cells left out" if dropped else ""
    return f"{over}{how_many}, n = {summary['num_examples']:,}; {said}{alone}{left_out}"
