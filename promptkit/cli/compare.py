"""`promptkit compare`: finished runs over the same examples, paired."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AsJson
from promptkit.cli.output import print_json, print_view
from promptkit.run import compare_runs

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="folders of finished runs, or cells of sweeps: SWEEP/N")
    ],
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="the metric by which examples flip; the first if not given")
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=0, help="how many flips are shown of each pair")] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare runs with the first of them, example by example. Needs no model.

    How far the scores lie apart, with a 95 % interval and an exact test that know the examples are the same; what the
    pipelines do not share; what flipped, and whether the prompt, the generation or the parser was the first to differ.
    """
    compared = compare_runs(runs, metric)
    if as_json:
        print_json(compared.to_json(top))
        return
    from promptkit.report import compare_view

    print_view(compare_view(compared, top))
