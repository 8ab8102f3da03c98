"""What a table shows of a run's records: scores with their intervals, the statuses beside them, and each stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from promptkit.align import STATUSES, Answer
from promptkit.generate import THOUGHTS
from promptkit.run.deciding import decisions
from promptkit.run.pipeline import Pipeline
from promptkit.run.record import Record, thought_columns
from promptkit.run.reliability import reliability, stage_reliability
from promptkit.score import Score, count_statuses, status_rates, summarize

__all__ = ["interval_json", "metric_score", "summary_of"]


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
