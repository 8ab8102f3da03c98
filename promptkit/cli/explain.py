"""`promptkit explain`: one completion, and what each step made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AllowCode, AsJson, Overrides
from promptkit.cli.output import print_json, print_view
from promptkit.errors import RunError
from promptkit.run import (
    Explained,
    Overview,
    Pipeline,
    explain_row,
    explain_run,
    explain_text,
    is_sweep,
    load,
    overview_of_rows,
    overview_of_run,
)

__all__ = ["explain"]


def explain(
    name: Annotated[
        str,
        typer.Argument(metavar="RUN|FILE", help="the folder of a finished run; or a pipeline, with --text or --from"),
    ],
    example: Annotated[
        str | None, typer.Argument(metavar="ID", help="which example; without it, some of each status are listed")
    ] = None,
    sample: Annotated[int | None, typer.Option(metavar="N", min=0, help="which sample of the example")] = None,
    other: Annotated[
        str | None, typer.Option("--with", metavar="FILE", help="read the run with the align section of this pipeline")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="the completion itself")] = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="rows that hold completions: JSONL, CSV, Parquet")
    ] = None,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the completion; `completion` if not given")
    ] = None,
    row: Annotated[str | None, typer.Option("--id", metavar="ID", help="which row, as ID")] = None,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Show a completion with what each step of the align chain read and found in it, and why it stopped.

    Of a run's completion, or of one from anywhere with a pipeline's chain. Needs no model.
    """
    wanted = example if example is not None else row
    if text is None and source is None:
        with_other = load(other, overrides=overrides or [], allow_code=allow_code) if other else None
        found = of_run(Path(name), wanted, sample, with_other, allow_code=allow_code)
    else:
        pipeline = load(name, overrides=overrides or [], allow_code=allow_code)
        found = explain_text(pipeline, text or "") if source is None else of_rows(pipeline, source, field, wanted)
    show(found, as_json=as_json)


def of_run(
    run: Path, example: str | None, sample: int | None, other: Pipeline | None, *, allow_code: bool
) -> Explained | Overview:
    """One of a run's completions, or the overview of all."""
    if not run.is_dir() and not is_sweep(run.parent):  # a cell of a sweep, SWEEP/N, is no folder of its own
        hint = "for the chain of a pipeline, give it a completion: --text, or --from and --id"
        raise RunError(f"{str(run)!r} is no folder of a run\n    {hint}")
    if example is None:
        return overview_of_run(run, other, allow_code=allow_code)
    return explain_run(run, example, sample, other, allow_code=allow_code)


def of_rows(pipeline: Pipeline, source: Path, field: str | None, row: str | None) -> Explained | Overview:
    """One of a file's completions, or the overview of all."""
    if row is None:
        return overview_of_rows(pipeline, source, field)
    return explain_row(pipeline, source, field, row)


def show(found: Explained | Overview, *, as_json: bool) -> None:
    """Prints what was found."""
    if as_json:
        print_json(found.to_json())
        return
    from promptkit.report import explain_view, overview_view

    print_view(explain_view(found) if isinstance(found, Explained) else overview_view(found))
