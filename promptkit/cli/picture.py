"""`promptkit picture`: a sweep as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.output import say
from promptkit.errors import RunError
from promptkit.run import read_sweep, sweep_rows

__all__ = ["picture"]


class BarKind(StrEnum):
    """What bars show."""

    cells = "cells"
    sd = "sd"
    examples = "examples"


def picture(
    sweep: Annotated[Path, typer.Argument(metavar="SWEEP", help="the folder of a finished sweep")],
    x: Annotated[
        str, typer.Option("--x", metavar="PATH", help="the path that runs along x, whole or by its last part")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="the picture: .svg or .png")],
    y: Annotated[str | None, typer.Option("--y", metavar="METRIC", help="the metric; the first if not given")] = None,
    color: Annotated[str | None, typer.Option(metavar="PATH", help="a line for each value of this path")] = None,
    bars: Annotated[
        BarKind,
        typer.Option(help="95 % interval over the cells of a point, their standard deviation, or that over examples"),
    ] = BarKind.cells,
) -> None:
    """Draw a sweep: the mean score along one path of its matrix, over all paths that are not named, with error bars."""
    from promptkit.report import FORMATS, Axes, draw, sweep_points

    if out.suffix.lower() not in FORMATS:
        raise RunError(f"--out: {str(out)!r} ends with none of {', '.join(FORMATS)}")
    points = sweep_points(read_sweep(sweep), sweep_rows(sweep), Axes(x=x, y=y, color=color, bars=bars.value))
    drawn = draw(points, out)
    try:
        out.write_bytes(drawn)
    except OSError as error:
        raise RunError(f"{str(out)!r} cannot be written: {(error.strerror or str(error)).lower()}") from error
    say(f"wrote {out}: {points.caption}")
