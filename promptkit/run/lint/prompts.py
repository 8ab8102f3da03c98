"""PK2xx: how the prompt ends, and whether it asks as the demonstrations do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.errors import TemplateError
from promptkit.prompt import Demonstrations, PromptStep
from promptkit.prompt.step import TextStep
from promptkit.run.lint.subject import Shots, Subject, Unknown
from promptkit.run.lint.written import first_escape
from promptkit.spec import Template
from promptkit.text import Problem

__all__ = ["bos", "chat_or_not", "ends_otherwise", "missing_fields", "trailing_space"]

LITERAL = re.compile(r"(?:\{#.*?#\}|[^{}]|\{(?![{%#])|(?<![}%#])\})*\Z", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
COMMENT = re.compile(r"\s*\{#-.*?#\}|\{#.*?-#\}\s*|\{#.*?#\}", re.DOTALL)


def trailing_space(subject: Subject) -> Iterator[Problem]:
    """The last step, where the prompt ends with a space, and a completion would have to begin without its own."""
    declared = subject.declared
    if not declared.prompt:
        return
    number, last = len(declared.prompt) - 1, declared.prompt[-1]
    if not isinstance(last, TextStep) or (declared.chat and not getattr(last, "opens_the_answer", False)):
        return
    end = ending(subject, last)
    if not end.endswith((" ", "\t")):
        return
    lead = declared.choose.lead if declared.choose else ""
    if declared.choose and not lead.startswith((" ", "\t")):
        return  # prompt and option are tokenised together, so nothing is split there
    shown = end[-12:]
    if declared.choose:
        message = f"the prompt ends with a space, {shown!r}, and `lead` begins with one"
        hint = "leave one of the two out"
    else:
        message = f"the prompt ends with a space, {shown!r}"
        hint = "end it before the space: a model writes the space with its first word"
    yield subject.problem(("prompt", number, "text"), message, hint)


def ending(subject: Subject, step: TextStep) -> str:
    """What a step's text ends with: what the template itself says, else what the first row makes of it."""
    if tail := tail_of(step.text):
        return tail
    try:
        return step.text.render(subject.tests[0].fields)
    except TemplateError as error:
        raise Unknown("the last step cannot be written for the first row") from error


def tail_of(template: Template) -> str:
    """What a template ends with, after all that depends on the example."""
    found = LITERAL.search(template.text)
    return COMMENT.sub("", found[0]) if found else ""


def ends_otherwise(subject: Subject) -> Iterator[Problem]:
    """The last step that asks, where no demonstration has its end, or has other white space there."""
    try:
        every = subject.shots
    except Unknown:
        every = subject.unread_shots
    for shots in every:
        steps = [step for step in subject.asking(shots) if isinstance(step, TextStep)]
        if len(steps) < len(subject.asking(shots)):
            raise Unknown("a step after the demonstrations is a plug-in's")
        opening = [step for step in steps if getattr(step, "opens_the_answer", False)]
        asking = [step for step in steps if step not in opening]
        if asking and (tail := tail_of_all(asking)).strip() and first_escape(tail, is_template=True) is None:
            yield from compare(subject, shots, asking[-1], tail)
        if opening and shots.step.turns is not None and shots.pool:
            yield from compare_opening(subject, shots, opening[0])


def tail_of_all(steps: Sequence[TextStep]) -> str:
    """What the steps' text ends with, whatever the example."""
    tail = ""
    for step in reversed(steps):
        own = tail_of(step.text)
        tail = own + tail
        if own != COMMENT.sub("", step.text.text):
            break
    return tail


def compare(subject: Subject, shots: Shots, last: PromptStep, tail: str) -> Iterator[Problem]:
    """The finding about one end, where the demonstrations have it not, or not so."""
    label = tail.strip().rpartition("\n")[2].strip()
    around = re.compile(rf"(\s*){re.escape(label)}(\s*)")
    *_, mine = around.finditer(tail)
    seen = [match for text in shown_by(shots) for match in around.finditer(text)]
    path = ("prompt", list(subject.declared.prompt).index(last), "text")
    if not seen and not shots.pool:
        raise Unknown("the words at the prompt's end may come from a row, and the pool is not here")
    if not seen:
        message = f"the prompt ends with {label!r}, which no demonstration has before its answer"
        yield subject.problem(path, message, "ask as the demonstrations do, to the letter")
        return
    is_open = tail.startswith(label)  # what stands before it depends on the example
    if not any((is_open or match[1] == mine[1]) and match[2].startswith(mine[2]) for match in seen):
        message = f"the prompt ends with {mine[0]!r}, the demonstrations have {seen[0][0]!r} in its place"
        yield subject.problem(path, message, "the same white space in both, and none at the end")


def compare_opening(subject: Subject, shots: Shots, step: TextStep) -> Iterator[Problem]:
    """The finding about the words that open the answer, where the demonstrations' answers do not begin so."""
    row = shots.pool[0]
    assert shots.step.turns is not None
    try:
        begun, shown = step.text.render(row.fields), shots.step.turns.assistant.render(row.fields)
    except TemplateError as error:
        raise Unknown("the demonstrations cannot be written") from error
    if begun.strip() and not shown.startswith(begun.rstrip()):
        message = f"the answer is opened with {begun!r}, and the demonstrations' turns begin with {shown[:20]!r}"
        path = ("prompt", list(subject.declared.prompt).index(step), "text")
        yield subject.problem(path, message, "begin the demonstrations' turns so, too")


def shown_by(shots: Shots) -> list[str]:
    """The first demonstrations, or what asks in them where they are turns; without rows what their template says itself.

    Raises `Unknown` where none can be written.
    """
    template = shots.step.turns.user if shots.step.turns else shots.step.template
    assert template is not None
    if not shots.pool:
        return [JINJA.sub("\0", COMMENT.sub("", template.text))]
    try:
        return [template.render(row.fields) for row in shots.pool[:3]]
    except TemplateError as error:
        raise Unknown("the demonstrations cannot be written") from error


def missing_fields(subject: Subject) -> Iterator[Problem]:
    """Each step that cannot be written for its first row: a name is not there, or not of that kind."""
    steps = enumerate(subject.declared.prompt)
    texts = [(number, step) for number, step in steps if isinstance(step, TextStep)]
    for number, step in texts:
        yield from unwritten(subject, ("prompt", number, "text"), step.text, subject.first_fields)
    if any(isinstance(step, Demonstrations) and step.take != 0 for step in subject.declared.prompt):
        for shots in subject.shots:
            turns = shots.step.turns
            parts = (
                {"template": shots.step.template}
                if turns is None
                else {"user": turns.user, "assistant": turns.assistant}
            )
            for name, template in parts.items():
                path = (
                    ("prompt", shots.number, "template") if turns is None else ("prompt", shots.number, "turns", name)
                )
                if template is not None and shots.pool:
                    yield from unwritten(subject, path, template, shots.pool[0].fields)


def unwritten(
    subject: Subject, path: Sequence[str | int], template: Template, fields: Mapping[str, Any]
) -> Iterator[Problem]:
    """What keeps a template from being written for a row's fields."""
    try:
        template.render(fields)
    except TemplateError as error:
        place = subject.problem(path, "")
        where = " ".join(part for part in (place.path, error.problem.path) if part)
        position = error.problem.position or place.position
        yield replace(error.problem, position=position, path=where, begins=place.position)


def bos(subject: Subject) -> Iterator[Problem]:
    """The prompt, where the token that begins a text stands there twice, or not at all in a chat."""
    tokenizer = subject.tokenizer
    token = tokenizer.special_tokens.get("bos_token", "")
    if not token:
        return
    (prompt,) = (prompt for _, prompt in subject.prompts(1))
    (bos_id, *_) = tokenizer.encode(token, add_special_tokens=False)
    adds = tokenizer.encode("a")[:1] == (bos_id,) != tokenizer.encode("a", add_special_tokens=False)[:1]
    ids = tokenizer.encode(prompt.text, add_special_tokens=not prompt.is_chat)
    if ids[:2] == (bos_id, bos_id):
        by = "the chat template" if prompt.is_chat else "the tokenizer"
        hint = (
            f"leave {token!r} out of the file"
            if token in "".join(map(str, subject.pipeline.plain.get("prompt", [])))
            else ""
        )
        message = f"the prompt begins with {token!r} twice: {by} writes it already"
        yield subject.problem(("prompt", 0), message, hint)
    elif prompt.is_chat and adds and ids[:1] != (bos_id,):
        message = f"the model's texts begin with {token!r}, and its chat template does not write it"
        yield subject.problem(("chat",), message, f"begin the first turn with {token!r}, if the model's page says so")


def chat_or_not(subject: Subject) -> Iterator[Problem]:
    """The model, where it has a chat template that is not used, or is to use one that it has not."""
    has_template = subject.tokenizer.chat_template is not None
    if not subject.declared.prompt or has_template == bool(subject.declared.chat):
        return
    model = subject.declared.model.label
    if has_template:
        message, hint = f"{model!r} has a chat template, and reads plain text here", "`chat: true` uses the template"
        yield subject.problem(("prompt",), message, hint, at_key=True)
    else:
        message = f"`chat: true`, and {model!r} has no chat template: `run` will refuse"
        yield subject.problem(("chat",), message, "leave it out, or take a model that was tuned to chat")
