"""The page of one run, of several, or of a sweep, as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from promptkit.errors import RunError
from promptkit.report.page.examples import examples_json
from promptkit.report.page.head import Head, head_of
from promptkit.report.page.several import Against, Cells, against_of, cells_of
from promptkit.report.page.shared import Shared
from promptkit.run import Pair, compare_read, is_sweep, read_cells, read_run, read_sweep
from promptkit.version import __version__

__all__ = ["Page", "make_page", "page_html"]

FILES = Path(__file__).parent / "files"
SCRIPTS = ("nodes.js", "data.js", "filters.js", "list.js", "texts.js", "reading.js", "detail.js", "start.js")
IMAGES = {".svg": "image/svg+xml", ".png": "image/png"}
Runs = Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]  # the summary and the rows of each
ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}  # what could end a script, or a line in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page shows: its runs' heads, what their comparison or their sweep says, and the data that is embedded.

    `note` says why runs are not compared. `shown` is the number of the run whose examples stand there at first.
    """

    title: str
    heads: tuple[Head, ...]
    data: Mapping[str, Any]
    against: tuple[Against, ...] = ()
    cells: Cells | None = None
    note: str = ""
    shown: int = 0
    picture: str = ""
    num_examples: int = 0


def make_page(folders: Sequence[Path], picture: Path | None = None) -> Page:
    """The page of these runs. `picture` is an SVG or PNG file that is shown beside a sweep.

    Raises `RunError` for what is no run, and where a sweep is not alone.
    """
    drawn = picture_uri(picture) if picture else ""
    if any(is_sweep(folder) for folder in folders):
        if len(folders) > 1:
            raise RunError(
                "a sweep has a page of its own, and was given with other runs\n    its cells are runs: SWEEP/0, SWEEP/1, ..."
            )
        return sweep_page(folders[0], drawn)
    runs = [read_run(folder) for folder in folders]
    labels = [f"run {number}" for number in range(1, len(runs) + 1)]
    pairs, note = compared(folders, runs)
    names = dict.fromkeys(f"{summary['pipeline']} on {summary['model']}" for summary, _ in runs)
    return Page(
        title=" and ".join(names) if len(names) < 3 else f"{len(names)} pipelines",
        heads=heads(runs, labels),
        data=page_data(runs, labels, pairs),
        against=tuple(against_of(pair, len(pairs)) for pair in pairs),
        note=note,
        shown=min(1, len(runs) - 1),
        picture=drawn,
        num_examples=sum(summary["num_examples"] for summary, _ in runs),
    )


def sweep_page(folder: Path, picture: str) -> Page:
    """The page of a sweep: each cell is a run."""
    sweep = read_sweep(folder)
    runs = read_cells(folder)
    cells = cells_of(sweep)
    labels = [cells.label(number) for number in range(len(runs))]
    return Page(
        title=f"{sweep['pipeline']} on {sweep['model']}, a sweep",
        heads=heads(runs, labels),
        data=page_data(runs, labels, ()),
        cells=cells,
        shown=cells.best,
        picture=picture,
        num_examples=sum(summary["num_examples"] for summary, _ in runs),
    )


def compared(folders: Sequence[Path], runs: Runs) -> tuple[tuple[Pair, ...], str]:
    """Each run after the first compared with it; or no pairs, and why, where they have nothing to compare."""
    if len(runs) < 2:
        return (), ""
    try:
        return compare_read(tuple(map(str, folders)), runs).pairs, ""
    except RunError as error:
        return (), f"not compared: {str(error).splitlines()[0]}"


def heads(runs: Runs, labels: Sequence[str]) -> tuple[Head, ...]:
    """What is said of each run."""
    return tuple(head_of(summary, number, labels[number]) for number, (summary, _) in enumerate(runs))


def page_data(runs: Runs, labels: Sequence[str], pairs: Sequence[Pair]) -> dict[str, Any]:
    """What the page's script reads: the examples of each run, and what they share."""
    shared = Shared()
    flips = {pair.number: pair.flips for pair in pairs}
    examples = [
        {
            "label": labels[number],
            "name": summary["pipeline"],
            "metric": next(iter(summary["scores"]), ""),
            "examples": list(examples_json(summary, rows, shared, flips.get(number, ()))),
        }
        for number, (summary, rows) in enumerate(runs)
    ]
    return {"runs": examples, "is_compared": bool(pairs), **shared.to_json()}


def page_html(page: Page) -> str:
    """The page as HTML. Scripts, styles and data are in it; the policy in its head lets it load nothing else."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(FILES), trim_blocks=True
    )
    script = "\n".join((FILES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        page=page,
        version=__version__,
        style=Markup((FILES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own files
        script_digest=digest,
        data=Markup(json_for_script({**page.data, "shown": page.shown})),  # noqa: S704 - nothing in it is HTML
    )


def json_for_script(value: Any) -> str:
    r"""JSON that can stand in a script of an HTML page, whatever texts it holds.

    >>> json_for_script("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(ESCAPES)


def picture_uri(file: Path) -> str:
    """A picture as text that a page can hold. Raises `RunError` where it is none, or cannot be read."""
    if file.suffix.lower() not in IMAGES:
        raise RunError(f"--picture: {str(file)!r} ends with none of {', '.join(IMAGES)}")
    try:
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise RunError(f"{str(file)!r} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return f"data:{IMAGES[file.suffix.lower()]};base64,{content}"
