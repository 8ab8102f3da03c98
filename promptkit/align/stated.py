r"""Where a text states its answer: in a tag, a box, a field, after a mark, or after words that announce it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex

from promptkit.align.box import boxes, plain_span
from promptkit.align.cue import cues, is_header, is_meant
from promptkit.align.sentences import sentence_at, stripped
from promptkit.text import Span

__all__ = ["Place", "Stretch", "stated_places"]

Stretch = Literal["sentence", "line", "rest"]  # how far an announced answer reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a text that may hold its answer, and what sort of place it is.

    `is_header` says that it stands after a bare `Answer:`, which may as well introduce a whole chain of thought;
    `is_fence` that it is code, or anything else, in a fence.
    """

    sort: str
    span: Span
    is_header: bool = False
    is_fence: bool = False


TAG = regex.compile(r"<(?P<name>answer|ans|final_answer|final)>(?P<inside>.*?)(?:</(?P=name)>|\Z)", regex.S | regex.I)
MARKED = regex.compile(r"(?:####|\u2234)[ \t]*+(?P<inside>[^\n]*+)")
LINE_A = regex.compile(r"^A[ \t]*+:[ \t]*+(?P<inside>[^\n]*+)", regex.M)
KEY = r"(?:final|correct|predicted|model|my)?[ _-]?(?:answer|prediction|verdict)(?:[ _-]?(?:letter|choice|value))?"
FIELD = regex.compile(
    rf"""(?P<quote>["'])(?i:{KEY})(?P=quote)\s*+:\s*+(?:
        "(?P<inside>(?:[^"\\]|\\.)*+)"
      | '(?P<inside>(?:[^'\\\n]|\\.)*?)'(?=\s*+[,}}\n])
      | (?P<inside>\[[^\[\]]*+\])
      | (?P<inside>[^\s"'\[{{,}}][^,}}\n]*+)
    )""",
    regex.VERBOSE | regex.S,
)

BETWEEN = regex.compile(
    r"[ \t:=*_`\u2192\uff1a\u2014]*+(?:[^\S\n]*+\n[\s*_`\#]*+(?:[-\u2013\u2022>]\s++)?+)?+[*_`]*+"
)  # a hyphen is a bullet at the beginning of a line, and else a minus
BETWEEN_LINES = regex.compile(r"[ \t:*_\uff1a]*+(?:[^\S\n]*+\n)*+")  # before a list, whose bullets are its own
MATH_BLOCK = regex.compile(r"\$\$(?:[^$]|\\\$)++\$\$|\\\[.*?\\\]|```[^\n]*+\n.*?```", regex.S)
QUESTION_MARK = regex.compile(r"\?[*_\"')\]]*+\Z")


def stated_places(text: str, stretch: Stretch = "sentence") -> list[Place]:
    """Every place that states an answer, the last first. What lies inside another is left out."""
    places = [*tagged(text), *boxed(text), *marked(text), *in_fields(text), *announced(text, stretch)]
    places.sort(key=lambda place: (place.span.start, -place.span.end), reverse=True)
    fields = [place.span for place in places if place.sort == "field"]
    outer = documents(text, fields) if fields else []
    return [place for place in places if place.sort == "field" or not begins_inside(place.span, outer)]


def documents(text: str, fields: list[Span]) -> list[Span]:
    """From the brace before the first field to the one after the last: what other fields say there is no statement."""
    start = text.rfind("{", 0, fields[-1].start)
    end = text.find("}", fields[0].end)
    return [Span(start=max(0, start), end=len(text) if end < 0 else end)]


def begins_inside(span: Span, outer: list[Span]) -> bool:
    """Whether a stretch begins inside one of the others."""
    return any(each.start <= span.start < each.end for each in outer)


def tagged(text: str) -> Iterator[Place]:
    """`<answer>...</answer>`."""
    if "<" in text:
        for match in TAG.finditer(text):
            yield inside(match, "tag")


def boxed(text: str) -> Iterator[Place]:
    r"""`\boxed{...}`, without what is around the whole of its content."""
    if "box" in text:
        for box in boxes(text):
            span = plain_span(text, box.content) if box.content else None
            if span and text[span.start : span.end].strip(". "):
                yield Place(sort="boxed", span=span)


def marked(text: str) -> Iterator[Place]:
    """`#### 42`, as GSM8K writes it, and a line `A: 42`."""
    if "####" in text or "\u2234" in text:
        for match in MARKED.finditer(text):
            if not is_heading(match["inside"]):
                yield inside(match, "marked")
    if "A:" in text or "A :" in text:
        lines = list(LINE_A.finditer(text))
        if lines:
            yield Place(sort="marked", span=inside(lines[-1], "marked").span, is_header=True)


def is_heading(inside_: str) -> bool:
    """Whether what stands after the number signs is a heading of fourth order."""
    return bool(regex.match(r"\s*+(?:\*\*)?(?:step|final|answer|solution|conclusion|part|note)\b", inside_, regex.I))


def in_fields(text: str) -> Iterator[Place]:
    """The field `answer` of a JSON document, also of a broken one."""
    if ":" in text:
        for match in FIELD.finditer(text):
            yield inside(match, "field")


def inside(match: regex.Match[str], sort: str) -> Place:
    """What a pattern marks as the inside, without white space around it."""
    return Place(sort=sort, span=stripped(match.string, *match.span("inside")))


def announced(text: str, stretch: Stretch) -> Iterator[Place]:
    """What follows words such as `the answer is`, unless they doubt it, deny it, or ask for it."""
    for match in cues(text):
        if not match["noun"] or is_meant(text, match):
            span = announced_span(text, match.end(), stretch)
            if span.start < span.end:
                yield Place(sort="announced", span=span, is_header=is_header(match))


def announced_span(text: str, start: int, stretch: Stretch) -> Span:
    """What the words announce: to the end of the sentence, the line, or the text; a question said again is passed over."""
    if stretch == "rest":
        lines = BETWEEN_LINES.match(text, start)
        return stripped(text, lines.end() if lines else start, len(text))
    begin = past_marks(text, start)
    block = MATH_BLOCK.match(text, begin)
    if block:
        return Span(start=begin, end=block.end())
    for _ in range(2):
        span = sentence_at(text, begin)
        if stretch == "line":
            end = text.find("\n", span.start)
            span = stripped(text, span.start, len(text) if end < 0 else end)
        if not QUESTION_MARK.search(text, span.start, span.end):
            return span
        begin = past_marks(text, span.end)
    return Span(start=begin, end=begin)


def past_marks(text: str, start: int) -> int:
    """Where the words begin, past colons, bold marks and line ends."""
    match = BETWEEN.match(text, start)
    return match.end() if match else start
