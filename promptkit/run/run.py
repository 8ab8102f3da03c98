"""A run, from a pipeline to its records, its summary and its folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import MissingExtra
from promptkit.generate import Generator, Loading, Work
from promptkit.run.audit import audit, check_has_reference
from promptkit.run.course import follow, start
from promptkit.run.execute import Progress, execute, job_keys
from promptkit.run.folder import DEFAULT_OUT, claim, run_name, write_run
from promptkit.run.frozen import FrozenModel
from promptkit.run.missed import Missed, Misses
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job
from promptkit.run.prompter import Selection
from promptkit.run.record import Grader, Made, Record
from promptkit.run.store import Store, default_store
from promptkit.run.summary import summary_of
from promptkit.run.table import records_table
from promptkit.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Run", "Settings", "run_pipeline"]

FOR_PROGRESS = ("num_live", "num_new_tokens")  # of `Work`; a run counts the new tokens of its records


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to run: which examples, how the model is loaded, where completions and the run folder go.

    `num_audited` rows are computed once more, each alone, and compared.
    """

    selection: Selection = field(default_factory=Selection)
    loading: Loading = field(default_factory=Loading)
    out: Path = DEFAULT_OUT
    store: Path | None = None
    refresh: bool = False
    num_audited: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """A finished run: its records in the order of the data, its summary, and the folder that holds both.

    `fitting` are the records of solved rows that a step of O was fitted on.
    """

    folder: Path | None
    summary: Mapping[str, Any]
    records: Sequence[Record]
    fitting: Sequence[Record] = ()

    @property
    def scores(self) -> Mapping[str, Any]:
        """Each metric's value with its 95 % interval; the same under `answered` over the answered alone."""
        scores: Mapping[str, Any] = self.summary["scores"]
        return scores

    def __repr__(self) -> str:
        """What a notebook shows: a line, and not every prompt and completion."""
        told = [f"{self.summary['num_examples']:,} examples"]
        told += [f"{name} {each['value']:.3f}" for name, each in self.scores.items() if each["value"] is not None]
        of = f"{self.summary['pipeline']!r} on {self.summary['model']!r}"
        return f"<{type(self).__name__} of {of}: {', '.join(told)}>"

    def to_arrow(self) -> pa.Table:
        """The records as an Arrow table, one a row."""
        return records_table([record.to_row() for record in self.records])

    def to_pandas(self) -> pd.DataFrame:
        """The records as a pandas frame, one a row. Raises `MissingExtra` where pandas is not installed."""
        try:
            frame: pd.DataFrame = self.to_arrow().to_pandas()
        except ImportError as error:
            raise MissingExtra("pandas", "pandas") from error
        return frame


def run_pipeline(
    pipeline: Pipeline,
    settings: Settings,
    watch: Callable[[Callable[[], Progress]], None] = lambda _: None,
    *,
    generator: Generator | None = None,
    is_written: bool = True,
) -> Run:
    """The finished run. `generator` is a model that is open already; else the pipeline's own is opened.

    `watch` is given what tells at any moment, from any thread, how far the run is.
    """
    started = time.perf_counter()
    if not is_written:
        return compute(pipeline, settings, watch, generator, started)
    with claim(settings.out) as partial:
        finished = compute(pipeline, settings, watch, generator, started)
        digest = finished.summary["digest"]
        folder = settings.out / run_name(pipeline.name, pipeline.declaration.model.label, digest)
        summary = {"run": str(folder), **finished.summary}
        tables = (finished.records, finished.fitting)
        write_run(partial, folder, summary, *([record.to_row() for record in table] for table in tables))
    return replace(finished, folder=folder, summary=summary)


def compute(
    pipeline: Pipeline,
    settings: Settings,
    watch: Callable[[Callable[[], Progress]], None],
    generator: Generator | None,
    started: float,
) -> Run:
    """The run, not yet written."""
    opened = generator or pipeline.declaration.model.open(settings.loading)
    if settings.num_audited:
        check_has_reference(opened)
    before, misses = opened.work, Misses()
    executed = partial(execute_stored, settings=settings, generator=opened, watch=watch, tell=misses)
    frozen = FrozenModel(
        pipeline=pipeline, generator=opened, store=settings.store, watch=watch, refresh=settings.refresh
    )
    (followed,) = follow([start(pipeline, settings.selection, opened, frozen)], executed, opened)
    jobs, made, records = followed.jobs, followed.made, followed.records
    num_kept = sum(each.from_store for each in made)
    summary = {
        **summary_of(pipeline, records),
        "timing": {
            **work_between(before, opened.work),
            "total_s": round(time.perf_counter() - started, 3),
            "prompt_tokens": sum(len(job.request.token_ids) for job in jobs),
            "new_tokens": sum(each.completion.num_new_tokens for each in made),
        },
        "completions": {"computed": len(made) - num_kept, "from_store": num_kept},
        "missed": misses.to_json(),
        "digest": run_digest(pipeline, jobs, opened),
        "selection": asdict(settings.selection),
        "formats": list(pipeline.formats),
        "identity": dict(opened.identity),
        "promptkit": __version__,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "declaration": pipeline.plain,
        "folder": str(pipeline.folder),
    }
    if settings.num_audited:  # last: what it computes is no part of the run's work
        summary["audit"] = audit(jobs, made, opened, Grader.of(pipeline), settings.num_audited)
    fitting = [Grader.of(pipeline).record(job, each) for job, each in zip(jobs, made, strict=True) if job.is_fitting]
    return Run(folder=None, summary=summary, records=records, fitting=fitting)


def execute_stored(
    jobs: Sequence[Job],
    settings: Settings,
    generator: Generator,
    watch: Callable[[Callable[[], Progress]], None],
    tell: Callable[[Sequence[Missed]], None],
) -> list[Made]:
    """What was made for each job, kept in the store, which is opened only now: a plan that fails makes none."""
    with Store(settings.store or default_store()) as store:
        return execute(jobs, generator, store, watch, refresh=settings.refresh, tell=tell)


def work_between(before: Work, after: Work) -> dict[str, float]:
    """The work that was done between, rounded; without what is counted for the progress alone."""
    names = [each.name for each in fields(Work) if each.name not in FOR_PROGRESS]
    return {name: round(getattr(after, name) - getattr(before, name), 3) for name in names}


def run_digest(pipeline: Pipeline, jobs: Sequence[Job], generator: Generator) -> str:
    """SHA-256 of all that a run is a function of: what the files said, the examples, the requests, and the model."""
    digest = hashlib.sha256(json.dumps(pipeline.plain, sort_keys=True, default=str).encode())
    for job in jobs:
        key, asked = job_keys(job, generator)
        digest.update(job.example.id.encode())
        digest.update(json.dumps(dict(job.example.fields), default=str).encode())
        digest.update(key)
        digest.update(json.dumps(job.target, default=str).encode())
        digest.update(b"".join(asked[name] for name in sorted(asked)))
    for text in pipeline.named_files:
        digest.update(text.encode())
    return digest.hexdigest()
