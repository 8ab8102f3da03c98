"""`promptkit bakeoff`: several chains over the same completions."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AllowCode, AsJson, Files, Limit
from promptkit.cli.output import print_json, print_view, say, writing
from promptkit.errors import RunError
from promptkit.run import BakeoffRow, Completions, bake_off, load
from promptkit.run.bakeoff import named_chains

__all__ = ["bakeoff"]


def bakeoff(
    files: Files,
    source: Annotated[
        Path,
        typer.Option("--from", metavar="FILE", help="rows that hold completions: JSONL, CSV, Parquet, a run, SWEEP/N"),
    ],
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the completion; `completion` if not given")
    ] = None,
    gold: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the right answer, to score each chain by")
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="how many of the rows that differ are shown")] = 20,
    limit: Limit = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write every row with all answers here, as JSONL")
    ] = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Compare the align chains of several pipelines over the same completions. Needs no model.

    Who answers, who agrees with whom, how far the score could move; then the rows on which they differ, the most telling
    first: most different outcomes, then two answers before an answer beside none, then the rarest kind of difference.
    """
    pipelines = [load(file, allow_code=allow_code) for file in files]
    names = named_chains(pipelines)
    if out is not None and out.exists() and source.exists() and out.samefile(source):
        raise RunError(f"{str(out)!r} is what --from reads, and would be overwritten\n    --out FILE names another")
    completions = Completions(path=source, field=field, gold=gold, limit=limit)
    with writing(out) if out else nullcontext() as stream:

        def write(row: BakeoffRow) -> None:
            if stream is not None:
                stream.write(json.dumps(row.to_json(names), ensure_ascii=False, default=str) + "\n")

        found = bake_off(pipelines, completions, top=top, watch=write)
    if out is not None:
        say(f"wrote {found.num_rows:,} rows to {out}")
    if as_json:
        print_json({"from": str(source), "field": field, **found.to_json()})
        return
    from promptkit.report import bakeoff_view

    print_view(bakeoff_view(found))
