"""A finished sweep as a folder: `sweep.json`, and the records of all cells in one `samples.parquet`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.run.folder import FITTING, SAMPLES, SWEEP, write_folder
from promptkit.run.table import records_table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["plain_column", "sweep_table", "write_sweep"]

Cells = Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]  # the summary and the rows of each


def write_sweep(partial: Path, folder: Path, summary: Mapping[str, Any], cells: Cells, fitting: Cells) -> None:
    """Writes a sweep in `partial`, then puts it at `folder` in one move, as a run is written.

    `fitting` are the solved rows that steps of O were fitted on.
    """
    paths = summary["paths"]
    tables = {SAMPLES: lambda: sweep_table(paths, cells)}
    if any(rows for _, rows in fitting):
        tables[FITTING] = lambda: sweep_table(paths, fitting)
    write_folder(partial, folder, {SWEEP: summary}, tables)


def sweep_table(paths: Sequence[str], cells: Cells) -> pa.Table:
    """The records of all cells as an Arrow table: `cell`, a column for each path, then the records' own columns.

    A path whose values are of several kinds, or are maps or lists, is JSON text. One that is called as a column of the
    records, `prompt` or `stages`, stands under `matrix.prompt`.
    """
    import pyarrow as pa  # noqa: PLC0415

    table = records_table([row for _, rows in cells for row in rows])
    of_row = [summary for summary, rows in cells for _ in rows]
    columns = {"cell": pa.array([each["cell"] for each in of_row], pa.int32())}
    for path in paths:
        values = [each["settings"][path] for each in of_row]
        name = f"matrix.{path}" if path in table.column_names else path
        columns[name] = pa.array(plain_column(values))
    for name in reversed(columns):
        table = table.add_column(0, name, columns[name])
    return table


def plain_column(values: Sequence[Any]) -> list[Any]:
    """The values as one column can hold them: as they are, or as JSON text where they are of several kinds."""
    return list(values) if is_one_kind(values) else [json.dumps(each) for each in values]


def is_one_kind(values: Sequence[Any]) -> bool:
    """Whether a column can hold the values as they are."""
    return all(isinstance(value, str) for value in values) or (
        len({type(value) for value in values}) == 1 and isinstance(values[0], int | float)
    )
