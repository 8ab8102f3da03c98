"""What a file allows: `# lint: allow PK301` on a line, or in the comment above it.

On the line with `extends` it stands for all that the file takes over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import takewhile

from promptkit.run.lint.subject import Subject
from promptkit.spec.leaves import templates_in
from promptkit.text import Position, Problem, Source, known_names

__all__ = ["Allowance", "allowances", "allowances_at", "unknown_codes"]

LINT = re.compile(r"#.*?\b(?P<lint>lint:\s*(?P<verb>[\w-]+))(?P<rest>[^#]*)")
WORD = re.compile(r"[^\s,;:={}-]+")
CODE = re.compile(r"PK\w*\d\w*", re.IGNORECASE)  # meant as one
COMMENT = re.compile(r"\s*(?:#|\{#)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A code that a comment allows, and where it stands there."""

    code: str
    position: Position


def allowances(source: Source) -> list[Allowance]:
    """All that the comments of a text allow."""
    return [each for number, line in enumerate(source.text.splitlines(), 1) for each in in_line(source, number, line)]


def allowances_at(position: Position) -> list[Allowance]:
    """What the line of a place allows, the lines of comment right above it, and the line that extends its file."""
    source = position.source
    lines = source.text.splitlines()[: position.line]
    found = allowances_at(source.extended_at) if source.extended_at else []
    for number in range(len(lines), 0, -1):
        if number < position.line and not COMMENT.match(lines[number - 1]):
            break
        found += in_line(source, number, lines[number - 1])
    return found


def in_line(source: Source, number: int, line: str) -> Iterator[Allowance]:
    """What a line allows; lines count from 1."""
    for lint in LINT.finditer(line):
        for code in codes_of(lint) if lint["verb"] == "allow" else ():
            yield Allowance(code=code[0], position=Position(source=source, line=number, column=code.start() + 1))


def codes_of(lint: re.Match[str]) -> list[re.Match[str]]:
    """The codes with which a comment goes on; the words after them are its reason."""
    words = (word for word in WORD.finditer(lint.string, *lint.span("rest")) if word[0] != "and")
    return list(takewhile(lambda word: CODE.fullmatch(word[0]), words))


def unknown_codes(subject: Subject, known: Collection[str]) -> Iterator[Problem]:
    """Each comment of the file, and of the templates that it names, that means to allow something and does not."""
    if subject.tree is None:
        return
    named = [template.source for _, template in templates_in(subject.declared) if template.source]
    for source in dict.fromkeys([subject.tree.position.source, *named]):
        for number, line in enumerate(source.text.splitlines(), 1):
            for lint in LINT.finditer(line):
                for column, message, hint in in_vain(lint, known):
                    position = Position(source=source, line=number, column=column + 1)
                    yield Problem(position=position, path="", message=message, hint=hint)


def in_vain(lint: re.Match[str], known: Collection[str]) -> Iterator[tuple[int, str, str]]:
    """What of a comment allows nothing and means to: its place in the line, what is wrong, what would be right."""
    codes = codes_of(lint)
    if lint["verb"] != "allow":
        if codes:
            yield lint.start("lint"), f"`{lint['lint']}` allows nothing", f"`lint: allow {codes[0][0]}` does"
    elif not codes:
        word = WORD.search(lint["rest"])
        message = f"no rule has the code {word[0]!r}" if word else "`lint: allow` names no rule"
        yield lint.start("lint"), message, known_names(word[0] if word else "", known)
    for code in codes if lint["verb"] == "allow" else ():
        if code[0] not in known:
            yield code.start(), f"no rule has the code {code[0]!r}", known_names(code[0].upper(), known)
