"""`score`: aligns and scores a finished run again, under the same sections or another file's. No model is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from promptkit.align import Answer, Chain, NoAnswer, Outcome
from promptkit.errors import DataError, RunError
from promptkit.generate import Completion, OptionScore
from promptkit.run.folder import read_run
from promptkit.run.pipeline import Pipeline, PipelineDeclaration
from promptkit.run.record import Record, realigned
from promptkit.run.run import Run, summary_of
from promptkit.text import Span

__all__ = ["Rescored", "rescore"]


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
    old = [record_of(row) for row in rows]
    new = [again(record, pipeline) for record in old]
    summary = {"run": str(folder), **summary_of(pipeline, new)}
    changed = tuple(
        a.id for a, b in zip(old, new, strict=True) if (a.outcome.status, a.answer) != (b.outcome.status, b.answer)
    )
    return Rescored(run=Run(folder=folder, summary=summary, records=new), before=before, changed=changed)


def pipeline_of(summary: Mapping[str, Any], folder: Path, *, allow_code: bool) -> Pipeline:
    """The pipeline that a run was made with, from what `run.json` keeps of it."""
    try:
        plain, home = summary["declaration"], Path(summary["folder"])
        declaration = PipelineDeclaration.model_validate(plain, context={"folder": home, "allow_code": allow_code})
        return Pipeline(declaration, str(summary["file"]), home, plain)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = (first.get("ctx") or {}).get("problem")
        raise RunError(
            f"the run {str(folder)!r}: its pipeline cannot be read again: {problem or first['msg']}"
        ) from error
    except KeyError as error:
        raise RunError(f"the run {str(folder)!r}: run.json lacks {error.args[0]!r}") from error


def record_of(row: Mapping[str, Any]) -> Record:
    """The record that a row of `samples.parquet` keeps."""
    completion = Completion(
        text=row["completion"],
        ended=row["ended"],
        options=tuple(OptionScore(**option) for option in row["options"]),
        num_new_tokens=row["num_new_tokens"],
    )
    target = json.loads(row["target"])
    return Record(
        id=row["id"],
        sample=row["sample"],
        origin=row["origin"],
        fields=json.loads(row["fields"]),
        prompt=row["prompt"],
        num_prompt_tokens=row["num_prompt_tokens"],
        completion=completion,
        outcome=outcome_of(row),
        target=target,
        aligned_target=target,
        from_store=row["from_store"],
    )


def outcome_of(row: Mapping[str, Any]) -> Outcome:
    """The outcome that a row keeps."""
    if row["status"] == "answered":
        span = Span(start=row["span_start"], end=row["span_end"])
        return Answer(value=json.loads(row["answer"]), span=span, step=row["step"])
    return NoAnswer(status=row["status"], step=row["step"], reason=row["reason"] or "")


def again(record: Record, pipeline: Pipeline) -> Record:
    """The record under the pipeline's align and score sections."""
    chain: Chain = pipeline.chain
    is_tie = isinstance(record.outcome, NoAnswer) and record.outcome.step == "choose"
    outcome = (
        record.outcome
        if is_tie
        else chain.align(record.completion.text, fields=record.fields, ended=record.completion.ended)
    )
    try:
        target = chain.align_target(record.target, record.fields)
    except ValueError as error:
        raise DataError(f"{record.origin}: no completion could give the target {record.target!r}: {error}") from error
    return realigned(record, outcome, target, pipeline.metrics)
