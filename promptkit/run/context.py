"""What the chain may know of a completion beside its text, in a run and when a run is scored again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from promptkit.align import Apart, Context, Weighed
from promptkit.generate import Completion
from promptkit.run.plan import Job

if TYPE_CHECKING:
    from promptkit.run.record import Record

__all__ = ["context_again", "context_of", "question_of"]


def context_of(job: Job, completion: Completion, formats: tuple[str, ...]) -> Context:
    """What is known of a job's completion; `formats` are the pipeline's. A run keeps the ledger of each."""
    return Context(
        fields=job.example.fields,
        prompt=job.prompt.text,
        question=question_of(job.example.fields),
        formats=formats,
        ended=completion.ended,
        scores=scores_of(completion),
        thinking=thinking_of(completion),
        is_traced=True,
    )


def context_again(record: Record, formats: tuple[str, ...], weighed: Weighed | None = None) -> Context:
    """The same, from what a finished run keeps of it; and what the scores of its options were weighed to."""
    return Context(
        fields=record.fields,
        prompt=record.prompt,
        question=question_of(record.fields),
        formats=formats,
        ended=record.completion.ended,
        scores=scores_of(record.completion),
        weighed=weighed,
        thinking=thinking_of(record.completion),
        is_traced=True,
    )


def question_of(fields: Mapping[str, Any]) -> str:
    """The example's question, where a field of that name holds one."""
    question = fields.get("question")
    return question if isinstance(question, str) else ""


def thinking_of(completion: Completion) -> Apart | None:
    """What is known of its thinking."""
    thought = completion.thought
    if thought is None or thought.state == "none":
        return None
    return Apart(is_open=thought.state == "open", end=thought.end)


def scores_of(completion: Completion) -> tuple[float, ...]:
    """The log-likelihoods of the options."""
    return tuple(option.log_likelihood for option in completion.options)
