"""`promptkit run`: runs pipelines and prints the table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.loading import load_any
from promptkit.cli.options import (
    AllowCode,
    AsJson,
    CellNumber,
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
from promptkit.generate import Loading
from promptkit.run import (
    DEFAULT_OUT,
    Models,
    Pipeline,
    Run,
    Selection,
    Settings,
    Sweep,
    SweepRun,
    check_has_reference,
    run_pipeline,
    run_sweep,
)
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
    cell: CellNumber = None,
    allow_code: AllowCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress")] = False,
    as_json: AsJson = False,
) -> None:
    """Run pipelines on a model: progress on standard error, a table at the end.

    A file with a `matrix` is run in all its cells, which compute once what they share.
    """
    pipelines = [load_any(file, overrides or [], cell, allow_code=allow_code) for file in files]
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
    missed = [said for finished in each_run(runs) for said in missed_thresholds(finished, thresholds)]
    for said in missed:
        say(said)
    if missed:
        raise typer.Exit(1)


def run_all(pipelines: list[Pipeline | Sweep], settings: Settings, *, quiet: bool, as_json: bool) -> list[Run]:
    """The finished runs, each said when it is. Pipelines on the same model share it."""
    from promptkit.report import ProgressLine

    models = Models(settings.loading)
    for pipeline in each_pipeline(pipelines) if settings.num_audited else ():
        check_has_reference(models.open(pipeline.declaration.model))
    runs: list[Run] = []
    for declared in pipelines:
        with ProgressLine(declared.name) as line:
            watch = (lambda _: None) if quiet else line.watch
            if isinstance(declared, Sweep):
                runs.append(run_sweep(declared, settings, watch, models=models))
            else:
                generator = models.open(declared.declaration.model)
                models.turn_to(generator)
                runs.append(run_pipeline(declared, settings, watch, generator=generator))
        if not as_json:
            say(f"{'sweep' if isinstance(declared, Sweep) else 'run'}: {runs[-1].folder}")
    return runs


def each_pipeline(declared: Iterable[Pipeline | Sweep]) -> Iterator[Pipeline]:
    """The pipelines, and those of sweeps' cells."""
    for each in declared:
        yield from each.pipelines if isinstance(each, Sweep) else (each,)


def each_run(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs, and those of sweeps' cells."""
    for each in runs:
        yield from each.cells if isinstance(each, SweepRun) else (each,)


def show_runs(runs: list[Run], *, as_json: bool) -> None:
    """Prints the table and what the audits found, or one JSON object: the run, or `{"runs": [...]}` for several."""
    if as_json:
        summaries = [public(finished.summary) for finished in runs]
        print_json(summaries[0] if len(summaries) == 1 else {"runs": summaries})
        return
    from promptkit.report import audit_view, runs_table, stages_view, sweep_view

    single = [finished for finished in runs if not isinstance(finished, SweepRun)]
    if single:
        print_view(runs_table([finished.summary for finished in single]))
    for finished in runs:
        if isinstance(finished, SweepRun):
            print_view(sweep_view(finished.summary))
        elif "stages" in finished.summary:
            print_view(stages_view(finished.summary))
    show_lines(single)
    for finished in each_run(runs):
        if "audit" in finished.summary:
            label = "audit" if len(runs) == len(single) == 1 else f"audit of {run_label(finished)}"
            print_view(audit_view(finished.summary["audit"], label))


def show_lines(runs: list[Run]) -> None:
    """Prints what a table has no room for: how thinking ended, and where to look for what has no answer."""
    from promptkit.report import thinking_lines, unanswered_line

    for line in thinking_lines([finished.summary for finished in runs]):
        print_view(line)
    for finished in runs:
        if said := unanswered_line(finished.summary, f"promptkit explain {finished.folder}"):
            say(said)


def run_label(finished: Run) -> str:
    """The name of a run's pipeline, and of its cell where it is one."""
    number = finished.summary.get("cell")
    return f"{finished.summary['pipeline']}{'' if number is None else f', cell {number}'}"


def public(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The summary without what only `run.json` needs, or `sweep.json`."""
    shown = {name: value for name, value in summary.items() if name not in ("columns", "declaration", "folder")}
    return {**shown, "cells": [public(cell) for cell in shown["cells"]]} if "cells" in shown else shown


def thresholds_for(pipelines: list[Pipeline | Sweep], texts: list[str]) -> dict[str, float]:
    """The least value of each metric. Raises `RunError`, before anything runs, for a metric that no pipeline has."""
    thresholds = dict(threshold(text) for text in texts)
    known = {metric.name for pipeline in each_pipeline(pipelines) for metric in pipeline.metrics}
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
                yield f"{run_label(finished)}: {name} is {shown}, asked for at least {least:g}"
