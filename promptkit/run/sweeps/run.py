"""A finished sweep: its cells, what is said of each, and of all of them together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from promptkit.errors import MissingExtra
from promptkit.run.run import Run, Settings
from promptkit.run.sweeps.folder import plain_column, sweep_table
from promptkit.run.sweeps.sweep import Cell, Sweep
from promptkit.run.sweeps.variation import over_seeds, variation
from promptkit.run.table import columns_of
from promptkit.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["CellRun", "SweepRun", "sweep_summary"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CellRun(Run):
    """What came of one cell: a run. `dropped_after` is how many examples it saw where a race dropped it."""

    cell: Cell

    @property
    def settings(self) -> Mapping[str, Any]:
        """The cell's value of each path of the matrix."""
        return self.cell.settings

    @property
    def dropped_after(self) -> int | None:
        """How many examples it had seen when a race dropped it; None for a cell that went to the end."""
        dropped: int | None = self.summary.get("dropped_after")
        return dropped

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records as flat rows."""
        return [record.to_row() for record in self.records]

    @property
    def fitting_rows(self) -> list[dict[str, Any]]:
        """The same of the solved rows that a step of O was fitted on."""
        return [record.to_row() for record in self.fitting]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweepRun(Run):
    """A finished sweep. `records` are those of all cells, cell by cell; `scores` are over all cells that went to the end."""

    cells: tuple[CellRun, ...]

    def to_arrow(self) -> pa.Table:
        """The records of all cells as an Arrow table: the cell, its value of each path, and the record's columns."""
        return sweep_table(self.summary["paths"], [(each.summary, each.rows) for each in self.cells])

    def cells_to_arrow(self) -> pa.Table:
        """The cells as an Arrow table, one a row: the value of each path, scores with their intervals, statuses."""
        import pyarrow as pa  # noqa: PLC0415 - only where a table is asked for

        rows = [flat(each.summary) for each in self.cells]
        columns = {name: [row.get(name) for row in rows] for name in columns_of(rows)}
        columns |= {path: plain_column(columns[path]) for path in self.summary["paths"]}
        return pa.table(columns)

    def cells_to_pandas(self) -> pd.DataFrame:
        """The same as a pandas frame. Raises `MissingExtra` where pandas is not installed."""
        try:
            frame: pd.DataFrame = self.cells_to_arrow().to_pandas()
        except ImportError as error:
            raise MissingExtra("pandas", "pandas") from error
        return frame


def flat(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's summary as one flat row."""
    scores = {
        f"{metric}{end}": score[name]
        for metric, score in summary["scores"].items()
        for name, end in (("value", ""), ("low", ".low"), ("high", ".high"))
    }
    return {
        "cell": summary["cell"],
        **summary["settings"],
        "num_examples": summary["num_examples"],
        **scores,
        **summary["statuses"],
        "dropped_after": summary.get("dropped_after"),
    }


def sweep_summary(sweep: Sweep, cells: Sequence[CellRun], settings: Settings) -> dict[str, Any]:
    """What is said of the sweep as a whole, and of each cell."""
    ranked = [each for each in cells if each.dropped_after is None]
    dropped = [each for each in cells if each.dropped_after is not None]
    digest = hashlib.sha256("\n".join(each.summary["digest"] for each in cells).encode())
    completions = [each.summary["completions"] for each in cells]
    return {
        "pipeline": sweep.name,
        "file": sweep.file,
        "model": ", ".join(dict.fromkeys(each.summary["model"] for each in cells)),
        "paths": list(sweep.paths),
        "num_cells": len(cells),
        "num_examples": max(each.summary["num_examples"] for each in cells),
        "scores": variation(ranked),
        "over_seeds": over_seeds(sweep.paths, ranked, dropped),
        "cells": [dict(each.summary) for each in cells],
        "completions": {name: sum(each[name] for each in completions) for name in completions[0]},
        "race": sweep.race.model_dump() if sweep.race else None,
        "digest": digest.hexdigest(),
        "selection": {name: value for name, value in asdict(settings.selection).items() if name != "only"},
        "promptkit": __version__,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
