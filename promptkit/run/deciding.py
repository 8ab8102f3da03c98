"""Statistical alignment: one answer an example, decided over its samples by the chain's last step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from promptkit.align import Ballot, DecidingStep, Verdict
from promptkit.run.decided import Decided
from promptkit.run.pipeline import Pipeline
from promptkit.run.record import Record, scored
from promptkit.score import Metric

__all__ = ["decide", "decisions"]


def decide(records: Sequence[Record], pipeline: Pipeline) -> list[Record]:
    """The records, each with what was decided for its example, where the chain decides anything."""
    step = pipeline.deciding
    if step is None:
        return list(records)
    by_example: dict[str, list[Record]] = {}
    for record in records:
        by_example.setdefault(record.id, []).append(record)
    name = f"align[{len(pipeline.declaration.align) - 1}].{step.kind}"
    decided = {example: decided_over(samples, step, name, pipeline.metrics) for example, samples in by_example.items()}
    return [replace(record, decided=decided[record.id]) for record in records]


def decided_over(samples: Sequence[Record], step: DecidingStep, name: str, metrics: Sequence[Metric]) -> Decided:
    """What the step decides over an example's samples. Answers are one where the first metric takes them for one."""
    verdict = step.decide([ballot(each) for each in samples], metrics[0].is_same)
    verdict = replace(verdict, outcome=replace(verdict.outcome, step=name))
    return Decided(verdict=verdict, scores=scored(replace(samples[0], outcome=verdict.outcome), metrics).scores)


def ballot(record: Record) -> Ballot:
    """What a sample said."""
    completion = record.completion
    return Ballot(
        sample=record.sample,
        outcome=record.outcome,
        log_likelihood=completion.log_likelihood,
        num_tokens=completion.num_new_tokens,
    )


def decisions(records: Sequence[Record]) -> list[Record]:
    """One record an example, whose outcome and scores are what was decided."""
    first: dict[str, Record] = {}
    for record in records:
        first.setdefault(record.id, record)
    return [as_decided(record) for record in first.values()]


def as_decided(record: Record) -> Record:
    """The record with what was decided in place of what its sample said."""
    assert record.decided is not None
    verdict: Verdict = record.decided.verdict
    return replace(record, outcome=verdict.outcome, scores=record.decided.scores)
