"""What each stage of a run did, below the run's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.report.table import format_score, format_statuses

__all__ = ["stages_view"]


def stages_view(summary: Mapping[str, Any]) -> Table:
    """A row for each stage: how often it ran, its statuses, how many answers to examples are its own, and its tokens."""
    rows = Table(show_edge=False, pad_edge=False, header_style="bold")
    rows.add_column(escape(f"stage of {summary['pipeline']}"), overflow="fold")
    for name in ("ran", "answers"):
        rows.add_column(name, justify="right")
    rows.add_column("statuses")
    for name in ("prompt tokens", "new tokens"):
        rows.add_column(name, justify="right")
    for name, stage in summary["stages"].items():
        numbers = [f"{stage[key]:,}" for key in ("num_ran", "num_answers", "prompt_tokens", "new_tokens")]
        rows.add_row(escape(name), *numbers[:2], format_statuses(stage["statuses"], ", "), *numbers[2:])
        for words, said in weighed_lines(stage.get("calibration")):
            rows.add_row(f"  {escape(words)}", "", "", said, "", "")
    return rows


def weighed_lines(calibration: Mapping[str, Any] | None) -> Iterator[tuple[str, Text]]:
    """Where a stage weighed its options: what they were before and after, with the scores of the answers that are its own."""
    if calibration is None:
        return
    for words, name in (("as scored", "before"), (calibration["kind"], "after")):
        quality = calibration[name]
        scores = [f"{metric} {format_score(score)}" for metric, score in quality.get("scores", {}).items()]
        yield words, Text("; ").join([format_statuses(quality["statuses"], ", "), *map(Text, scores)])
