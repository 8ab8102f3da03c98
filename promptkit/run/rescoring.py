"""`score`: aligns and scores a finished run again, under the same sections or another file's. No model is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from promptkit.align import Answer, Chain, NoAnswer, Outcome
from promptkit.data import Example
from promptkit.errors import RunError, TemplateError
from promptkit.generate import Completion, OptionScore, Thought
from promptkit.run.choosing import best, comparable, read_asked, tie
from promptkit.run.context import context_again
from promptkit.run.deciding import decide
from promptkit.run.declaration import PipelineDeclaration
from promptkit.run.folder import FITTING, SAMPLES, broken, read_fitting, read_run
from promptkit.run.ledger import read_captures, read_ledger, to_json
from promptkit.run.pipeline import Pipeline, plain_stages
from promptkit.run.plan import align_target
from promptkit.run.record import Record, realigned
from promptkit.run.run import Run
from promptkit.run.shown import read_shown
from promptkit.run.stages.weighing import weigh_stages
from promptkit.run.summary import summary_of
from promptkit.run.weighing import weigh
from promptkit.text import Span

__all__ = ["Rescored", "rescore"]

NEEDED = ("name", "model", "choose", "align", "score")  # of a pipeline's sections
OF_STAGES = ("name", "choose", "align", "answers")  # of those of a stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """The run under the new sections, the summary that it had, and the ids of samples whose answer changed."""

    run: Run
    before: Mapping[str, Any]
    changed: tuple[str, ...]


def rescore(folder: Path, other: Pipeline | None = None, *, allow_code: bool = False) -> Rescored:
    """The run aligned and scored again, by its own sections or by those of `other`."""
    before, rows = read_run(folder)
    pipeline = pipeline_of(before, folder, allow_code=allow_code)
    if other is not None:
        pipeline = pipeline.with_output(other)
    old = read_records(folder, rows)
    formats = tuple(map(str, before.get("formats", ())))  # runs of old have none
    solved = read_records(folder, read_fitting(folder), FITTING) if pipeline.weighing else []
    chosen = [again(record, pipeline, formats) for record in old]
    if pipeline.stages:
        weighed = weigh_stages(chosen, pipeline, pipeline_of(before, folder, allow_code=allow_code), formats)
    else:
        weighed = weigh(chosen, solved, pipeline, formats)
    new = decide(weighed, pipeline)
    summary = {"run": str(folder), **summary_of(pipeline, new)}
    changed = tuple(a.id for a, b in zip(old, new, strict=True) if said(a) != said(b))
    return Rescored(run=Run(folder=folder, summary=summary, records=new), before=before, changed=changed)


def said(record: Record) -> tuple[str, str]:
    """The status and the answer as a run keeps them: a tuple is a list there, and a date its text."""
    return record.outcome.status, to_json(record.answer)


def pipeline_of(summary: Mapping[str, Any], folder: Path, *, allow_code: bool) -> Pipeline:
    """What is needed of the pipeline that a run was made with, from what `run.json` keeps of it.

    The other sections name files, templates above all, that need not be there any more.
    """
    plain, home = summary["declaration"], Path(summary["folder"])
    needed = {name: plain[name] for name in NEEDED if name in plain}
    if plain.get("stages"):
        needed["stages"] = [needed_of_stage(each) for each in plain_stages(plain["stages"])]
        plain = {**plain, "stages": needed["stages"]}
    try:
        declaration = PipelineDeclaration.model_validate(needed, context={"folder": home, "allow_code": allow_code})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = (first.get("ctx") or {}).get("problem")
        raise RunError(
            f"the run {str(folder)!r}: its pipeline cannot be read again: {problem or first['msg']}"
        ) from error
    return Pipeline(declaration, summary["file"], home, plain)


def needed_of_stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed of a stage; its prompt, which is not, is one that any file may have."""
    needed = {name: stage[name] for name in OF_STAGES if name in stage}
    samples = (stage.get("generate") or {}).get("samples", 1)
    draws = {"generate": {"samples": samples, "temperature": 1}} if samples > 1 else {}
    return {**needed, **draws, "prompt": [{"cue": "."}]}


def read_records(folder: Path, rows: Sequence[Mapping[str, Any]], name: str = SAMPLES) -> list[Record]:
    """The records that a table of the run keeps, `samples.parquet` where no other is named."""
    try:
        return [record_of(row) for row in rows]
    except KeyError as error:
        raise broken(folder, name, f"has no column {error.args[0]!r}") from error
    except (TypeError, ValueError) as error:
        raise broken(folder, name, f"is not as a run writes it: {error}") from error


def record_of(row: Mapping[str, Any]) -> Record:
    """The record that a row of `samples.parquet` keeps."""
    completion = Completion(
        text=row["completion"],
        ended=row["ended"],
        options=tuple(OptionScore(**option) for option in row["options"]),
        num_new_tokens=row["num_new_tokens"],
        log_likelihood=row.get("log_likelihood"),
        thought=thought_of(row),
    )
    target = json.loads(row["target"])
    return Record(
        id=row["id"],
        sample=row["sample"],
        origin=row["origin"],
        fields=json.loads(row["fields"]),
        prompt=row["prompt"],
        segments=row.get("segments") or "[]",
        num_prompt_tokens=row["num_prompt_tokens"],
        completion=completion,
        outcome=outcome_of(row),
        target=target,
        aligned_target=target,
        from_store=row["from_store"],
        asked=read_asked(row.get("asked") or ()),
        stage=row.get("stage") or "",
        stages=tuple(json.loads(row.get("stages") or "[]")),
        shown=read_shown(row),
    )


def thought_of(row: Mapping[str, Any]) -> Thought | None:
    """What came of the thinking, as a row keeps it; runs of an older version kept nothing of it."""
    if row.get("thinking") is None:
        return None
    num, num_forced, end = (row[name] for name in ("num_thinking_tokens", "num_forced_tokens", "thinking_end"))
    return Thought(state=row["thinking"], num_tokens=num, num_forced=num_forced, end=end)


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """The outcome that a row keeps; runs of an older version kept no ledger."""
    ledger = read_ledger(row.get("ledger") or (), row["completion"])
    if row["status"] == "answered":
        return Answer(
            value=json.loads(row["answer"]),
            span=Span(start=row["span_start"], end=row["span_end"]),
            step=row["step"],
            captures=read_captures(json.loads(row.get("captures") or "{}")),
            ledger=ledger,
        )
    return NoAnswer(status=row["status"], step=row["step"], reason=row["reason"] or "", ledger=ledger)


def again(record: Record, pipeline: Pipeline, formats: tuple[str, ...]) -> Record:
    """The record under the pipeline's align and score sections; `formats` are those of the prompts it was made with."""
    by_stage = pipeline.stages.get(record.stage, pipeline)
    chain: Chain = by_stage.chain
    row = Example(id=record.id, fields=record.fields, origin=record.origin)
    target = align_target(pipeline.chain, record.target, row)
    if isinstance(record.outcome, NoAnswer) and record.outcome.step == "stages":
        return realigned(record, record.outcome, target, pipeline.metrics)
    winners = winners_again(record, by_stage)
    is_tie = len(winners) > 1 and not chain.reads_scores
    outcome = tie(winners) if is_tie else chain.align(record.completion.text, context_again(record, formats))
    return realigned(record, outcome, target, pipeline.metrics)


def winners_again(record: Record, pipeline: Pipeline) -> list[str]:
    """The options of the highest score, from what the run keeps; none for free text.

    Where it does not keep what was asked beside, as runs of an older version, or what that was asked by, the fields of a
    stage, a tie is known by the outcome alone.
    """
    options = record.completion.options
    if not options:
        return []
    try:
        return best(options, comparable(pipeline.declaration.choose, options, record.asked, record.fields))
    except (KeyError, TemplateError):
        is_tie = isinstance(record.outcome, NoAnswer) and record.outcome.step == "choose"
        return [each.text for each in options] if is_tie else [record.completion.text]
