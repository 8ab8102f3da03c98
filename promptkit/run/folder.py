"""A finished run as a folder: `run.json` and `samples.parquet`, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import RunError
from promptkit.run.table import records_table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "DEFAULT_OUT",
    "FITTING",
    "SUMMARY",
    "SWEEP",
    "broken",
    "claim",
    "is_sweep",
    "read_cells",
    "read_fitting",
    "read_run",
    "read_sweep",
    "run_name",
    "sweep_rows",
    "write_folder",
    "write_run",
]

DEFAULT_OUT = Path("runs")
SUMMARY, SAMPLES = "run.json", "samples.parquet"
SWEEP = "sweep.json"
FITTING = "fitting.parquet"  # solved rows that a step of O was fitted on; there only where there are any
NEEDED = {"pipeline": str, "file": str, "model": str, "num_examples": int, "scores": dict, "statuses": dict}
NEEDED |= {"declaration": dict, "folder": str}  # what is asked of a run.json that is read again


def run_name(pipeline: str, model: str, digest: str) -> str:
    """The folder's name. The same pipeline, data and model give the same name."""
    tidy = [re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-.") or "unnamed" for part in (pipeline, Path(model).name)]
    return f"{tidy[0]}--{tidy[1]}--{digest[:8]}"


@contextlib.contextmanager
def claim(out: Path) -> Iterator[Path]:
    """A hidden folder in `out` for a run to be written in; gone afterwards.

    Made before anything is computed, so that a run that could not be written does not start. Raises `RunError`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=out))
    except OSError as error:
        reason = "not a directory" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        raise RunError(
            f"the run folder cannot be made in {str(out)!r}: {reason}\n    --out DIR names another"
        ) from error
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_run(
    partial: Path,
    folder: Path,
    summary: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    fitting: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Writes a run in `partial`, then puts it at `folder` in one move; an older run of that name gives way."""
    tables = {SAMPLES: lambda: records_table(rows)}
    if fitting:
        tables[FITTING] = lambda: records_table(fitting)
    write_folder(partial, folder, {SUMMARY: summary}, tables)


def write_folder(
    partial: Path,
    folder: Path,
    summaries: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, Callable[[], pa.Table]],
) -> None:
    """Writes summaries and tables, by the names of their files, in `partial`, and puts it at `folder`."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where a run is written

    try:
        for name, make in tables.items():
            pq.write_table(make(), partial / name)
        for name, summary in summaries.items():
            text = json.dumps(summary, indent=2, ensure_ascii=False, default=str)
            (partial / name).write_text(text + "\n", encoding="utf-8")
        partial.chmod(0o755)
        put_in_place(partial, folder)
    except (OSError, TypeError, ValueError) as error:  # the disk, or a text that is no Unicode
        number = getattr(error, "errno", None)
        reason = (os.strerror(number) if number else str(error)).lower()  # Arrow's own words hold the number too
        raise RunError(
            f"the run folder {str(folder)!r} cannot be written: {reason}\n"
            "    every completion is in the store: the same command with another --out writes it"
        ) from error


def put_in_place(partial: Path, folder: Path) -> None:
    """Moves a whole folder to where it belongs. An older one gives way, and comes back where the move fails."""
    aside = partial.with_name(partial.name + "-old")
    with contextlib.suppress(FileNotFoundError):  # there is no older one
        folder.replace(aside)
    try:
        partial.replace(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster: its run is the same
            with contextlib.suppress(OSError):
                aside.replace(folder)
            raise
    shutil.rmtree(aside, ignore_errors=True)


def read_sweep(folder: Path) -> dict[str, Any]:
    """A sweep's summary. Raises `RunError` where the folder holds none."""
    if not (folder / SWEEP).is_file():
        hint = "name the folder that `promptkit run` printed for a file with a `matrix`"
        raise RunError(f"{str(folder)!r} is not a sweep: it holds no {SWEEP}\n    {hint}")
    summary = read_summary(folder, SWEEP)
    if not all(isinstance(summary.get(name), list) for name in ("paths", "cells")):
        raise broken(folder, SWEEP, "has no 'paths' or 'cells'")
    return summary


def sweep_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of all cells of a sweep."""
    rows: list[dict[str, Any]] = read_table(folder, SAMPLES).to_pylist()
    return rows


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep. Its cells are read as SWEEP/0, SWEEP/1, ..."""
    return (folder / SWEEP).is_file()


def read_cell(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The summary and the rows of a cell, SWEEP/N, as those of a run. Raises `RunError` where there is no such cell."""
    home, number = folder.parent, int(folder.name)
    sweep = read_sweep(home)
    if number >= len(sweep["cells"]):
        raise RunError(f"{str(home)!r} has no cell {number}: it has {len(sweep['cells'])}, counted from 0")
    summary = checked(home, SWEEP, sweep["cells"][number])
    return summary, rows_of_cell(read_table(home, SAMPLES), number, summary)


def read_cells(home: Path) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The summary and the rows of each cell of a sweep, whose table is read once."""
    table = read_table(home, SAMPLES)
    summaries = [checked(home, SWEEP, each) for each in read_sweep(home)["cells"]]
    return [(summary, rows_of_cell(table, number, summary)) for number, summary in enumerate(summaries)]


def rows_of_cell(table: pa.Table, number: int, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A cell's rows, with the columns that its records have: those of other cells may have more."""
    import pyarrow.compute as pc  # noqa: PLC0415

    rows: list[dict[str, Any]] = table.filter(pc.equal(table["cell"], number)).to_pylist()
    names = summary.get("columns", ())
    return [{name: row[name] for name in names if name in row} for row in rows]


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run's summary and rows. Raises `RunError` where the folder does not hold a whole run."""
    if folder.name.isdecimal() and is_sweep(folder.parent):
        return read_cell(folder)
    if is_sweep(folder):
        num = len(read_sweep(folder)["cells"])
        raise RunError(
            f"{str(folder)!r} is a sweep of {num} cells\n    {str(folder / '0')!r} is its first, and so on to {num - 1}"
        )
    for name in (SUMMARY, SAMPLES):
        if not (folder / name).is_file():
            hint = "name the folder that `promptkit run` printed"
            raise RunError(f"{str(folder)!r} is not a run: it holds no {name}\n    {hint}")
    summary = checked(folder, SUMMARY, read_summary(folder, SUMMARY))
    return summary, read_table(folder, SAMPLES).to_pylist()


def read_table(folder: Path, name: str) -> pa.Table:
    """A table of a run or a sweep."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return pq.read_table(folder / name)
    except (OSError, pa.ArrowException) as error:
        raise broken(folder, name, f"cannot be read: {error}") from error


def read_summary(folder: Path, name: str) -> dict[str, Any]:
    """What one of the folder's JSON files holds."""
    try:
        summary = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise broken(folder, name, f"cannot be read: {error}") from error
    if not isinstance(summary, dict):
        raise broken(folder, name, "does not hold a map")
    return summary


def checked(folder: Path, name: str, summary: dict[str, Any]) -> dict[str, Any]:
    """The summary, in which all is there that is asked of it when it is read again."""
    for key, kind in NEEDED.items():
        if not isinstance(summary.get(key), kind):
            raise broken(folder, name, f"has no {key!r}, or it is not what a run writes there")
    return summary


def read_fitting(folder: Path) -> list[dict[str, Any]]:
    """The solved rows that a step of O was fitted on; none where the run has none. Raises `RunError`."""
    is_cell = folder.name.isdecimal() and is_sweep(folder.parent)
    home = folder.parent if is_cell else folder
    if not (home / FITTING).is_file():
        return []
    table = read_table(home, FITTING)
    if is_cell:
        return rows_of_cell(table, int(folder.name), read_sweep(home)["cells"][int(folder.name)])
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def broken(folder: Path, name: str, what: str) -> RunError:
    """What to raise for a run whose file of that name is not as it was written."""
    return RunError(f"the run {str(folder)!r}: {name} {what.splitlines()[0]}")
