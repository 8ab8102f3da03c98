"""`check`: a pipeline's own examples, run through its align chain. No model is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from promptkit.align import Answer, Chain, Outcome
from promptkit.run.examples import UNSET, Case, read_cases
from promptkit.run.pipeline import Pipeline
from promptkit.run.sweeps.matrix import same_key
from promptkit.run.sweeps.sweep import Sweep
from promptkit.score import ExactMatch
from promptkit.text import Position

__all__ = ["Checked", "Difference", "Failure", "check_examples", "check_pipeline", "check_sweep"]

NAME_PART = re.compile(r"\[\d+\]|[^.\[\]]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that an example expects, and what there was in its place; both as text."""

    what: str
    expected: str
    got: str

    @property
    def is_close(self) -> bool:
        """Whether both are values of one kind, so that it helps to see where they part."""
        return (
            self.what in ("answer", "span", "text")
            and self.expected.startswith(f"{self.what} ")
            and self.got.startswith(f"{self.what} ")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An example of a pipeline that does not hold: its number from 0, where it stands, and what came out.

    `origin` is the row that it was read from, empty for a completion written in the file.
    """

    index: int
    position: Position | None
    origin: str
    completion: str
    outcome: Outcome
    differences: tuple[Difference, ...]

    @property
    def head(self) -> str:
        """Which example it is."""
        place = f"{self.position}: " if self.position else ""
        row = f" ({self.origin})" if self.origin else ""
        return f"{place}examples[{self.index}]{row} does not hold"

    @property
    def expected(self) -> str:
        """What the example says, where that is not so."""
        return ", ".join(each.expected for each in self.differences)

    @property
    def got(self) -> str:
        """What came out, in words."""
        return describe(self.outcome)

    def __str__(self) -> str:
        return f"{self.head}\n    expected: {self.expected}\n    got:      {self.got}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many examples there were, each row of a file counted, and those that do not hold."""

    num: int
    failures: tuple[Failure, ...]


def check_pipeline(pipeline: Pipeline) -> Checked:
    """All examples, run. Raises `DeclarationError` where a file that they name cannot be read."""
    cases = read_cases(pipeline.declaration.examples, pipeline.plain.get("examples") or (), pipeline.formats)
    failures = (failure(pipeline.stages.get(case.example.stage or "", pipeline).chain, case) for case in cases)
    return Checked(num=len(cases), failures=tuple(each for each in failures if each is not None))


def check_sweep(sweep: Sweep) -> Checked:
    """The examples of all cells, run once for each chain that the cells have."""
    chains = {same_key([each.plain.get("align"), each.plain.get("examples")]): each for each in sweep.pipelines}
    checked = [check_pipeline(each) for each in chains.values()]
    return Checked(num=sum(each.num for each in checked), failures=tuple(f for each in checked for f in each.failures))


def check_examples(pipeline: Pipeline) -> list[Failure]:
    """The examples that do not hold; empty when all is well."""
    return list(check_pipeline(pipeline).failures)


def failure(chain: Chain, case: Case) -> Failure | None:
    """What is wrong with one example, or None."""
    outcome = chain.align(case.completion, case.context)
    differences = tuple(differences_of(chain, case, outcome))
    if not differences:
        return None
    return Failure(
        index=case.index,
        position=case.position,
        origin=case.origin,
        completion=case.completion,
        outcome=outcome,
        differences=differences,
    )


def differences_of(chain: Chain, case: Case, outcome: Outcome) -> Iterator[Difference]:
    """Each thing that the example expects and that is not so."""
    example = case.example
    if example.status is not None and outcome.status != example.status:
        yield Difference(what="status", expected=f"status {example.status}", got=f"status {outcome.status}")
    if not is_unset(case.answer) and (why := wrong_answer(chain, case, outcome)):
        expected = "no answer" if case.answer is None else f"answer {plain(case.answer)}"
        yield Difference(what="answer", expected=expected, got=why)
    if example.span is not None and (place := wrong_place(example.span, case.completion, outcome)):
        expected = f"text {example.span!r}" if isinstance(example.span, str) else "span {}-{}".format(*example.span)
        yield Difference(what=expected.partition(" ")[0], expected=expected, got=place)
    if example.step is not None and not is_part_of_name(example.step, outcome.step):
        yield Difference(what="step", expected=f"step {example.step}", got=f"step {outcome.step}")


def is_unset(value: Any) -> bool:
    """Whether an example says nothing of the answer."""
    return isinstance(value, str) and value == UNSET


def wrong_answer(chain: Chain, case: Case, outcome: Outcome) -> str:
    """What there is in place of the expected answer; empty where it is that, as exact match sees it."""
    if not isinstance(outcome, Answer):
        return "" if case.answer is None else describe(outcome)
    got = f"answer {plain(outcome.value)}"
    if case.answer is None:
        return got
    try:
        target = chain.align_target(case.answer, case.context.fields)
    except ValueError as error:
        return f"{got}; no completion could give the expected one: {error}"
    return "" if ExactMatch()(outcome.value, target) == 1 else got


def wrong_place(expected: tuple[int, int] | str, text: str, outcome: Outcome) -> str:
    """Where the answer stands instead; empty where it stands as expected."""
    if not isinstance(outcome, Answer):
        return describe(outcome)
    start, end = outcome.span.start, outcome.span.end
    if isinstance(expected, str):
        return "" if text[start:end] == expected else f"text {text[start:end]!r}"
    return "" if (start, end) == tuple(expected) else f"span {start}-{end}"


def is_part_of_name(expected: str, step: str) -> bool:
    """Whether a step's name is the expected one, or has it as a part.

    >>> is_part_of_name("number", "align[1].first[0].number"), is_part_of_name("first[1]", "align[1].first[0].number")
    (True, False)
    """
    parts, name = NAME_PART.findall(expected), NAME_PART.findall(step)
    return any(name[start : start + len(parts)] == parts for start in range(len(name) - len(parts) + 1))


def describe(outcome: Outcome) -> str:
    """What came out, in words."""
    if isinstance(outcome, Answer):
        return f"answer {plain(outcome.value)} (by {outcome.step})"
    return f"no answer, status {outcome.status} (at {outcome.step}: {outcome.reason})"


def plain(value: Any) -> str:
    """The value by `repr`, as plain text."""
    return repr(str(value)) if isinstance(value, str) else repr(value)
