"""Spans, positions and carets: how promptkit points at a piece of text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["Located", "Position", "Problem", "Source", "Span", "known_names", "nearest"]

MAX_LINE = 200  # characters of a line that are shown with a caret


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open stretch of characters, `start <= end`, of a text that the context names."""

    start: int
    end: int

    def inside(self, outer: Span) -> Span:
        """This span, counted from the start of `outer`, as a span of the text that `outer` is a span of."""
        return Span(start=outer.start + self.start, end=outer.start + self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text that people wrote, under the name that they know it by: a path as typed, or `--set`.

    `extended_at` is where another file names this one to go on from it; None for a file that was asked for.
    """

    name: str
    text: str = field(repr=False)
    folder: Path | None = None
    extended_at: Position | None = field(default=None, repr=False)

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1; empty past the end."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a source: line and column, both counted from 1."""

    source: Source
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def excerpt(self) -> str:
        """The line that this position is on, with a caret under the column."""
        text, before = around(self.source.line(self.line).replace("\t", " "), self.column - 1)
        gutter = f"    {self.line} | "
        return f"{gutter}{text}\n{' ' * (len(gutter) + before)}^"


def around(line: str, place: int) -> tuple[str, int]:
    """As much of a line as a message can hold, and how many characters of that stand before a place of the line."""
    if len(line) <= MAX_LINE:
        return line, place
    first = max(0, place - MAX_LINE // 2)
    shown = line[first : first + MAX_LINE]
    begin, end = ("... " if first else ""), (" ..." if first + MAX_LINE < len(line) else "")
    return f"{begin}{shown}{end}", place - first + len(begin)


class Located(str):
    """A string that remembers where it was written."""

    __slots__ = ("is_block", "position")

    position: Position
    is_block: bool  # written as a YAML block (`|`): its first line is the one after its position

    def __new__(cls, text: str, position: Position, *, is_block: bool = False) -> Self:
        """The text, with its position."""
        located = super().__new__(cls, text)
        located.position = position
        located.is_block = is_block
        return located

    def __getnewargs__(self) -> tuple[Any, ...]:  # copying and pickling go through __new__
        return (str(self), self.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a file: where it is, what is wrong, and what would be right.

    `begins` is given where the place is inside a longer text, or in a file that is named: where the text begins, or is named.
    """

    position: Position | None
    path: str
    message: str
    hint: str = ""
    begins: Position | None = None

    def __str__(self) -> str:
        place = [str(self.position)] if self.position else []
        lines = [": ".join([*place, *([self.path] if self.path else []), self.message])]
        if self.position and self.position.source.text:
            lines.append(self.position.excerpt())
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` was probably meant to be, or None.

    >>> nearest("regx", ["number", "regex"])
    'regex'
    """
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def known_names(word: str, known: Iterable[str]) -> str:
    """What is known, sorted, and the nearest name where there is one.

    >>> known_names("regx", ["regex", "number"])
    "known: number, regex   did you mean 'regex'?"
    """
    names = sorted(known)
    close = nearest(word, names)
    return f"known: {', '.join(names)}" + (f"   did you mean {close!r}?" if close else "")
