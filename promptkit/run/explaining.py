"""`explain`: what the chain made of one completion, step by step; and which completions are worth a look."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from promptkit.align import STATUSES, Answer, Context, NoAnswer, Outcome
from promptkit.errors import RunError
from promptkit.prompt import Shown
from promptkit.run.given import Given, read_given
from promptkit.run.ledger import captures_json
from promptkit.run.pipeline import Pipeline
from promptkit.score import count_statuses, status_rates
from promptkit.text import Span

__all__ = [
    "Explained",
    "Overview",
    "explain_row",
    "explain_run",
    "explain_text",
    "near",
    "overview_of_rows",
    "overview_of_run",
]

NUM_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A completion, what was asked before it, and what the chain made of it.

    `prompt` is empty where nobody knows it, `target` None where there is none. `options` are those that the model chose
    from, each with its log-likelihood. `calibrated` is the row's answer before its scores were weighed, and how probable
    each answer is after and before, as the run's table has it. `stage` is the stage that wrote it, `stages` what a run
    kept of all that ran. `shown` says which demonstrations the prompt held.
    """

    id: str
    text: str
    outcome: Outcome
    origin: str = ""
    sample: int = 0
    prompt: str = ""
    target: Any = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    options: Sequence[tuple[str, float]] = ()
    calibrated: Mapping[str, Any] | None = None
    stage: str = ""
    stages: Sequence[Mapping[str, Any]] = ()
    shown: Shown = field(default_factory=Shown)

    @property
    def is_wrong(self) -> bool:
        """Whether the answer is not fully right by any of the metrics."""
        return any(score is not None and score < 1 for score in self.scores.values())

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        outcome = self.outcome
        answer = outcome if isinstance(outcome, Answer) else None
        return {
            "id": self.id,
            "sample": self.sample,
            "origin": self.origin,
            "prompt": self.prompt,
            **self.shown.to_json(),
            "completion": self.text,
            "options": [{"text": text, "log_likelihood": value} for text, value in self.options],
            **({"calibrated": dict(self.calibrated)} if self.calibrated else {}),
            "status": outcome.status,
            "answer": answer.value if answer else None,
            "span": span_json(answer.span if answer else None),
            "step": outcome.step,
            "reason": outcome.reason if isinstance(outcome, NoAnswer) else None,
            "captures": captures_json(answer.captures) if answer else {},
            "target": self.target,
            "scores": dict(self.scores),
            **({"stage": self.stage, "stages": [dict(each) for each in self.stages]} if self.stages else {}),
            "ledger": [
                {
                    "step": entry.step,
                    "read": span_json(entry.read),
                    "span": span_json(entry.span),
                    "value": entry.value,
                    "reason": entry.reason or None,
                    "took_s": entry.took_s,
                }
                for entry in outcome.ledger
            ],
        }


def span_json(span: Span | None) -> list[int] | None:
    """A span as a list of its two ends."""
    return [span.start, span.end] if span else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How many completions there are of each status, and the first few of each; of the answered, wrong ones first."""

    name: str
    statuses: Mapping[str, int]
    examples: Mapping[str, Sequence[Explained]]

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values; of the examples what tells one from another."""
        names = ("id", "sample", "status", "answer", "step", "reason", "target", "scores")
        shown = {status: [each.to_json() for each in few] for status, few in self.examples.items()}
        return {
            "name": self.name,
            "statuses": dict(self.statuses),
            "status_rates": status_rates(self.statuses),
            "examples": {
                status: [{name: each[name] for name in names} for each in few] for status, few in shown.items()
            },
        }


def overview(name: str, explained: Iterable[Explained]) -> Overview:
    """The overview of some completions, which are read once."""
    counts: list[str] = []
    examples: dict[str, list[Explained]] = {status: [] for status in STATUSES}
    wrong: list[Explained] = []
    for each in explained:
        status = each.outcome.status
        counts.append(status)
        kept = wrong if status == "answered" and each.is_wrong else examples[status]
        if len(kept) < NUM_SHOWN:
            kept.append(each)
    examples["answered"] = [*wrong, *examples["answered"]][:NUM_SHOWN]
    no_answers_first = {str(status): examples[status] for status in (*STATUSES[1:], "answered")}
    return Overview(name=name, statuses=count_statuses(counts, STATUSES), examples=no_answers_first)


def overview_of_run(folder: Path, other: Pipeline | None = None, *, allow_code: bool = False) -> Overview:
    """Which completions of a run are worth a look."""
    return overview(str(folder), read_explained(folder, other, allow_code=allow_code))


def explain_run(
    folder: Path, name: str, sample: int | None = None, other: Pipeline | None = None, *, allow_code: bool = False
) -> Explained:
    """What a run kept of one completion, the first of its example where no sample is named.

    With `other`, what the chain of that pipeline makes of it. Raises `RunError` where the run has no such example.
    """
    explained = read_explained(folder, other, allow_code=allow_code)
    found = [each for each in explained if each.id == name]
    if not found:
        raise RunError(f"the run {str(folder)!r} has no example {name!r}{near(name, [each.id for each in explained])}")
    chosen = [each for each in found if sample is None or each.sample == sample]
    if not chosen:
        known = ", ".join(str(each.sample) for each in found)
        raise RunError(f"example {name!r} has no sample {sample}\n    known: {known}")
    return chosen[0]


def read_explained(folder: Path, other: Pipeline | None, *, allow_code: bool) -> list[Explained]:
    """Every completion of a run; read again by its own chain where the run kept no ledger, or by that of `other`."""
    from promptkit.run.folder import read_run  # noqa: PLC0415 - a run is read by a library that takes its time
    from promptkit.run.rescoring import read_records, rescore  # noqa: PLC0415

    _, rows = read_run(folder)
    is_kept = other is None and all("ledger" in row for row in rows)
    records = read_records(folder, rows) if is_kept else rescore(folder, other, allow_code=allow_code).run.records
    scores = [{} if other else scores_of(row) for row in rows]
    return [
        Explained(
            id=record.id,
            sample=record.sample,
            origin=record.origin,
            prompt=record.prompt,
            text=record.completion.text,
            outcome=record.outcome,
            target=record.target,
            scores=record.scores or kept,
            options=[(option.text, option.log_likelihood) for option in record.completion.options],
            calibrated=calibrated_of(row if is_kept else record.to_row()),
            stage=record.stage,
            stages=record.stages,
            shown=record.shown,
        )
        for record, kept, row in zip(records, scores, rows, strict=True)
    ]


def calibrated_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a row of a run's table keeps of how its options' scores were weighed; None where they were not."""
    if row.get("calibrated") is None:
        return None
    before, status = json.loads(row["uncalibrated"]), row["uncalibrated_status"]
    return {"before": before, "before_status": status, "answers": row["calibrated"]}


def scores_of(row: Mapping[str, Any]) -> dict[str, float | None]:
    """The scores that a row of a run's table keeps."""
    return {name.removeprefix("score."): value for name, value in row.items() if name.startswith("score.")}


def explain_text(pipeline: Pipeline, text: str) -> Explained:
    """What the pipeline's chain makes of a text."""
    return Explained(id="", text=text, outcome=pipeline.chain.align(text, Context(is_traced=True)))


def explain_row(pipeline: Pipeline, path: Path, field: str | None, name: str) -> Explained:
    """What the chain makes of the completion of that id. Raises `RunError` where the file has no such row."""
    ids = []
    for row in read_given(path, field):
        if row.id == name:
            return explained_row(pipeline, row)
        ids.append(row.id)
    raise RunError(f"{path} has no row {name!r}{near(name, ids)}")


def overview_of_rows(pipeline: Pipeline, path: Path, field: str | None) -> Overview:
    """Which completions of a file are worth a look."""
    return overview(str(path), (explained_row(pipeline, row) for row in read_given(path, field)))


def explained_row(pipeline: Pipeline, row: Given) -> Explained:
    """What the chain makes of one row's completion."""
    outcome = pipeline.chain.align(row.text, row.context(is_traced=True))
    return Explained(id=row.id, origin=row.origin, text=row.text, outcome=outcome)


def near(name: str, known: Sequence[str]) -> str:
    """The nearest of many names, to stand below a message; the first few where none is near."""
    close = list(dict.fromkeys(get_close_matches(name, known, n=3)))
    if close:
        return f"\n    did you mean {' or '.join(map(repr, close))}?"
    few = list(dict.fromkeys(known))
    more = f" and {len(few) - NUM_SHOWN:,} more" if len(few) > NUM_SHOWN else ""
    return f"\n    known: {', '.join(few[:NUM_SHOWN])}{more}"
