"""`promptkit report`: finished runs as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AsJson
from promptkit.cli.output import print_json, say, writing

__all__ = ["report"]


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="folders of finished runs, cells of sweeps (SWEEP/N), or one sweep"),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="the page; beside the first run, RUN.html, if not given")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a picture of the sweep to show on it: .svg or .png")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a page: every prompt exactly as the model read it, every completion, and how its answer was found.

    One HTML file that loads nothing, from a disk or a server. Of two runs or more, each is compared with the first. Of a
    sweep, each cell is there. Needs no model.
    """
    from promptkit.report.page import make_page, page_html

    page = make_page(runs, picture)
    html = page_html(page)
    file = out or page_beside(runs)
    with writing(file) as stream:
        stream.write(html)
    size = len(html.encode())
    told = {"page": str(file), "bytes": size, "num_runs": len(page.heads), "num_examples": page.num_examples}
    if as_json:
        print_json(told)
        return
    of = f"{page.num_examples:,} examples" + (f" of {len(page.heads)} runs" if len(page.heads) > 1 else "")
    say(f"wrote {file}: {of}, {format_size(size)}")


def page_beside(runs: list[Path]) -> Path:
    """Where a page goes that was given no place: beside its first run, under its name and how many others there are."""
    first = runs[0]
    others = f"--and-{len(runs) - 1}-more" if len(runs) > 1 else ""
    if first.name.isdecimal():  # a cell of a sweep
        return first.parent.parent / f"{first.parent.name}--{first.name}{others}.html"
    folder = first.parent if first.name else first.resolve().parent
    return folder / f"{first.resolve().name}{others}.html"


def format_size(num_bytes: int) -> str:
    """A size as people read it.

    >>> format_size(812_000), format_size(12_345_678)
    ('812 kB', '12.3 MB')
    """
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e6 else f"{max(1, round(num_bytes / 1e3))} kB"
