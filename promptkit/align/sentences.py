"""Sentences: where they begin and end, in prose as models write it."""

from __future__ import annotations

import regex

from promptkit.text import Span

__all__ = ["has_full_stop", "is_complete", "is_inside", "sentence_at", "sentences", "stripped"]

# a full stop after one of these ends no sentence
ABBREVIATION = (
    r"(?<!\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|No|vs|etc|approx|cf|Fig|Eq|ca|Inc|Ltd|Co|e\.g|i\.e|[ap]\.m|U\.S|[A-Z]))"
)
CLOSERS = r"[\"'\u2019\u201d)\]*_$}>]*+"
END = regex.compile(rf"(?:{ABBREVIATION}\.|[!?\u3002])(?:[.!?]*+){CLOSERS}(?=\s|\Z)|\n")
BOLD_END = r"\w[)%.]?\*\*"  # whoever closes bold words has said them
FULL_STOP = regex.compile(rf"(?:[.!?\u3002]{CLOSERS}|{BOLD_END})\s*\Z")
COMPLETE = regex.compile(rf"(?:{BOLD_END}|(?:[.!?\u3002%0-9]|\p{{So}}|\\\]|\\\)|```|[)\]}}|>]){CLOSERS})\s*\Z")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    r"""The sentences of a stretch, in order, white space around them left out. A line's end ends a sentence.

    >>> [text[each.start:each.end] for text in ["It is 3.5 m. Dr. No left!\nSo 4"] for each in sentences(text)]
    ['It is 3.5 m.', 'Dr. No left!', 'So 4']
    """
    end = len(text) if end is None else end
    found, begin = [], start
    for match in END.finditer(text, start, end):
        found.append((begin, match.end()))
        begin = match.end()
    found.append((begin, end))
    return [span for span in (stripped(text, *each) for each in found) if span.start < span.end]


def sentence_at(text: str, start: int, end: int | None = None) -> Span:
    """The stretch from `start` to the end of the sentence there, on the same line."""
    end = len(text) if end is None else end
    match = END.search(text, start, end)
    return stripped(text, start, match.end() if match else end)


def stripped(text: str, start: int, end: int) -> Span:
    """The stretch without white space at its ends."""
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    return Span(start=begin, end=max(begin, start + len(piece.rstrip())))


def is_complete(text: str) -> bool:
    """Whether a text ends as a finished one does, and not in the middle of a sentence."""
    return COMPLETE.search(text, max(0, len(text) - 200)) is not None


def has_full_stop(text: str) -> bool:
    """Whether a sentence ends with a mark that says so."""
    return FULL_STOP.search(text, max(0, len(text) - 200)) is not None


def is_inside(text: str) -> bool:
    """Whether a text ends inside something that it opened: a fence, a doc string, GSM8K's `<<`, a JSON document."""
    is_quoted = any(text.count(mark) % 2 for mark in ("```", '"""'))
    is_document = text.lstrip("`jsonJSON \n").startswith("{") and not text.rstrip("` \n").endswith("}")
    return is_quoted or is_document or text.rfind("<<") > text.rfind(">>")
