"""A run, from a pipeline to its records, its summary and its folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.align import STATUSES, Answer
from promptkit.errors import MissingExtra
from promptkit.generate import THOUGHTS, Generator, Loading, Work
from promptkit.run.audit import audit, check_has_reference
from promptkit.run.course import follow, start
from promptkit.run.deciding import decisions
from promptkit.run.execute import Progress, execute, job_keys
from promptkit.run.folder import DEFAULT_OUT, claim, run_name, write_run
from promptkit.run.frozen import FrozenModel
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job
from promptkit.run.prompter import Selection
from promptkit.run.record import Grader, Made, Record, thought_columns
from promptkit.run.reliability import reliability, stage_reliability
from promptkit.run.store import Store, default_store
from promptkit.run.table import records_table
from promptkit.score import Score, count_statuses, status_rates, summarize
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    before = opened.work
    executed = partial(execute_stored, settings=settings, generator=opened, watch=watch)
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
    jobs: Sequence[Job], settings: Settings, generator: Generator, watch: Callable[[Callable[[], Progress]], None]
) -> list[Made]:
    """What was made for each job, kept in the store, which is opened only now: a plan that fails makes none."""
    with Store(settings.store or default_store()) as store:
        return execute(jobs, generator, store, watch, refresh=settings.refresh)


def work_between(before: Work, after: Work) -> dict[str, float]:
    """The work that was done between, rounded; without what is counted for the progress alone."""
    names = [each.name for each in fields(Work) if each.name not in FOR_PROGRESS]
    return {name: round(getattr(after, name) - getattr(before, name), 3) for name in names}


def summary_of(pipeline: Pipeline, records: Sequence[Record]) -> dict[str, Any]:
    """What a table shows of records: scores with their intervals, and the statuses beside them.

    Where the chain decides over samples, these are of what was decided; under `samples` the same of single samples.
    """
    beside = thinking_summary(records)
    if pipeline.declaration.stages:
        beside["stages"] = stages_summary(pipeline, records)
    if pipeline.deciding is None:
        return {**plain_summary(pipeline, records), **beside}
    single = plain_summary(pipeline, records)
    names = ("scores", "statuses", "status_rates")
    return {
        **plain_summary(pipeline, decisions(records)),
        "num_samples": len(records),
        "samples": {"decided_by": pipeline.deciding.kind, **{name: single[name] for name in names}},
        **beside,
    }


def stages_summary(pipeline: Pipeline, records: Sequence[Record]) -> dict[str, Any]:
    """Of each stage: how often it ran, its statuses, the answers to examples that are its own, its tokens, its weighing."""
    ran = [each for record in records for each in record.stages]
    scores_of = partial(scores_json, pipeline)
    return {
        name: {
            **stage_summary(name, records, [each for each in ran if each["stage"] == name]),
            **stage_reliability(name, records, stage, scores_of),
        }
        for name, stage in pipeline.stages.items()
    }


def stage_summary(name: str, records: Sequence[Record], ran: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same of one stage, from what the records keep of it."""
    return {
        "num_ran": len(ran),
        "num_answers": sum(record.stage == name and isinstance(record.outcome, Answer) for record in records),
        "statuses": count_statuses([each["status"] for each in ran], STATUSES),
        "prompt_tokens": sum(each["num_prompt_tokens"] for each in ran),
        "new_tokens": sum(each["num_new_tokens"] for each in ran),
    }


def plain_summary(pipeline: Pipeline, records: Sequence[Record]) -> dict[str, Any]:
    """The same of each record by itself."""
    statuses = count_statuses([record.outcome.status for record in records], STATUSES)
    return {
        "pipeline": pipeline.name,
        "file": pipeline.file,
        "model": pipeline.declaration.model.label,
        "num_examples": len({record.id for record in records}),
        "num_samples": len(records),
        "scores": scores_json(pipeline, records),
        "statuses": statuses,
        "status_rates": status_rates(statuses),
        **reliability(records, pipeline, partial(scores_json, pipeline)),
    }


def scores_json(pipeline: Pipeline, records: Sequence[Record]) -> dict[str, Any]:
    """Each metric over records."""
    answered = [record for record in records if isinstance(record.outcome, Answer)]
    return {metric.name: score_json(metric.name, records, answered) for metric in pipeline.metrics}


def thinking_summary(records: Sequence[Record]) -> dict[str, Any]:
    """Under `thinking`, how many completions closed theirs, and the mean of its tokens over those that thought.

    Of all stages, where there are several. Nothing where no thinking was declared.
    """
    rows = [row for each in records for row in (each.stages or (thought_columns(each.completion.thought),))]
    thoughts = [row for row in rows if row.get("thinking")]
    if not thoughts:
        return {}
    states = [row["thinking"] for row in thoughts]
    nums = [row["num_thinking_tokens"] for row in thoughts if row["thinking"] != "none"]
    mean = round(sum(nums) / len(nums), 1) if nums else None
    return {"thinking": {**{state: states.count(state) for state in THOUGHTS}, "mean_tokens": mean}}


def score_json(metric: str, records: Sequence[Record], answered: Sequence[Record]) -> dict[str, Any]:
    """A metric over all records, and under `answered` over those that have an answer: `num` examples."""
    score, of_answered = metric_score(metric, records), metric_score(metric, answered)
    return {**interval_json(score), "answered": {**interval_json(of_answered), "num": of_answered.num}}


def interval_json(score: Score) -> dict[str, float | None]:
    """A score's value and its interval."""
    return {"value": score.value, "low": score.low, "high": score.high}


def metric_score(metric: str, records: Iterable[Record]) -> Score:
    """A metric over all examples. Samples of one example are averaged first: they are not independent."""
    by_example: dict[str, list[float]] = {}
    for record in records:
        value = record.scores[metric]
        if value is not None:
            by_example.setdefault(record.id, []).append(value)
    return summarize(metric, [sum(values) / len(values) for values in by_example.values()])


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
