"""Gold completions: what a model that does as the demonstrations do would write for a row, its right answer in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from promptkit.align import Answer, Context, Ended
from promptkit.data import Example
from promptkit.errors import TemplateError
from promptkit.run.context import question_of
from promptkit.run.lint.subject import MAX_ROWS, Shots, Subject, Unknown

__all__ = ["Gold", "continuation", "cut_at", "golds", "is_read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """A row, and what follows its question where it stands as a demonstration; the white space at the end is off."""

    row: Example
    text: str
    target: object


def golds(subject: Subject, shots: Shots) -> list[Gold]:
    """The gold completions of the first rows of the pool, and of the test rows that have all the fields; made once.

    Raises `Unknown` where no demonstration goes on as the query ends.
    """
    if shots.number not in subject.golds:
        subject.golds[shots.number] = made_golds(subject, shots)
    if not subject.golds[shots.number]:
        raise Unknown("no demonstration has the place at which the query ends")
    return subject.golds[shots.number]


def made_golds(subject: Subject, shots: Shots) -> list[Gold]:
    """The same; empty where no demonstration goes on as the query ends."""
    try:
        tests: Sequence[Example] = subject.tests
    except Unknown:
        tests = ()
    as_shown = shots.as_shown()
    rows = (*islice(shots.pool, MAX_ROWS), *tests)
    return [gold for row in rows for gold in gold_of(subject, shots, row, as_shown(row))]


def gold_of(subject: Subject, shots: Shots, row: Example, shown: Example) -> Iterator[Gold]:
    """The row's gold completion; nothing where it lacks a field, or the demonstration does not ask as the query does."""
    try:
        text = answer_part(subject, shots, shown)
    except TemplateError:
        return
    if text is not None and text.strip():
        yield Gold(row=row, text=text.rstrip(), target=subject.target(row))


def answer_part(subject: Subject, shots: Shots, row: Example) -> str | None:
    """What stands in a row's demonstration after its question; None where that place is not found."""
    if shots.step.turns is not None:
        begun = subject.asked(shots, row, "assistant")
        answer = shots.step.turns.assistant.render(row.fields)
        return answer.removeprefix(begun) if answer.startswith(begun) else None
    assert shots.step.template is not None
    return continuation(subject.asked(shots, row), shots.step.template.render(row.fields))


def continuation(asked: str, shown: str) -> str | None:
    r"""What follows a question in a demonstration; the question may begin with lines of its own.

    >>> continuation("Now you.\nQ: 1 + 1\nA:", "Q: 1 + 1\nA: 2\n\n")
    ' 2\n\n'
    """
    for start in [0, *(place + 1 for place, character in enumerate(asked) if character == "\n")]:
        part = asked[start:]
        if not part.strip():
            return None
        place = 0 if shown.startswith(part) else shown.find(f"\n{part}") + 1
        if place or shown.startswith(part):
            return shown[place + len(part) :]
    return None


def is_read(subject: Subject, gold: Gold, text: str, ended: Ended) -> bool:
    """Whether the align chain reads the row's own target out of a text, as a metric sees it."""
    chain = subject.pipeline.chain
    context = Context(
        fields=gold.row.fields,
        question=question_of(gold.row.fields),
        formats=subject.pipeline.formats,
        ended=ended,
    )
    outcome = chain.align(text, context)
    if not isinstance(outcome, Answer):
        return False
    try:
        target = chain.align_target(gold.target, gold.row.fields)
    except ValueError:
        return False
    return any(metric(outcome.value, target) for metric in subject.pipeline.metrics)


def cut_at(text: str, stops: Sequence[str]) -> str:
    """The text up to the first stop."""
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=len(text))]
