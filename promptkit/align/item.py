"""Items: the pieces of a list, without what is written around them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from promptkit.align.box import is_around
from promptkit.text import Span

__all__ = ["MAX_LINE", "Item", "cleaned", "num_words", "trimmed", "unwrapped", "without_marks"]

MAX_LINE = 20_000  # characters; a longer line is looked through for separators only
MAX_WORDS = 20

SENTENCE = regex.compile(r"(?<=[\w)\]\"'*]{2})[.!?][\"'*)]*+[ \t]++(?=[A-Z]\S*+[ \t]++\S++[ \t]++\S)")
ASIDE = regex.compile(r"which\b|because\b", regex.IGNORECASE)
AROUND = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("`", "`"))
PAIRS = (
    ("**", "**"),
    ("__", "__"),
    ('"', '"'),
    ("\u201c", "\u201d"),
    ("'", "'"),
    ("\u2018", "\u2019"),
    ("`", "`"),
    ("*", "*"),
)
AROUND_A_LINE = ("**", "__", "*", "_", "```", "`")
ABBREVIATION = regex.compile(r"(?:^|[\s(])(?:[A-Za-z]\.){2,}+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item: its span in the text, and its value where that is not the text there (a quote with escapes)."""

    span: Span
    value: str | None = None

    def text(self, text: str) -> str:
        """What the item says."""
        return text[self.span.start : self.span.end] if self.value is None else self.value


def cleaned(text: str, spans: Sequence[Span], *, are_lines: bool = False, is_quoted: bool = False) -> list[Item]:
    """The items without what is around them: white space, quotes, bold, the full stop that ends the list."""
    items: list[Item] = []
    if not are_lines and len(spans) > 1 and ASIDE.match(text, trimmed(text, spans[-1]).start):
        spans = spans[:-1]
    stops = [text[span.start : span.end].rstrip().endswith(".") for span in spans]
    for number, span in enumerate(spans):
        is_last = number == len(spans) - 1
        if is_last and not is_quoted and (tail := SENTENCE.search(text, span.start, span.end)) and not are_lines:
            span = Span(start=span.start, end=tail.start())  # noqa: PLW2901 - the same item, shorter
        item = without_wrapping(text, span, has_stop=is_last or (are_lines and all(stops)))
        if item.text(text).strip():
            items.append(item)
    return items


def without_wrapping(text: str, span: Span, *, has_stop: bool) -> Item:
    """One item without what is around it."""
    while True:
        span = trimmed(text, span)
        piece = text[span.start : span.end]
        if is_quoted_with_escapes(piece) and (value := unescaped(piece)) is not None:
            return Item(span=Span(start=span.start + 1, end=span.end - 1), value=value)
        left, right = around(piece, has_stop=has_stop)
        if not left and not right:
            return Item(span=span)
        span = Span(start=span.start + left, end=span.end - right)


def around(piece: str, *, has_stop: bool) -> tuple[int, int]:
    """How many characters at the start and at the end of an item are none of it."""
    is_full_stop = piece.endswith(".") and not piece.endswith("..") and not ABBREVIATION.search(piece)
    if len(piece) > MAX_LINE:
        return 0, 0
    if piece.endswith((",", ";")) or (has_stop and is_full_stop):
        return 0, 1
    for left, right in PAIRS:
        if is_around(piece, left, right):
            return len(left), len(right)
    if piece.count("**") == 1:
        return (2, 0) if piece.startswith("**") else (0, 2) if piece.endswith("**") else (0, 0)
    return 0, 0


def is_quoted_with_escapes(piece: str) -> bool:
    """Whether quotes around an item are those of a programming language."""
    return len(piece) > 1 and piece[0] in {'"', "'"} and piece[0] == piece[-1] and "\\" in piece


def unescaped(piece: str) -> str | None:
    """What a quoted text with backslashes means, or None."""
    try:
        value = ast.literal_eval(piece)
        value.encode()
    except (ValueError, SyntaxError, UnicodeEncodeError, MemoryError, RecursionError, AttributeError):
        return None
    return value if isinstance(value, str) else None


def unwrapped(text: str, span: Span) -> Span:
    """The span without white space, a last full stop, dollars, bold and backticks around the whole of it."""
    while True:
        before = span
        span = trimmed(text, span)
        if text[span.end - 1 : span.end] == "." and text[span.end - 2 : span.end - 1] in {"]", ")", "}", "$", "*", "`"}:
            span = Span(start=span.start, end=span.end - 1)
        for left, right in AROUND:
            if span.end - span.start <= MAX_LINE and is_around(text[span.start : span.end], left, right):
                span = Span(start=span.start + len(left), end=span.end - len(right))
        if span == before:
            return span


def without_marks(text: str, span: Span) -> Span:
    """A line without bold, italics or backticks around the whole of it, where it holds several items."""
    span = trimmed(text, span)
    for mark in AROUND_A_LINE:
        piece = text[span.start : min(span.end, span.start + MAX_LINE)]
        if ("," in piece or ";" in piece) and is_around(piece, mark, mark):
            span = Span(start=span.start + len(mark), end=span.end - len(mark))
    return span


def trimmed(text: str, span: Span) -> Span:
    """The span without white space around it."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start=start, end=max(start, span.start + len(piece.rstrip())))


def num_words(text: str, span: Span) -> int:
    """How many words a span holds; more than twenty are not told apart."""
    return len(text[span.start : span.end].split(None, MAX_WORDS + 1))
