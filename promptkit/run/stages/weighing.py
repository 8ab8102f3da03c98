"""Stages that weigh their options: what is checked before they run, and the same weighing again from what a run keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptkit.align import NoAnswer, Weighing, WeighingStep
from promptkit.data import Example
from promptkit.errors import RunError
from promptkit.generate import Completion, OptionScore
from promptkit.run.asking import fields_to_replace
from promptkit.run.choosing import read_asked
from promptkit.run.pipeline import Pipeline
from promptkit.run.record import Record, scored
from promptkit.run.stages.stage import placed
from promptkit.run.weighing import weigh

__all__ = ["check_replaced", "scored_beside", "weigh_stages"]

NOT_READ = NoAnswer(status="unparsed", step="", reason="")  # of a stage before it was weighed: nobody asks for it again


def scored_beside(record: Record, pipeline: Pipeline) -> Record:
    """The record with its scores, and with those that it would have had if its options were not weighed."""
    found = scored(record, pipeline.metrics)
    calibrated = record.calibrated
    if calibrated is None or calibrated.before is None or record.stage not in pipeline.answering:
        return replace(found, calibrated=None)
    before = scored(replace(record, outcome=calibrated.before), pipeline.metrics)
    return replace(found, calibrated=replace(calibrated, scores=before.scores))


def check_replaced(pipeline: Pipeline, examples: Sequence[Example]) -> None:
    """Nothing; or `DataError`, before anything runs, where a stage's prompt without content has nothing to replace."""
    loops = [block.repeat.name for _, block in placed(pipeline.declaration.stages) if block.repeat]
    items = dict.fromkeys(loops, "")
    rows = [replace(example, fields={**items, **example.fields}) for example in examples]
    for stage in pipeline.stages.values():
        if stage.weighing is not None and stage.weighing.replaces_fields:
            fields_to_replace(stage, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a stage chose in one call, as a record; `place` is that of its example's own. `is_own` says it is that one."""

    place: int
    record: Record
    is_own: bool


def weigh_stages(
    records: Sequence[Record], pipeline: Pipeline, own: Pipeline, formats: tuple[str, ...]
) -> list[Record]:
    """The records, their stages' options weighed again, call by call, over all rows that were weighed together then.

    A stage that answers examples is weighed by `pipeline`, any other as the run did, by `own`: what it said is in later
    prompts.
    """
    found = list(records)
    weighings: list[dict[tuple[str, int], Weighing]] = [{} for _ in records]
    for name, stage in {**own.stages, **{each: pipeline.stages[each] for each in pipeline.answering}}.items():
        if stage.weighing is None:
            continue
        check_kept(name, records, stage.weighing)
        for call, rows in calls_of(name, records).items():
            weighed = weigh([row.record for row in rows], [], stage, formats)
            for row, record in zip(rows, weighed, strict=True):
                if record.calibrated:
                    weighings[row.place][name, call] = record.calibrated.weighing
                if row.is_own:
                    found[row.place] = own_again(records[row.place], record, pipeline)
    return [replace(record, weighings=each) for record, each in zip(found, weighings, strict=True)]


def calls_of(name: str, records: Sequence[Record]) -> dict[int, list[Row]]:
    """The rows of each call of a stage."""
    calls: dict[int, list[Row]] = {}
    for place, record in enumerate(records):
        for number, kept in enumerate(record.stages):
            if kept["stage"] == name and "call" in kept:
                is_own = number == own_place(record)
                passed = replace(record, fields={**record.fields, **kept["fields"]}) if is_own else row_of(record, kept)
                calls.setdefault(kept["call"], []).append(Row(place=place, record=passed, is_own=is_own))
    return calls


def check_kept(name: str, records: Sequence[Record], step: WeighingStep) -> None:
    """Nothing; or `RunError` where a run kept no scores of a stage's options."""
    if any(kept["stage"] == name and "call" not in kept for record in records for kept in record.stages):
        raise RunError(
            f"stage {name!r}: {step.kind}: the run kept no scores of this stage's options\n"
            "    run the pipeline with `choose` in it: then they are kept"
        )


def own_place(record: Record) -> int:
    """Which of its stages holds a record's own completion: the last of that name."""
    return max(number for number, kept in enumerate(record.stages) if kept["stage"] == record.stage)


def row_of(record: Record, kept: Mapping[str, Any]) -> Record:
    """What a run keeps of a stage, as a record of its own. It has no target."""
    options = tuple(OptionScore(**each) for each in kept["options"])
    return Record(
        id=record.id,
        sample=record.sample,
        origin=record.origin,
        fields={**record.fields, **kept["fields"]},
        prompt=kept["prompt"],
        num_prompt_tokens=kept["num_prompt_tokens"],
        completion=Completion(text=kept["completion"], ended=kept["ended"], options=options),
        outcome=NOT_READ,
        target=None,
        aligned_target=None,
        asked=read_asked(kept["asked"]),
    )


def own_again(record: Record, weighed: Record, pipeline: Pipeline) -> Record:
    """The record with the answer by its weighed options, which stands among its stages too."""
    if isinstance(record.outcome, NoAnswer) and record.outcome.step == "stages":
        return record
    outcome, calibrated = weighed.outcome, weighed.calibrated
    at, stages = own_place(record), list(record.stages)
    said = {
        "answer": weighed.answer,
        "status": outcome.status,
        "step": outcome.step,
        "reason": outcome.reason if isinstance(outcome, NoAnswer) else None,
    }
    stages[at] = {**stages[at], **said, **(calibrated.to_json() if calibrated else {})}
    return scored_beside(replace(record, outcome=outcome, calibrated=calibrated, stages=tuple(stages)), pipeline)
