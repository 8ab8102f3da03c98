"""Fences: where a text holds blocks of code between lines of backticks or tildes (CommonMark 0.31, section 4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from promptkit.text import Span

__all__ = ["Block", "blocks", "only_block"]

FENCE = regex.compile(
    r"^(?P<indent>[ \t]*+(?:>[ \t]?+|[-*+][ \t]++|[0-9]{1,9}[.)][ \t]++)*+)(?P<fence>`{3,}+|~{3,}+)[ \t]*+(?P<info>[^\r\n`]*+)\r?$",
    regex.MULTILINE,
)
LANGUAGE = regex.compile(r"[^\s{},=:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block between fences: its language as tagged, in small letters, and the span of the code, without last end.

    `indent` is what stands before the opening fence, which is no part of the code's lines either.
    """

    language: str
    code: Span
    indent: str
    is_closed: bool


def blocks(text: str) -> Iterator[Block]:
    """Every block of a text, in order; only the last may be unclosed."""
    opening: regex.Match[str] | None = None
    for line in FENCE.finditer(text):
        if opening is None:
            opening = line
        elif line["fence"].startswith(opening["fence"]) and not line["info"].strip():
            yield block(text, opening, line.start(), is_closed=True)
            opening = None
    if opening is not None:
        yield block(text, opening, len(text), is_closed=False)


def only_block(text: str) -> Block | None:
    """The block of a text that has one alone, where it is closed."""
    every = list(blocks(text)) if "```" in text or "~~~" in text else []
    return every[0] if len(every) == 1 and every[0].is_closed else None


def block(text: str, opening: regex.Match[str], end: int, *, is_closed: bool) -> Block:
    """The block from an opening fence to the start of the closing one."""
    start = min(opening.end() + 1, end)
    if is_closed and end > start:
        end -= 2 if text[end - 2 : end] == "\r\n" and end - 2 >= start else 1
    tag = LANGUAGE.search(opening["info"])
    language = tag[0].removeprefix(".").lower() if tag else ""
    return Block(language=language, code=Span(start=start, end=end), indent=opening["indent"], is_closed=is_closed)
