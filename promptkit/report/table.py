"""The table of runs: every score with its interval, and beside it what kept it from being higher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

__all__ = ["format_score", "format_seconds", "runs_table"]

STATUS_STYLES = {"answered": "green", "unparsed": "red", "truncated": "yellow", "ambiguous": "magenta", "empty": "red"}


def runs_table(summaries: Sequence[Mapping[str, Any]]) -> Table:
    """A table with a row for each run: pipeline, model, n, scores with their intervals, statuses, tokens, time."""
    metrics = list(dict.fromkeys(metric for summary in summaries for metric in summary["scores"]))
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("pipeline", "model"):
        table.add_column(name, overflow="fold")
    table.add_column("n", justify="right")
    for metric in metrics:
        table.add_column(f"{metric} [95 %]", justify="right", no_wrap=True)
    table.add_column("statuses")
    for name in ("prompt tokens", "new tokens", "time"):
        table.add_column(name, justify="right")
    for summary in summaries:
        table.add_row(*row(summary, metrics))
    return table


def row(summary: Mapping[str, Any], metrics: Sequence[str]) -> list[Text | str]:
    """One run's cells."""
    timing: Mapping[str, Any] = summary.get("timing") or {}
    return [
        summary["pipeline"],
        summary["model"],
        str(summary["num_examples"]),
        *(format_score(summary["scores"].get(metric)) for metric in metrics),
        format_statuses(summary["statuses"]),
        f"{timing['prompt_tokens']:,}" if timing else "",
        f"{timing['new_tokens']:,}" if timing else "",
        format_seconds(timing["total_s"]) if timing else "",
    ]


def format_score(score: Mapping[str, float | None] | None) -> str:
    """A score and its interval, in per cent; "n/a" over nothing."""
    if score is None or score["value"] is None:
        return "n/a"
    value, low, high = (100 * float(score[name] or 0) for name in ("value", "low", "high"))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"


def format_statuses(statuses: Mapping[str, int]) -> Text:
    """The statuses that occur, each with its share of all completions."""
    total = sum(statuses.values())
    text = Text()
    for name, count in statuses.items():
        if count or name == "answered":
            share = f"{100 * count / total:.0f} %" if total else "n/a"
            text.append(f"{', ' if text else ''}{name} {count} ({share})", style=STATUS_STYLES.get(name, ""))
    return text


def format_seconds(seconds: float) -> str:
    """A duration as people say it.

    >>> format_seconds(4.21), format_seconds(75), format_seconds(4000)
    ('4.2 s', '1 min 15 s', '1 h 07 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
