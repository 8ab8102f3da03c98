"""Documents: the JSON objects and arrays that a text holds, strict or damaged, whole or cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import regex

from promptkit.align.bracket import START, Stretch, TooLong, stretch_at
from promptkit.align.fence import blocks
from promptkit.align.mending import MAX_REPAIRED, Refused, closed, decode, mend, repair, strict, with_latex
from promptkit.text import Span

__all__ = ["Document", "documents", "is_reference"]

MAX_TOKENS = 300_000  # of all stretches that are looked through: a second's work
CHARACTERS_A_TOKEN = 50  # that are looked through in the time of one token
MEND_TOKENS, REPAIR_TOKENS, TOKENS_A_REPAIRED_CHARACTER = 30, 100, 3  # what repairs cost, in the same coin
MAX_BESIDE = 80  # characters beside a reference
TAGS = {"json", "json5", "jsonc", "jsonl", "ndjson"}
REFERENCE = regex.compile(r"\[\s*+[0-9]++\s*+\]")
NAMED = regex.compile(r"\{\s*+[\"'\u201c\u2018]")  # an object whose first name is in quotes is meant as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document: its place and its value, or the reason why it has none."""

    span: Span
    value: Any = None
    reason: str = ""


def documents(text: str, *, repair: bool, is_open: bool) -> list[Document]:
    """Every document of a text, in order: the whole text, else those in fences tagged as JSON, else those in prose.

    What is damaged beyond repair, or cut by the text's end, is among them with its reason. `repair` allows to put
    damage right, `is_open` to take a cut document as if it ended there.
    """
    whole = whole_document(text, repair=repair)
    if whole is not None:
        return [whole]
    search = Search(text, repair=repair, is_open=is_open)
    fenced = [block.code for block in blocks(text) if block.language in TAGS]
    try:
        found = [document for span in fenced for document in search.every(span.start, span.end)]
        return found or list(search.every(0, len(text)))
    except TooLong:
        return [Document(span=Span(start=0, end=len(text)), reason="the text has too many brackets to look through")]


def whole_document(text: str, *, repair: bool) -> Document | None:
    """The document that the whole text is, which may be a number, a text or a truth value too."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    try:
        value = strict(text)
    except ValueError:
        return None
    return Document(span=Span(start=start, end=end), value=with_latex(value, text) if repair else value)


class Search:
    """The search for documents in one text."""

    def __init__(self, text: str, *, repair: bool, is_open: bool) -> None:
        self.text = text
        self.repair = repair
        self.is_open = is_open
        self.tokens_left = MAX_TOKENS
        self.endless: set[str] = set()  # quotes that end no string in the rest of the text

    def every(self, start: int, end: int) -> Iterator[Document]:
        """Every document between two places, in order."""
        text, place = self.text[start:end], 0
        self.endless = set()
        while match := START.search(text, place):
            document, place = self.document_at(text, match.start())
            if document is not None:
                yield replace(document, span=document.span.inside(Span(start=start, end=end)))

    def document_at(self, text: str, start: int) -> tuple[Document | None, int]:
        """The document that begins at a bracket, if there is one, and where to look on."""
        try:
            value, end = decode(text, start)
        except Refused as error:
            reason = str(error)
        except ValueError:
            reason = ""
        else:
            span = Span(start=start, end=end)
            return None if is_reference(text, span) else self.read(text, span, value), end
        stretch = self.stretch(text, start)
        if stretch.is_too_deep or reason:
            end = stretch.end or len(text)
            reason = reason or "is nested too deeply"
            return self.unread(Span(start=start, end=end), reason), end
        return self.damaged(text, stretch) if stretch.end else self.cut(text, stretch)

    def stretch(self, text: str, start: int) -> Stretch:
        """The stretch at a bracket. Raises `TooLong` where too much has been looked through."""
        stretch = stretch_at(text, start, self.tokens_left, self.endless)
        self.spend(len(stretch.tokens) + ((stretch.end or len(text)) - start) // CHARACTERS_A_TOKEN)
        return stretch

    def spend(self, num_tokens: int) -> None:
        """Takes the work off what is left. Raises `TooLong` where nothing is."""
        self.tokens_left -= num_tokens
        if self.tokens_left <= 0:
            raise TooLong

    def damaged(self, text: str, stretch: Stretch) -> tuple[Document | None, int]:
        """A document that is closed and not strict. Brackets that nobody meant as JSON are none."""
        assert stretch.end is not None
        span = Span(start=stretch.start, end=stretch.end)
        try:
            return self.read(text, span, self.mended(text, stretch)), span.end
        except ValueError as error:
            reason = str(error)
        if NAMED.match(text, span.start):
            return self.unread(span, reason), span.end
        return None, span.start + 1

    def mended(self, text: str, stretch: Stretch) -> Any:
        """The value of a damaged document. Raises `ValueError` with the reason why there is none."""
        if not self.repair:
            raise ValueError("is not strict JSON")
        self.spend(MEND_TOKENS + 2 * len(stretch.tokens))
        try:
            return mend(text, stretch)
        except Refused:
            raise
        except ValueError:
            length = (stretch.end or len(text)) - stretch.start
            self.spend(REPAIR_TOKENS + min(length, MAX_REPAIRED) * TOKENS_A_REPAIRED_CHARACTER)
            return repair(text, stretch)

    def cut(self, text: str, stretch: Stretch) -> tuple[Document | None, int]:
        """A document that does not end. Another may begin behind it, where words follow it that belong to none."""
        span = Span(start=stretch.start, end=len(text))
        if stretch.restart is not None:
            return self.unread(Span(start=span.start, end=stretch.restart), "is not closed"), stretch.restart
        if self.is_open:
            try:
                return self.read(text, span, closed(text, stretch)), span.end
            except ValueError as error:
                return self.unread(span, f"is not closed and {error}"), span.end
        return self.unread(span, "is not closed"), span.end

    def read(self, text: str, span: Span, value: Any) -> Document:
        """A document with its value."""
        return Document(span=span, value=with_latex(value, text[span.start : span.end]) if self.repair else value)

    def unread(self, span: Span, reason: str) -> Document:
        """A document without one."""
        return Document(span=span, reason=f"the JSON document {reason}")


def is_reference(text: str, span: Span) -> bool:
    """Whether a stretch is `[1]`, which points at something, unless it is alone on its line or after a colon."""
    if text[span.start] != "[" or not REFERENCE.fullmatch(text, span.start, span.end):
        return False
    before = text[max(0, span.start - MAX_BESIDE) : span.start].rstrip(" \t")
    after = text[span.end : span.end + MAX_BESIDE].lstrip(" \t.")
    is_alone = before[-1:] in {"", "\n"} and after[:1] in {"", "\n", "\r"}
    return not (is_alone or before.endswith((":", "=")))
