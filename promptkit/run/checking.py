"""`check`: a pipeline's own examples, run through its align chain. No model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.align import Answer, Chain, Outcome
from promptkit.run.pipeline import CheckedExample, Pipeline
from promptkit.score import ExactMatch
from promptkit.text import Position

__all__ = ["Failure", "check_examples"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An example of a pipeline that does not hold: its number from 0, where it stands, and what came out."""

    index: int
    position: Position | None
    completion: str
    expected: str
    got: str

    def __str__(self) -> str:
        place = f"{self.position}: " if self.position else ""
        shown = self.completion if len(self.completion) <= 100 else self.completion[:97] + "..."
        return (
            f"{place}examples[{self.index}] does not hold\n"
            f"    completion: {shown!r}\n    expected:   {self.expected}\n    got:        {self.got}"
        )


def check_examples(pipeline: Pipeline) -> list[Failure]:
    """The examples that do not hold; empty when all is well."""
    failures = [failure(pipeline, index, example) for index, example in enumerate(pipeline.declaration.examples)]
    return [each for each in failures if each is not None]


def failure(pipeline: Pipeline, index: int, example: CheckedExample) -> Failure | None:
    """What is wrong with one example, or None."""
    outcome = pipeline.chain.align(example.completion, fields=example.fields, ended=example.ended)
    if holds(pipeline.chain, example, outcome):
        return None
    return Failure(
        index=index,
        position=place_of(pipeline, index),
        completion=example.completion,
        expected=describe_expected(example),
        got=describe(outcome),
    )


def holds(chain: Chain, example: CheckedExample, outcome: Outcome) -> bool:
    """Whether the outcome is what the example says."""
    if example.status is not None and outcome.status != example.status:
        return False
    if not example.expects_answer:
        return True
    if example.answer is None or not isinstance(outcome, Answer):
        return example.answer is None and not isinstance(outcome, Answer)
    return same_answer(chain, example, outcome.value)


def same_answer(chain: Chain, example: CheckedExample, value: Any) -> bool:
    """Whether the answer is the expected one, as exact match sees it."""
    try:
        target = chain.align_target(example.answer, example.fields)
    except ValueError:
        return False
    return ExactMatch()(value, target) == 1


def describe_expected(example: CheckedExample) -> str:
    """What the example says, in words."""
    parts: Sequence[str] = [
        *([f"status {example.status}"] if example.status else []),
        *(
            [f"answer {plain(example.answer)}" if example.answer is not None else "no answer"]
            if example.expects_answer
            else []
        ),
    ]
    return ", ".join(parts)


def describe(outcome: Outcome) -> str:
    """What came out, in words."""
    if isinstance(outcome, Answer):
        return f"answer {plain(outcome.value)} (by {outcome.step})"
    return f"no answer, status {outcome.status} (at {outcome.step}: {outcome.reason})"


def plain(value: Any) -> str:
    """The value by `repr`, as plain text."""
    return repr(str(value)) if isinstance(value, str) else repr(value)


def place_of(pipeline: Pipeline, index: int) -> Position | None:
    """Where the example's completion is written."""
    try:
        return pipeline.position("examples", index, "completion")
    except (KeyError, IndexError, TypeError):
        return None
