"""A record: all that is known of one completion, from the example to its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any

from promptkit.align import Answer, Chain, NoAnswer, Outcome, Weighing
from promptkit.errors import GenerationError
from promptkit.generate import Choose, Completion, OptionScore, Thought
from promptkit.prompt import Shown
from promptkit.run.calibrated import Calibrated
from promptkit.run.choosing import asked_rows, best, comparable, renamed, score_rows, tie
from promptkit.run.context import context_of
from promptkit.run.decided import Decided
from promptkit.run.ledger import captures_json, ledger_rows, to_json
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job
from promptkit.run.shown import shown_columns
from promptkit.score import Metric

__all__ = ["Grader", "Made", "Record", "realigned", "thought_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A job's completion, what else was asked for it, and whether the completion was kept from before."""

    completion: Completion
    asked: Mapping[str, Completion] = field(default_factory=dict)
    from_store: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One completion and what became of it.

    `scores` has one value in [0, 1] a metric, None where the example has no target. `from_store` says that the
    completion was not computed in this run. `asked` are the scores of its options after other prompts, by what was asked,
    `calibrated` is what they were weighed to, `decided` what was decided over all samples of the example. `stage` names
    the stage whose completion it is, and `stages` holds what was kept of each that ran; empty where there are none.
    `weighings` are those of stages that weighed options, by the stage's name and the number of its call.
    `shown` says which demonstrations the prompt held, and which it did not; `segments`, as JSON text, what each stretch
    of it is.
    """

    id: str
    sample: int
    origin: str
    fields: Mapping[str, Any]
    prompt: str
    num_prompt_tokens: int
    completion: Completion
    outcome: Outcome
    target: Any
    aligned_target: Any
    scores: Mapping[str, float | None] = field(default_factory=dict)
    from_store: bool = False
    asked: Mapping[str, Sequence[OptionScore]] = field(default_factory=dict)
    calibrated: Calibrated | None = None
    decided: Decided | None = None
    stage: str = ""
    stages: tuple[Mapping[str, Any], ...] = ()
    shown: Shown = field(default_factory=Shown)
    segments: str = "[]"
    weighings: Mapping[tuple[str, int], Weighing] = field(default_factory=dict)

    @property
    def answer(self) -> Any:
        """The answer's value; None where there is none."""
        return self.outcome.value if isinstance(self.outcome, Answer) else None

    def to_row(self) -> dict[str, Any]:
        """The record as one flat row; what may be of any kind is JSON text."""
        outcome = self.outcome
        span = outcome.span if isinstance(outcome, Answer) else None
        return {
            "id": self.id,
            "sample": self.sample,
            "origin": self.origin,
            "fields": to_json(dict(self.fields)),
            "prompt": self.prompt,
            "segments": self.segments,
            "num_prompt_tokens": self.num_prompt_tokens,
            **shown_columns(self.shown),
            "completion": self.completion.text,
            "ended": self.completion.ended,
            "num_new_tokens": self.completion.num_new_tokens,
            **thought_columns(self.completion.thought),
            "log_likelihood": self.completion.log_likelihood,
            "options": score_rows(self.completion.options),
            "answer": to_json(self.answer),
            "status": outcome.status,
            "step": outcome.step,
            "reason": outcome.reason if isinstance(outcome, NoAnswer) else None,
            "span_start": span.start if span else None,
            "span_end": span.end if span else None,
            "captures": to_json(captures_json(outcome.captures) if isinstance(outcome, Answer) else {}),
            "ledger": ledger_rows(outcome, self.completion.text),
            "target": to_json(self.target),
            "from_store": self.from_store,
            **{f"score.{name}": value for name, value in self.scores.items()},
            **({"asked": asked_rows(self.asked)} if self.asked else {}),
            **(self.calibrated.to_columns() if self.calibrated else {}),
            **({"stage": self.stage, "stages": to_json(self.stages)} if self.stages else {}),
            **(self.decided.to_columns() if self.decided else {}),
        }


def thought_columns(thought: Thought | None) -> dict[str, Any]:
    """What came of the thinking, as columns; null where none was declared."""
    return {
        "thinking": thought.state if thought else None,
        "num_thinking_tokens": thought.num_tokens if thought else None,
        "num_forced_tokens": thought.num_forced if thought else None,
        "thinking_end": thought.end if thought else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Grader:
    """Aligns and scores completions: the chain, the metrics, how options are compared, the prompt's formats."""

    chain: Chain
    metrics: Sequence[Metric]
    choose: Choose | None = None
    formats: tuple[str, ...] = ()

    @classmethod
    def of(cls, pipeline: Pipeline) -> Grader:
        """What aligns and scores a pipeline's completions."""
        choose = pipeline.declaration.choose
        return cls(chain=pipeline.chain, metrics=pipeline.metrics, choose=choose, formats=pipeline.formats)

    def record(self, job: Job, made: Made) -> Record:
        """The record of one job."""
        if job.options:
            completion, outcome = self.choice(job, made)
        else:
            completion = made.completion
            outcome = self.chain.align(completion.text, context_of(job, completion, self.formats))
        record = Record(
            id=job.example.id,
            sample=job.sample,
            origin=job.example.origin,
            fields=job.example.fields,
            prompt=job.prompt.text,
            num_prompt_tokens=len(job.request.token_ids),
            completion=completion,
            outcome=outcome,
            target=job.target,
            aligned_target=job.aligned_target,
            from_store=made.from_store,
            asked={name: renamed(each.options, job.options) for name, each in made.asked.items()},
            shown=job.prompt.shown,
            segments=to_json([each.to_json() for each in job.prompt.segments]),
        )
        return scored(record, self.metrics)

    def choice(self, job: Job, made: Made) -> tuple[Completion, Outcome]:
        """The option of the highest score, as completion, and what the chain makes of it.

        Several options with the very same highest score are ambiguous: taking the first would favour a letter. Raises
        `GenerationError` where a score is no number.
        """
        named = renamed(made.completion.options, job.options)
        asked = {name: each.options for name, each in made.asked.items()}
        values = comparable(self.choose, named, asked, job.example.fields)
        if any(map(isnan, values)):
            scores = ", ".join(f"{score.text!r} {value:g}" for score, value in zip(named, values, strict=True))
            raise GenerationError(f"{job.request.label}: the model gives options no scores that compare: {scores}")
        winners = best(named, values)
        completion = replace(made.completion, text=winners[0], options=named)
        if len(winners) > 1 and not self.chain.reads_scores:
            return completion, tie(winners)
        return completion, self.chain.align(winners[0], context_of(job, completion, self.formats))


def realigned(record: Record, outcome: Outcome, aligned_target: Any, metrics: Sequence[Metric]) -> Record:
    """The same completion under another chain and other metrics."""
    plain = replace(record, outcome=outcome, aligned_target=aligned_target, scores={}, calibrated=None, decided=None)
    return scored(plain, metrics)


def scored(record: Record, metrics: Sequence[Metric]) -> Record:
    """The record with its scores: 0 where there is no answer, None where there is no target."""
    scores: dict[str, float | None] = {}
    for metric in metrics:
        if record.aligned_target is None:
            scores[metric.name] = None
        elif isinstance(record.outcome, Answer):
            scores[metric.name] = metric(record.outcome.value, record.aligned_target)
        else:
            scores[metric.name] = 0.0
    return replace(record, scores=scores)
