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
from promptkit.cli.output import print_json, say, writing
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
    if out is not None and out.exists() and source.exists() and out.samefile(source):
        raise RunError(f"{str(out)!r} is what --from reads, and would be overwritten\n    --out FILE names another")
    sink = writing(out) if out else nullcontext(None if as_json else sys.stdout)
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


def write_row(row: Extracted, stream: TextIO | None) -> None:
    """Writes one row as a line of JSON."""
    if stream is not None:
        stream.write(json.dumps(row.to_row(), ensure_ascii=False, default=str) + "\n")
