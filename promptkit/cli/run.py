"""`promptkit run`: runs pipelines and prints the table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.options import (
    AllowCode,
    AsJson,
    DataFolder,
    Dtype,
    Files,
    Limit,
    Memory,
    ModelName,
    Overrides,
    Slots,
    Split,
    StoreFile,
)
from promptkit.cli.output import print_json, print_view, say
from promptkit.errors import RunError
from promptkit.generate import Generator, Loading, ModelDeclaration
from promptkit.run import DEFAULT_OUT, Pipeline, Run, Selection, Settings, check_has_reference, load, run_pipeline
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
    dtype: Dtype = "auto",
    slots: Slots = None,
    memory: Memory = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="where run folders go")] = DEFAULT_OUT,
    store: StoreFile = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="compute again what the store holds")] = False,
    audit: Annotated[
        int, typer.Option(metavar="N", min=0, help="rows computed once more, each alone, and compared")
    ] = 0,
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
        loading=Loading(dtype=dtype, slots=slots, memory=memory),
        out=out,
        store=store,
        refresh=refresh,
        num_audited=audit,
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

    models = Models(settings.loading)
    for pipeline in pipelines if settings.num_audited else ():
        check_has_reference(models.open(pipeline.declaration.model))
    runs = []
    for pipeline in pipelines:
        generator = models.open(pipeline.declaration.model)
        with ProgressLine(pipeline.name) as line:
            watch = (lambda _: None) if quiet else line.watch
            runs.append(run_pipeline(pipeline, settings, watch, generator=generator))
        if not as_json:
            say(f"run: {runs[-1].folder}")
    return runs


class Models:
    """The models that are open, each once."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._opened: list[tuple[ModelDeclaration, Generator]] = []  # a declaration may hold maps, and so have no hash

    def open(self, model: ModelDeclaration) -> Generator:
        """The generator of a model, opened when it is first asked for."""
        known = next((generator for declared, generator in self._opened if declared == model), None)
        if known is None:
            known = model.open(self._loading)
            self._opened.append((model, known))
        return known


def show_runs(runs: list[Run], *, as_json: bool) -> None:
    """Prints the table and what the audits found, or one JSON object: the run, or `{"runs": [...]}` for several."""
    if as_json:
        summaries = [public(finished.summary) for finished in runs]
        print_json(summaries[0] if len(summaries) == 1 else {"runs": summaries})
        return
    from promptkit.report import audit_view, runs_table, stages_view, unanswered_line

    print_view(runs_table([finished.summary for finished in runs]))
    for finished in runs:
        if "stages" in finished.summary:
            print_view(stages_view(finished.summary))
    for finished in runs:
        if line := unanswered_line(finished.summary, f"promptkit explain {finished.folder}"):
            say(line)
    for finished in runs:
        if "audit" in finished.summary:
            label = "audit" if len(runs) == 1 else f"audit of {finished.summary['pipeline']}"
            print_view(audit_view(finished.summary["audit"], label))


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
