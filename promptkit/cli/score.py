"""`promptkit score`: aligns and scores a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AllowCode, AsJson
from promptkit.cli.output import print_json, print_view, say
from promptkit.run import load, rescore

__all__ = ["score"]


def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a finished run")],
    other: Annotated[
        str | None, typer.Option("--with", metavar="FILE", help="take the align and score sections of this pipeline")
    ] = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Align and score a finished run again, from what it kept. Needs no model, and changes nothing."""
    pipeline = load(other, allow_code=allow_code) if other else None
    result = rescore(run, pipeline, allow_code=allow_code)
    if as_json:
        before = {name: result.before[name] for name in ("scores", "statuses", "status_rates") if name in result.before}
        print_json({**result.run.summary, "before": before, "changed": list(result.changed)})
        return
    from promptkit.report import runs_table, unanswered_line

    before = {name: value for name, value in result.before.items() if name != "timing"}
    print_view(runs_table([{**before, "pipeline": f"{before['pipeline']} (as run)"}, result.run.summary]))
    say(f"{len(result.changed)} of {result.run.summary['num_samples']} answers changed")
    if line := unanswered_line(result.run.summary, f"promptkit explain {run}{f' --with {other}' if other else ''}"):
        say(line)
