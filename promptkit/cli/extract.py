"""`promptkit extract`: O alone, over completions from anywhere."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import typer

from promptkit.align import STATUSES
from promptkit.cli.options import AllowCode, AsJson, Limit, Overrides, PipelineFile
from promptkit.cli.output import print_json, say
from promptkit.errors import RunError
from promptkit.run import Extracted, load
from promptkit.run import extract as extract_rows

__all__ = ["extract"]


def extract(
    file: PipelineFile,
    source: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="rows that hold completions: JSONL, CSV, Parquet")
    ],
    field: Annotated[str, typer.Option(metavar="NAME", help="the field that holds the completion")] = "completion",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the rows here, not to standard output")
    ] = None,
    limit: Limit = None,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Extract answers from completions with a pipeline's align chain. Needs no model.

    Writes one JSON object a row: id, answer, status, span, step.
    """
    pipeline = load(file, overrides=overrides or [], allow_code=allow_code)
    started = time.perf_counter()
    statuses: Counter[str] = Counter()
    sink = open_sink(out) if out else nullcontext(None if as_json else sys.stdout)
    with sink as stream:
        for row in extract_rows(pipeline.chain, source, field, limit):
            statuses[row.outcome.status] += 1
            write_row(row, stream)
    total, seconds = sum(statuses.values()), time.perf_counter() - started
    counts = {status: statuses[status] for status in STATUSES}
    shown = ", ".join(f"{status} {count}" for status, count in counts.items() if count)
    say(f"{total:,} rows in {seconds:.1f} s: {shown}")
    if as_json:
        print_json({"pipeline": pipeline.name, "num_rows": total, "statuses": counts, "total_s": round(seconds, 3)})


def open_sink(path: Path) -> TextIO:
    """The file to write to. Raises `RunError` where it cannot be."""
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{str(path)!r} cannot be written: {(error.strerror or str(error)).lower()}") from error


def write_row(row: Extracted, stream: TextIO | None) -> None:
    """Writes one row as a line of JSON."""
    if stream is not None:
        stream.write(json.dumps(row.to_row(), ensure_ascii=False, default=str) + "\n")
