"""Patterns that a person wrote: checked when the file is read, and stopped when a text takes too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Annotated

import regex
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.spec import Texts

__all__ = ["Deadline", "Patterns", "flags_of"]


def checked(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns, if all of them compile and there is one at all."""
    if not patterns:
        raise PydanticCustomError("pattern", "must not be empty", {})
    for number, pattern in enumerate(patterns):
        try:
            regex.compile(pattern)
        except (regex.error, OverflowError, RecursionError) as error:
            why = getattr(error, "msg", None) or str(error) or type(error).__name__
            context = {"why": why, "where": place(error), "at": (number,)}
            raise PydanticCustomError("pattern", "the pattern does not compile: {why}{where}", context) from error
    return patterns


Patterns = Annotated[Texts, AfterValidator(checked)]


def place(error: Exception) -> str:
    """Where a pattern fails, counted from 1, as the columns of a file are."""
    position = getattr(error, "pos", None)
    return "" if position is None else f" at character {position + 1}"


def flags_of(*, ignore_case: bool = False, multiline: bool = False, dotall: bool = False, reverse: bool = False) -> int:
    """The flags with which patterns are compiled."""
    ours = regex.IGNORECASE * ignore_case | regex.MULTILINE * multiline | regex.DOTALL * dotall
    return int(ours | regex.REVERSE * reverse)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which all that is looked for in one text must be found."""

    at_s: float

    @classmethod
    def after(cls, timeout_s: float) -> Deadline:
        """The moment so many seconds from now."""
        return cls(perf_counter() + timeout_s)

    def matches(self, compiled: regex.Pattern[str], text: str) -> Iterator[regex.Match[str]]:
        """Every match of a pattern. Raises `TimeoutError` when the time is up, that of those who take them included."""
        left_s = self.at_s - perf_counter()
        if left_s <= 0:
            raise TimeoutError
        yield from compiled.finditer(text, timeout=left_s)

    def search(self, every: Sequence[regex.Pattern[str]], text: str) -> regex.Match[str] | None:
        """The first match that is not empty, of the first pattern that has one."""
        for compiled in every:
            for match in self.matches(compiled, text):
                if match.start() < match.end():
                    return match
        return None
