"""PK5xx: whether the align chain can read what the demonstrations ask a model to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptkit.align import Answer, Chain
from promptkit.align.first import First
from promptkit.errors import PromptkitError
from promptkit.run.lint.gold import Gold, cut_at, golds, is_read
from promptkit.run.lint.subject import Subject, Unknown
from promptkit.run.plan import check_is_offered
from promptkit.run.requests import options_of
from promptkit.text import Problem

__all__ = ["never_reached", "not_offered", "unreachable_targets", "unread_demonstrations"]

ALIGN = ("align",)
MAX_ALIGNED = 60
ALWAYS = ("lower", "run_on", "strip")  # steps that find something in every text
TEXT_TO_TEXT = (*ALWAYS, "after", "before", "between", "reasoning")


def unread_demonstrations(subject: Subject) -> Iterator[Problem]:
    """The chain, where it does not read a row's own target out of its gold completion."""
    if not subject.declared.align or subject.declared.choose or subject.declared.data is None:
        return
    if subject.declared.data.target is None:
        raise Unknown("the data names no target")
    for shots in subject.shots:
        completions = spread([gold for gold in golds(subject, shots) if is_reachable(subject, gold)])
        wrong = [gold for gold in completions if not is_read_somehow(subject, gold)]
        if not wrong:
            continue
        gold = wrong[0]
        outcome = subject.pipeline.chain.align(gold.text, fields=gold.row.fields)
        got = f"reads {outcome.value!r}" if isinstance(outcome, Answer) else f"finds nothing ({outcome.reason})"
        message = f"of what {gold.row.origin} has as its answer, {gold.text[-60:]!r}, the chain {got}: the target is {gold.target!r}"
        message += f" ({len(wrong)} of {len(completions)} gold completions)"
        yield subject.problem(ALIGN, message, "make the demonstrations' answers and the chain agree", at_key=True)


def is_reachable(subject: Subject, gold: Gold) -> bool:
    """Whether there is a target that some completion could give; `unreachable_targets` tells of others."""
    return gold.target is not None and not unreachable(subject.pipeline.chain, gold.target, gold.row.fields)


def is_read_somehow(subject: Subject, gold: Gold) -> bool:
    """Whether the chain reads the target out of a gold completion, whole or as the stops cut it."""
    if is_read(subject, gold, gold.text, "eos"):
        return True
    cut = cut_at(gold.text, subject.pipeline.generate.stop)
    return cut != gold.text and is_read(subject, gold, cut, "stop")


def spread(completions: Sequence[Gold]) -> Sequence[Gold]:
    """At most so many of them, from all parts: to align each takes a millisecond or two."""
    step = max(1, -(-len(completions) // MAX_ALIGNED))
    return completions[::step]


def unreachable_targets(subject: Subject) -> Iterator[Problem]:
    """The target, where no completion at all could give it."""
    data = subject.declared.data
    if data is None or data.target is None or not subject.declared.align:
        return
    wrong = [
        (row, why)
        for row in subject.tests
        if (why := unreachable(subject.pipeline.chain, subject.target(row), row.fields))
    ]
    if wrong:
        row, why = wrong[0]
        message = f"no completion could give the target {subject.target(row)!r} of {row.origin}: {why}"
        message += f" ({len(wrong)} of {len(subject.tests)} rows)"
        yield subject.problem(("data", "target"), message, "bring `target` to what the chain gives, or the chain to it")


def unreachable(chain: Chain, target: object, fields: Mapping[str, Any]) -> str:
    """Why no completion could give a target; empty where one could."""
    try:
        chain.align_target(target, fields)
    except ValueError as error:
        return str(error)
    return ""


def never_reached(subject: Subject) -> Iterator[Problem]:
    """The alternatives of `first` that come after one that answers always."""
    for number, step in enumerate(subject.declared.align):
        if isinstance(step, First):
            always = [all(inner.kind in ALWAYS for inner in steps) for steps in step.alternatives[:-1]]
            if True in always:
                place = always.index(True)
                kinds = ", ".join(inner.kind for inner in step.alternatives[place])
                message = (
                    f"the alternative [{place}] ({kinds}) answers to every text, so those after it are never tried"
                )
                path = ("align", number, "alternatives", place)
                yield subject.problem(path, message, "put it last, or say in it which texts it reads")
        if step.kind not in TEXT_TO_TEXT:
            return  # what is not text is nothing to these steps


def not_offered(subject: Subject) -> Iterator[Problem]:
    """The options, where none of them is a row's target."""
    choose, data = subject.declared.choose, subject.declared.data
    if choose is None or data is None or data.target is None:
        return
    asked = set()
    for row in subject.tests:
        target = subject.target(row)
        try:
            options = options_of(choose, row)
            if (options, str(target)) in asked:
                continue
            asked.add((options, str(target)))
            aligned = subject.pipeline.chain.align_target(target, row.fields)
            check_is_offered(subject.pipeline, row, options, target, aligned)
        except ValueError:
            continue  # `unreachable_targets` tells of it
        except PromptkitError as error:
            yield subject.problem(
                ("choose", "options"), str(error).partition("\n")[0], "options and targets in the same words"
            )
            return
