"""What each stage of a run did, below the run's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from promptkit.report.table import format_statuses

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
    return rows
