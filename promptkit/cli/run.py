"""`promptkit run`: runs pipelines and prints the table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.options import AllowCode, AsJson, DataFolder, Files, Limit, ModelName, Overrides, Split
from promptkit.cli.output import print_json, print_view, say
from promptkit.errors import RunError
from promptkit.generate import Generator, Loading, ModelDeclaration
from promptkit.run import DEFAULT_OUT, Pipeline, Run, Selection, Settings, load, run_pipeline
from promptkit.text import known_names

__all__ = ["run"]


def threshold(text: str) -> tuple[str, float]:
    """A metric and the least value asked for. Raises a usage error that shows the form."""
    name, _, value = text.partition("=")
    try:
        least = float(value)
    except ValueError:
        least = math.nan
    if not 0 <= least <= 1:
        raise typer.BadParameter(f"{text!r} is not METRIC=VALUE with a value from 0 to 1, such as accuracy=0.8")
    return name, least


def checked_thresholds(texts: list[str] | None) -> list[str]:
    """The texts, each of which `threshold` can read."""
    for text in texts or []:
        threshold(text)
    return texts or []


def run(
    files: Files,
    model: ModelName = None,
    data: DataFolder = None,
    split: Split = "test",
    limit: Limit = None,
    overrides: Overrides = None,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16, float16")] = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="rows computed at once")] = 16,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders go")] = DEFAULT_OUT,
    store: Annotated[Path | None, typer.Option(metavar="FILE", help="the completion store")] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="compute again what the store holds")] = False,
    at_least: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC=VALUE",
            help="exit with 1 if a score is lower, e.g. accuracy=0.8",
            callback=checked_thresholds,
        ),
    ] = None,
    allow_code: AllowCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress")] = False,
    as_json: AsJson = False,
) -> None:
    """Run pipelines on a model: progress on standard error, a table at the end."""
    pipelines = [load(file, overrides=overrides or [], allow_code=allow_code) for file in files]
    thresholds = thresholds_for(pipelines, at_least or [])
    if model:
        pipelines = [pipeline.with_model(model) for pipeline in pipelines]
    settings = Settings(
        selection=Selection(split=split, limit=limit, data_folder=data),
        loading=Loading(dtype=dtype, batch_size=batch_size),
        out=out,
        store=store,
        refresh=refresh,
    )
    runs = run_all(pipelines, settings, quiet=quiet, as_json=as_json)
    show_runs(runs, as_json=as_json)
    missed = [said for finished in runs for said in missed_thresholds(finished, thresholds)]
    for said in missed:
        say(said)
    if missed:
        raise typer.Exit(1)


def run_all(pipelines: list[Pipeline], settings: Settings, *, quiet: bool, as_json: bool) -> list[Run]:
    """The finished runs, each said when it is. Pipelines on the same model share it."""
    from promptkit.report import ProgressLine

    opened: list[tuple[ModelDeclaration, Generator]] = []  # a declaration may hold maps, and so have no hash
    runs = []
    for pipeline in pipelines:
        model = pipeline.declaration.model
        generator = next((known for declared, known in opened if declared == model), None)
        if generator is None:
            generator = model.open(settings.loading)
            opened.append((model, generator))
        with ProgressLine(pipeline.name) as line:
            show = (lambda _: None) if quiet else line.show
            runs.append(run_pipeline(pipeline, settings, show, generator=generator))
        if not as_json:
            say(f"run: {runs[-1].folder}")
    return runs


def show_runs(runs: list[Run], *, as_json: bool) -> None:
    """Prints the table, or one JSON object: the run, or `{"runs": [...]}` for several."""
    if as_json:
        summaries = [public(finished.summary) for finished in runs]
        print_json(summaries[0] if len(summaries) == 1 else {"runs": summaries})
        return
    from promptkit.report import runs_table

    print_view(runs_table([finished.summary for finished in runs]))


def public(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary without what only `run.json` needs."""
    return {name: value for name, value in summary.items() if name not in ("declaration", "folder")}


def thresholds_for(pipelines: list[Pipeline], texts: list[str]) -> dict[str, float]:
    """The least value of each metric. Raises `RunError`, before anything runs, for a metric that no pipeline has."""
    thresholds = dict(threshold(text) for text in texts)
    known = {metric.name for pipeline in pipelines for metric in pipeline.metrics}
    for name in thresholds:
        if name not in known:
            raise RunError(f"--at-least: there is no metric {name!r}\n    {known_names(name, known)}")
    return thresholds


def missed_thresholds(finished: Run, thresholds: Mapping[str, float]) -> Iterator[str]:
    """What is said of each threshold that a run does not reach. A metric that it does not have asks nothing of it."""
    for name, least in thresholds.items():
        if name in finished.scores:
            value = finished.scores[name]["value"]
            if value is None or value < least:
                shown = "n/a" if value is None else f"{value:.4g}"
                yield f"{finished.summary['pipeline']}: {name} is {shown}, asked for at least {least:g}"
