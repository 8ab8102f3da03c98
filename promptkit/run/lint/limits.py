"""PK31x: what ends a completion before its answer."""

from __future__ import annotations

import math
from collections.abc import Iterator

from promptkit.data import Example
from promptkit.run.lint.gold import Gold, cut_at, golds, is_read
from promptkit.run.lint.subject import Subject, Unknown
from promptkit.text import Problem

__all__ = ["stops_in_answers", "too_few_tokens"]

PERCENTILE = 0.95


def stops_in_answers(subject: Subject) -> Iterator[Problem]:
    """Each stop that a target holds, or that cuts a gold completion so that its answer is lost."""
    generate = subject.declared.generate
    if generate is None or not generate.stop:
        return
    try:
        completions = [gold for shots in subject.shots for gold in golds(subject, shots)]
    except Unknown:
        completions = []
    for number, stop in enumerate(generate.stop):
        path = ("generate", "stop", number)
        cut = [gold for gold in completions if loses(subject, gold, stop)]
        if cut:
            place = cut[0].text.index(stop)
            message = f"{stop!r} cuts {cut[0].row.origin} before its answer: {cut[0].text[:place][-30:] + stop!r}"
            message += f" ({len(cut)} of {len(completions)} gold completions)"
            yield subject.problem(
                path, message, "stop at what only follows an answer, such as the next question's first words"
            )
            continue
        if completions:
            continue
        rows = subject.tests
        held = [row for row in rows if holds(subject, row, stop)]
        if held:
            message = f"{stop!r} stands in the target {subject.target(held[0])!r} ({held[0].origin}; {len(held)} of {len(rows)} rows)"
            yield subject.problem(path, message, "stop at what no answer holds")


def holds(subject: Subject, row: Example, stop: str) -> bool:
    """Whether a row's target, as the chain would write it, holds a stop; of several targets, whether each does."""
    try:
        target = subject.pipeline.chain.align_target(subject.target(row), row.fields)
    except ValueError:
        return False
    texts = target if isinstance(target, list | tuple) else [target]
    return bool(texts) and all(isinstance(each, str | int | float) and stop in str(each) for each in texts)


def loses(subject: Subject, gold: Gold, stop: str) -> bool:
    """Whether a stop cuts a gold completion so that the chain, which reads it whole, reads it no more."""
    before, found, _ = gold.text.partition(stop)
    return bool(found) and not is_read(subject, gold, before, "stop") and is_read(subject, gold, gold.text, "eos")


def too_few_tokens(subject: Subject) -> Iterator[Problem]:
    """The limit, where more than one in twenty gold completions is longer."""
    generate = subject.declared.generate
    if generate is None:
        return
    completions = [cut_at(gold.text, generate.stop) for shots in subject.shots for gold in golds(subject, shots)]
    encoded = subject.tokenizer.encode_all(completions, add_special_tokens=False)
    sizes = sorted(map(len, encoded))
    needed = sizes[math.ceil(PERCENTILE * len(sizes)) - 1]
    if needed <= generate.max_new_tokens:
        return
    num = sum(size > generate.max_new_tokens for size in sizes)
    message = f"{num} of {len(sizes)} gold completions are longer than {generate.max_new_tokens} tokens, the longest has {sizes[-1]}"
    hint = f"19 of 20 fit into {needed}"
    yield subject.problem(("generate", "max_new_tokens"), message, hint)
