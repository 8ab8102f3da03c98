"""A finished run as a folder: `run.json` and `samples.parquet`, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import RunError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["DEFAULT_OUT", "broken", "claim", "read_fitting", "read_run", "records_table", "run_name", "write_run"]

DEFAULT_OUT = Path("runs")
SUMMARY, SAMPLES = "run.json", "samples.parquet"
SCORES = ("score.", "decided.score.", "uncalibrated.score.")  # what the names of columns of scores begin with
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
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where a run is written

    try:
        pq.write_table(records_table(rows), partial / SAMPLES)
        if fitting:
            pq.write_table(records_table(fitting), partial / FITTING)
        text = json.dumps(summary, indent=2, ensure_ascii=False, default=str)
        (partial / SUMMARY).write_text(text + "\n", encoding="utf-8")
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


def records_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The records as an Arrow table, one a row; the types do not depend on the values."""
    import pyarrow as pa  # noqa: PLC0415

    option = pa.struct([("text", pa.string()), ("log_likelihood", pa.float64()), ("num_tokens", pa.int32())])
    step = pa.struct(
        [
            ("step", pa.string()),
            *((name, pa.int64()) for name in ("read_start", "read_end", "span_start", "span_end")),
            *((name, pa.string()) for name in ("value", "reason")),
            ("took_s", pa.float64()),
        ]
    )
    weighed = pa.struct([("value", pa.string()), ("probability", pa.float64()), ("before", pa.float64())])
    known = {
        "asked": pa.list_(pa.struct([("asked", pa.string()), ("options", pa.list_(option))])),
        "calibrated": pa.list_(weighed),
        "sample": pa.int32(),
        "num_prompt_tokens": pa.int32(),
        "num_new_tokens": pa.int32(),
        "log_likelihood": pa.float64(),
        "decided_sample": pa.int32(),
        "options": pa.list_(option),
        "span_start": pa.int64(),
        "span_end": pa.int64(),
        "ledger": pa.list_(step),
        "from_store": pa.bool_(),
    }
    names = list(rows[0]) if rows else []
    schema = pa.schema(
        [(name, pa.float64() if name.startswith(SCORES) else known.get(name, pa.string())) for name in names]
    )
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run's summary and rows. Raises `RunError` where the folder does not hold a whole run."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    for name in (SUMMARY, SAMPLES):
        if not (folder / name).is_file():
            hint = "name the folder that `promptkit run` printed"
            raise RunError(f"{str(folder)!r} is not a run: it holds no {name}\n    {hint}")
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise broken(folder, SUMMARY, f"cannot be read: {error}") from error
    if not isinstance(summary, dict):
        raise broken(folder, SUMMARY, "does not hold a map")
    for name, kind in NEEDED.items():
        if not isinstance(summary.get(name), kind):
            raise broken(folder, SUMMARY, f"has no {name!r}, or it is not what a run writes there")
    try:
        rows: list[dict[str, Any]] = pq.read_table(folder / SAMPLES).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise broken(folder, SAMPLES, f"cannot be read: {error}") from error
    return summary, rows


def read_fitting(folder: Path) -> list[dict[str, Any]]:
    """The solved rows that a step of O was fitted on; none where the run has none. Raises `RunError`."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = folder / FITTING
    try:
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist() if path.is_file() else []
    except (OSError, pa.ArrowException) as error:
        raise broken(folder, FITTING, f"cannot be read: {error}") from error
    return rows


def broken(folder: Path, name: str, what: str) -> RunError:
    """What to raise for a run whose file of that name is not as it was written."""
    return RunError(f"the run {str(folder)!r}: {name} {what.splitlines()[0]}")
