"""`promptkit run`: runs pipelines and prints the table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.options import AllowCode, AsJson, DataFolder, Files, Limit, ModelName, Overrides, Split
from promptkit.cli.output import print_json, print_view, say
from promptkit.generate import Generator, Loading, ModelDeclaration
from promptkit.run import DEFAULT_OUT, Pipeline, Run, Selection, Settings, load, run_pipeline

__all__ = ["run"]


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
        typer.Option(metavar="METRIC=VALUE", help="exit with 1 if a score is lower, e.g. accuracy=0.8"),
    ] = None,
    allow_code: AllowCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress")] = False,
    as_json: AsJson = False,
) -> None:
    """Run pipelines on a model: progress on standard error, a table at the end."""
    thresholds = dict(threshold(each) for each in at_least or [])
    pipelines = [load(file, overrides=overrides or [], allow_code=allow_code) for file in files]
    if model:
        pipelines = [pipeline.with_model(model) for pipeline in pipelines]
    settings = Settings(
        selection=Selection(split=split, limit=limit, data_folder=data),
        loading=Loading(dtype=dtype, batch_size=batch_size),
        out=out,
        store=store,
        refresh=refresh,
    )
    runs = run_all(pipelines, settings, quiet=quiet)
    show_runs(runs, as_json=as_json)
    if any(is_missed(finished.scores, thresholds) for finished in runs):
        raise typer.Exit(1)


def run_all(pipelines: list[Pipeline], settings: Settings, *, quiet: bool) -> list[Run]:
    """The finished runs. Pipelines on the same model share it."""
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
    return runs


def show_runs(runs: list[Run], *, as_json: bool) -> None:
    """Prints the table, or one JSON object: the run, or `{"runs": [...]}` for several."""
    if as_json:
        summaries = [public(finished.summary) for finished in runs]
        print_json(summaries[0] if len(summaries) == 1 else {"runs": summaries})
        return
    from promptkit.report import runs_table

    print_view(runs_table([finished.summary for finished in runs]))
    for finished in runs:
        say(f"run: {finished.folder}")


def public(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary without what only `run.json` needs."""
    return {name: value for name, value in summary.items() if name not in ("declaration", "folder")}


def threshold(text: str) -> tuple[str, float]:
    """A metric and the least value asked for. Raises a usage error that shows the form."""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not METRIC=VALUE, such as accuracy=0.8") from error


def is_missed(scores: Mapping[str, Any], thresholds: Mapping[str, float]) -> bool:
    """Whether a threshold does not hold; said on standard error."""
    missed = False
    for name, least in thresholds.items():
        if name not in scores:
            raise typer.BadParameter(f"there is no metric {name!r}; there is: {', '.join(scores)}")
        value = scores[name]["value"]
        if value is None or value < least:
            say(f"{name} is {'n/a' if value is None else round(value, 4)}, asked for at least {least}")
            missed = True
    return missed
