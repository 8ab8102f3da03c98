"""Statistical alignment of options: each row's answer by the scores of all, and how sure answers are before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.align import Ask, ScoreRow, WeighingStep, softmax
from promptkit.errors import RunError
from promptkit.generate import Choose
from promptkit.run.calibrated import Calibrated
from promptkit.run.choosing import comparable
from promptkit.run.context import context_again
from promptkit.run.pipeline import Pipeline
from promptkit.run.record import Record, realigned

__all__ = ["probabilities", "replaced_in", "weigh"]


def weigh(
    records: Sequence[Record], fitting: Sequence[Record], pipeline: Pipeline, formats: tuple[str, ...]
) -> list[Record]:
    """The records, each answered by the weighed scores of its options, where the chain begins with such a step.

    `fitting` are those of solved rows, `formats` those of the prompts. Raises `RunError` where the run did not ask what
    the step needs.
    """
    step = pipeline.weighing
    if step is None or not records:
        return list(records)
    choose = pipeline.declaration.choose
    if choose is not None and choose.normalize == "unconditional":  # in a run that is scored again with another chain
        raise RunError(f"{step.kind}: the run has `normalize: unconditional`, and both calibrate")
    asks = step.asks([record.fields for record in records], step.replaced or replaced_in(records))
    solved = [solved_row(record, step, choose) for record in drawn(step, fitting)]
    weighing = step.weigh([score_row(record, step, choose, asks) for record in records], solved)
    rows = zip(records, weighing.rows, strict=True)
    return [
        weighed_record(
            record,
            Calibrated(
                weighed=weighed,
                weighing=weighing,
                probabilities=probabilities(record, choose),
                before=record.outcome if step.gives_options else None,
                scores=record.scores if step.gives_options else {},
            ),
            pipeline,
            formats,
        )
        for record, weighed in rows
    ]


def weighed_record(record: Record, calibrated: Calibrated, pipeline: Pipeline, formats: tuple[str, ...]) -> Record:
    """The record with the answer that its weighed scores give."""
    context = context_again(record, formats, calibrated.weighed)
    outcome = pipeline.chain.align(record.completion.text, context)
    again = realigned(record, outcome, record.aligned_target, pipeline.metrics)
    return replace(again, calibrated=calibrated)


def replaced_in(records: Sequence[Record]) -> tuple[str, ...]:
    """The fields that were replaced in what a run asked; none where it asked nothing of the kind."""
    kept = (json.loads(name).get("fields") for record in records[:1] for name in record.asked)
    return next((tuple(fields) for fields in kept if fields), ())


def drawn(step: WeighingStep, fitting: Sequence[Record]) -> list[Record]:
    """The solved rows that the step is fitted on."""
    numbers = step.drawn([record.id for record in fitting])
    return [fitting[number] for number in numbers]


def score_row(
    record: Record, step: WeighingStep, choose: Choose | None, asks: Callable[[Mapping[str, Any]], tuple[Ask, ...]]
) -> ScoreRow:
    """The scores of a record as the step reads them. Raises `RunError` where something was not asked."""
    options = record.completion.options
    if not options:
        raise RunError(f"{step.kind}: example {record.id!r} has no scores of options, as `choose` gives them")
    wanted = asks(record.fields)
    if step.replaces_fields and not any(ask.fields for ask in wanted):
        raise not_asked(step, None, record)
    for ask in wanted:
        if ask.key not in record.asked:
            raise not_asked(step, ask, record)
    return ScoreRow(
        label=label_of(record),
        options=tuple(each.text for each in options),
        scores=tuple(comparable(choose, options, record.asked, record.fields)),
        asked=tuple(tuple(comparable(choose, record.asked[ask.key], {}, record.fields)) for ask in wanted),
    )


def solved_row(record: Record, step: WeighingStep, choose: Choose | None) -> ScoreRow:
    """The scores of a solved row, with its target as the step would write it. Raises `RunError` where it is none."""
    row = score_row(record, step, choose, lambda _: ())
    try:
        return replace(row, target=step.align_target(record.target, record.fields))
    except ValueError as error:
        raise RunError(f"{record.origin}: {step.kind}: {error}") from error


def not_asked(step: WeighingStep, ask: Ask | None, record: Record) -> RunError:
    """What to raise where a run did not ask what a step needs."""
    what = "inputs without content" if ask is None else ask.key
    return RunError(
        f"{step.kind}: for {label_of(record)} the run did not ask the model about {what}\n"
        "    run the pipeline with this step in its `align`: then it is asked, and kept for other steps like it"
    )


def label_of(record: Record) -> str:
    """How messages name a record."""
    return f"example {record.id!r} ({record.origin})"


def probabilities(record: Record, choose: Choose | None) -> tuple[float, ...]:
    """Those of the options by their scores as they are, without any calibration but `choose`'s own."""
    return softmax(comparable(choose, record.completion.options, record.asked, record.fields))
