"""`promptkit score`: aligns and scores a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.options import AllowCode, AsJson
from promptkit.cli.output import print_json, print_view, say
from promptkit.errors import RunError
from promptkit.run import Pipeline, Rescored, is_sweep, load, read_sweep, rescore, write_rescored

__all__ = ["score"]


def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a finished run")],
    other: Annotated[
        str | None, typer.Option("--with", metavar="FILE", help="take the align and score sections of this pipeline")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write what comes out as a run of its own, for `compare` to read")
    ] = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Align and score a finished run again, from what it kept. Needs no model, and leaves the run as it is.

    Of a sweep all cells, or one: SWEEP/N.
    """
    pipeline = load(other, allow_code=allow_code) if other else None
    if is_sweep(run):
        if out:
            raise RunError(
                f"--out takes one run, and {str(run)!r} is a sweep\n    {str(run / '0')!r} is its first cell"
            )
        score_cells(run, pipeline, allow_code=allow_code, as_json=as_json)
        return
    result = rescore(run, pipeline, allow_code=allow_code)
    result = write_rescored(result, run, out, pipeline) if out else result
    if as_json:
        print_json(rescored_json(result))
        return
    from promptkit.report import runs_table, thinking_lines, unanswered_line

    before = {name: value for name, value in result.before.items() if name != "timing"}
    print_view(runs_table([{**before, "pipeline": f"{before['pipeline']} (as run)"}, result.run.summary]))
    for thinking in thinking_lines([result.run.summary]):
        print_view(thinking)
    say(f"{len(result.changed)} of {result.run.summary['num_samples']} answers changed")
    if out:
        say(f"run: {out}")
    explained = str(out) if out else f"{run}{f' --with {other}' if other else ''}"
    if line := unanswered_line(result.run.summary, f"promptkit explain {explained}"):
        say(line)


def rescored_json(result: Rescored) -> dict[str, Any]:
    """A run that was scored again, as JSON values."""
    before = {name: result.before[name] for name in ("scores", "statuses", "status_rates") if name in result.before}
    shown = {name: value for name, value in result.run.summary.items() if name not in ("declaration", "folder")}
    return {**shown, "before": before, "changed": list(result.changed)}


def score_cells(sweep: Path, pipeline: Pipeline | None, *, allow_code: bool, as_json: bool) -> None:
    """Scores every cell of a sweep again."""
    num = len(read_sweep(sweep)["cells"])
    results = [rescore(sweep / str(number), pipeline, allow_code=allow_code) for number in range(num)]
    if as_json:
        print_json({"run": str(sweep), "cells": [rescored_json(each) for each in results]})
        return
    from promptkit.report import runs_table

    print_view(runs_table([row for number, each in enumerate(results) for row in before_and_after(number, each)]))
    changed = sum(len(each.changed) for each in results)
    say(f"{changed} of {sum(each.run.summary['num_samples'] for each in results)} answers changed")


def before_and_after(number: int, result: Rescored) -> list[dict[str, Any]]:
    """A cell as it was run, and as it is scored now, each under its number."""
    return [
        {**result.before, "pipeline": f"cell {number} (as run)"},
        {**result.run.summary, "pipeline": f"cell {number}"},
    ]
