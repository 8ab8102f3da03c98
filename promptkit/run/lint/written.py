"""PK1xx: how a text is written in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from promptkit.run.lint.subject import Subject
from promptkit.spec import Template
from promptkit.spec.leaves import Path, leaves
from promptkit.text import Position, Problem

__all__ = ["escaped_ends", "first_escape"]

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
# LaTeX has commands that begin so, and a text may well hold them
LATEX = (
    r"n(?:abla|e|eg|eq|ewline|ewcommand|i|mid|ot|otin|u)|t(?:an|anh|au|ext\w*|dots|frac|heta|ilde|imes|o|op|riangle\w*)"
)
ESCAPE = re.compile(rf"(?<!\\)\\(?!(?:{LATEX})(?![a-z]))[nt]")
BEFORE_TEXT = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor and a tag, which YAML counts to the value
MARKERS = ("chars", "end", "marker", "start")  # parameters of align steps that are plain text, and no pattern
LETTERS = {"\\n": "an n", "\\t": "a t"}
NAMES = {"\\n": ("a line's end", '"\\n"'), "\\t": ("a tab", '"\\t"')}


def escaped_ends(subject: Subject) -> Iterator[Problem]:
    """Each text for the model, or compared with what it wrote, in which a backslash and an n stand for themselves."""
    declared = subject.declared
    for section in ("prompt", "choose"):
        for path, value in leaves(getattr(declared, section), (section,)):
            yield from escape_of(subject, path, value)
    if declared.generate:
        for path, value in leaves(declared.generate.stop, ("generate", "stop")):
            yield from escape_of(subject, path, value)
    for path, value in leaves(declared.align, ("align",)):
        if any(part in MARKERS for part in path):
            yield from escape_of(subject, path, value)


def escape_of(subject: Subject, path: Path, value: str | Template) -> Iterator[Problem]:
    """The first escape of a text that is none there."""
    is_template = isinstance(value, Template)
    text = value.text if isinstance(value, Template) else value
    place = first_escape(text, is_template=is_template)
    if place is None:
        return
    escape = text[place : place + 2]
    problem = subject.problem(path, "")
    if isinstance(value, Template) and value.source is not None:
        position: Position | None = Position(
            source=value.source, line=text.count("\n", 0, place) + 1, column=place - text.rfind("\n", 0, place)
        )
        how, hint = "in a template's file", f"write {NAMES[escape][0]} itself, or {{{{ {NAMES[escape][1]} }}}}"
    else:
        found = in_the_file(problem.position, is_template=is_template)
        if found is None:
            return
        position, how = found
        hint = f"in double quotes {NAMES[escape][1]} is {NAMES[escape][0]}"
    message = f"{escape} is a backslash and {LETTERS[escape]} {how}, not {NAMES[escape][0]}"
    yield replace(problem, position=position, message=message, hint=hint, begins=problem.position)


def first_escape(text: str, *, is_template: bool) -> int | None:
    """Where the first escape of a text stands, outside of Jinja's own quotes; None if nowhere."""
    hidden = JINJA.sub(lambda match: " " * len(match[0]), text) if is_template else text
    found = ESCAPE.search(hidden)
    return found.start() if found else None


def in_the_file(position: Position | None, *, is_template: bool) -> tuple[Position | None, str] | None:
    """The place of the first escape after a text's beginning, and how the text is written; None for double quotes."""
    if position is None:
        return None, "here"
    source = position.source
    if not source.text:
        return position, "here"
    start = offset_of(source.text, position)
    before_text = BEFORE_TEXT.match(source.text, start)
    start = before_text.end() if before_text else start
    quote = source.text[start : start + 1]
    if quote == '"':  # a backslash that is escaped itself: it is meant
        return None
    how = {"'": "in single quotes", "|": "in a block", ">": "in a block"}.get(quote, "without quotes")
    place = first_escape(source.text[start:], is_template=is_template)
    if place is None:
        return position, how
    before = source.text[: start + place]
    return Position(source=source, line=before.count("\n") + 1, column=len(before) - before.rfind("\n")), how


def offset_of(text: str, position: Position) -> int:
    """The place of a position in its text, in characters."""
    lines: Sequence[str] = text.splitlines(keepends=True)
    return sum(map(len, lines[: position.line - 1])) + position.column - 1
