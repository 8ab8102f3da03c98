"""A sweep as people read it: a row for each cell, the means over seeds, and how far the prompt alone moves the score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.report.settings import short_names, value_labels
from promptkit.report.table import format_score, format_seconds, format_statuses

__all__ = ["sweep_view"]

MIN_WIDTH = 12  # characters of a setting that stand on one line, also where there is little room


def sweep_view(summary: Mapping[str, Any]) -> Group:
    """The table of cells, that of the means over seeds where there are some, and some lines about all of it."""
    parts: list[RenderableType] = [cells_table(summary)]
    if any(len(group["cells"]) > 1 for group in summary["over_seeds"]):
        parts += ["", seeds_table(summary)]
    return Group(*parts, "", Text("\n".join(closing_lines(summary))))


def metrics_of(summary: Mapping[str, Any]) -> list[str]:
    """The metrics that any cell has."""
    return list(dict.fromkeys(metric for cell in summary["cells"] for metric in cell["scores"]))


def setting_columns(cells: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> dict[str, list[str]]:
    """The columns of the paths, by their short names."""
    names = short_names(paths)
    return {names[path]: value_labels([cell["settings"][path] for cell in cells]) for path in paths}


def cells_table(summary: Mapping[str, Any]) -> Table:
    """A row for each cell: number, settings, n, scores with their intervals over examples, statuses.

    Cells that a race dropped say after how many examples, and stand below the others: they are not compared with them.
    """
    cells = sorted(summary["cells"], key=lambda cell: (cell.get("dropped_after") is not None, cell["cell"]))
    columns = setting_columns(cells, summary["paths"])
    metrics = metrics_of(summary)
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("cell", justify="right")
    for name in columns:
        table.add_column(escape(name), overflow="fold")
    table.add_column("n", justify="right")
    for metric in metrics:
        table.add_column(escape(f"{metric} [95 %]"), justify="right", no_wrap=True)
    table.add_column("statuses")
    for place, cell in enumerate(cells):
        dropped = cell.get("dropped_after")
        scores = [format_score(cell["scores"][metric]) if metric in cell["scores"] else "" for metric in metrics]
        settings = [escape(column[place]) for column in columns.values()]
        statuses = format_statuses(cell["statuses"], ", ")
        if dropped is not None:
            statuses.append(f"  dropped after {dropped:,}", style="bold")
        table.add_row(
            str(cell["cell"]),
            *settings,
            f"{cell['num_examples']:,}",
            *scores,
            statuses,
            style="dim" if dropped else None,
        )
    return table


def seeds_table(summary: Mapping[str, Any]) -> Table:
    """A row for cells that differ in nothing but seeds: their mean, its deviation, and both of its intervals."""
    groups = summary["over_seeds"]
    columns = setting_columns(groups, list(groups[0]["settings"]))
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name, values in columns.items():
        table.add_column(escape(name), overflow="fold", min_width=min(MIN_WIDTH, max(map(len, (name, *values)))))
    table.add_column("seeds", justify="right", no_wrap=True)
    for metric in metrics_of(summary):
        for name in (f"{metric}, mean", "sd", "95 % over seeds", "95 % over examples"):
            table.add_column(escape(name), justify="right")
    for place, group in enumerate(groups):
        scores = [spread_cells(group["scores"].get(metric)) for metric in metrics_of(summary)]
        settings = [escape(column[place]) for column in columns.values()]
        num, dropped = len(group["cells"]), group["num_dropped"]
        seeds = f"{num} of {num + dropped}" if dropped else str(num)
        table.add_row(*settings, seeds, *(cell for cells in scores for cell in cells))
    return table


def spread_cells(score: Mapping[str, Any] | None) -> list[str]:
    """The mean, the standard deviation and the intervals, in per cent; empty where they say nothing."""
    if score is None or score["value"] is None:
        return [""] * 4
    deviation = "" if score["deviation"] is None else f"{100 * score['deviation']:.1f}"
    return [f"{100 * score['value']:.1f} %", deviation, interval(score), interval(score["over_examples"])]


def interval(score: Mapping[str, float | None]) -> str:
    """An interval in per cent; empty where there is none."""
    if score["low"] is None or score["high"] is None:
        return ""
    return f"[{100 * score['low']:.1f},\u00a0{100 * score['high']:.1f}]"


def closing_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """What is said below: over all cells, what a race dropped, what was computed, and in which time."""
    num_dropped = sum("dropped_after" in cell for cell in summary["cells"])
    for metric, score in summary["scores"].items():
        if score["num"] > 1:
            values = [
                cell["scores"][metric]["value"]
                for cell in summary["cells"]
                if "dropped_after" not in cell and metric in cell["scores"]
            ]
            known = [100 * value for value in values if value is not None]
            yield (
                f"{metric} over {score['num']} cells: mean {100 * score['value']:.1f} %, sd {100 * score['deviation']:.1f}, "
                f"from {min(known):.1f} to {max(known):.1f} %; the mean over examples {interval(score['over_examples'])}"
            )
    idle = [group for group in summary["over_seeds"] if group.get("is_one_draw")]
    if idle:
        yield (
            f"the seed changes nothing in {len(idle)} of {len(summary['over_seeds'])} settings: all prompts and completions "
            "are the same, so there is no interval over seeds"
        )
    if num_dropped:
        race = summary["race"]
        yield (
            f"{num_dropped} of {summary['num_cells']} cells were dropped by the race (sign tests, "
            f"alpha {race['alpha']:g}): their scores are over fewer examples, and neither "
            "ranked with the others nor in any mean"
        )
    if "timing" in summary:
        yield computed_line(summary)


def computed_line(summary: Mapping[str, Any]) -> str:
    """What was computed for all cells together, and what was not."""
    done, timing = summary["completions"], summary["timing"]
    parts = [f"{done['computed']:,} completions computed"]
    parts += [f"{done['shared']:,} shared between cells"] if done["shared"] else []
    parts += [f"{done['from_store']:,} from the store"] if done["from_store"] else []
    tokens = f"{timing.get('computed_prompt_tokens', 0):,.0f} of {timing['prompt_tokens']:,} prompt tokens"
    return f"{', '.join(parts)}; {tokens} computed, {timing['new_tokens']:,} new tokens, {format_seconds(timing['total_s'])}"
