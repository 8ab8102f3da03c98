r"""Where a text states its answer: in a tag, a box, a field, after a mark, or after words that announce it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import regex

from promptkit.align.box import boxes, plain_span
from promptkit.align.sentences import sentence_at, stripped
from promptkit.text import Span

__all__ = ["Place", "Stretch", "stated_places"]

Stretch = Literal["sentence", "line", "rest"]  # how far an announced answer reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of a text that may hold its answer, and what sort of place it is.

    `is_header` says that it stands after a bare `Answer:`, which may as well introduce a whole chain of thought.
    """

    sort: str
    span: Span
    is_header: bool = False


TAG = regex.compile(r"<(?P<name>answer|final_answer|final)>(?P<inside>.*?)(?:</(?P=name)>|\Z)", regex.S | regex.I)
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

# Words that announce an answer. What makes of them something else (a guess, a wrong one, a question) is looked for
# before and after.
SORT_OF = (
    r"(?:(?:final|correct|right|best|true|overall|actual|numerical|numeric|exact|closest|appropriate|accurate)\s++)*+"
)
NOUN = r"(?:answer|ans(?=[.]?\s*+[:=])|(?<=final\s)result|(?<=(?:correct|right|best|appropriate|accurate|closest)\s)(?:option|choice|response|statement|one))"
MARKS = r"[*_`\"'\u201d)]*+"
OF = r"(?:\s++(?:choice|option|letter)(?!\w))?(?:\s++(?:to|for|of|here|in|from)\b[^.\n:?]{0,150}?)?(?:\s++\([^()\n]{0,60}\))?"
VERB = r"(?:\s++(?:is|are|was|becomes?|equals|will\s++be|would\s++be|should\s++be|must\s++be|has\s++to\s++be|comes\s++(?:out\s++)?to)(?!\w)|\s*+(?:=|:|\uff1a|\u2192))"
ADVERB = r"(?:\s++(?:therefore|thus|then|hence|simply|just|indeed|clearly|also|still|approximately|about|exactly|definitely|most\s++likely|likely)(?!\w))?"
CHOICE_VERB = (
    r"I(?:'ll|\s++will|\s++would)?\s++(?:choose|select|pick|go\s++with|answer)(?:\s++(?:option|answer|choice))?(?!\w)"
)
OTHER_TONGUES = (
    r"(?:la\s++)?respuesta(?:\s++(?:final|correcta))?(?:\s++es|\s*+:)"
    r"|(?:la\s++)?r[\u00e9e]ponse(?:\s++(?:finale|correcte))?(?:\s++est|\s*+:)"
    r"|(?:die\s++)?(?:endg\u00fcltige\s++|richtige\s++)?antwort(?:\s++(?:ist|lautet)|\s*+:)"
    r"|(?:a\s++)?resposta(?:\s++(?:final|correta))?(?:\s++\u00e9|\s*+:)|(?:la\s++)?risposta(?:\s++(?:finale|corretta))?(?:\s++\u00e8|\s*+:)"
    r"|(?:\u7b54\u6848|\u7d50\u679c|\u7ed3\u679c)(?:\u662f|\u4e3a|\u70ba|\s*+[:\uff1a])|\u7b54\s*+[:\uff1a]|\u7b54\u3048(?:\u306f|\s*+[:\uff1a])"
    r"|\u043e\u0442\u0432\u0435\u0442\s*+(?::|\u2014|-)"
)
CUE = regex.compile(
    rf"""(?i)(?:
        (?P<line>^[ \t>#*_\-\u2022]*+(?:[0-9]{{1,2}}[.)][ \t]*+)?[*_]*+)?+
        (?P<lead>(?:(?:so|thus|hence|therefore|and|finally)\s*+,?\s++)?(?:(?P<article>the|my|our|this|your)\s++)?)
        (?P<noun>(?<!\w){SORT_OF}{NOUN}){MARKS}{OF}{MARKS}(?P<verb>{VERB}){MARKS}{ADVERB}
      | (?P<line>^[ \t>#*_]*+)(?P<noun>(?:final\s++)?(?:answer|result|verdict)){MARKS}[ \t]*+(?=\n|\Z)
      | (?<!\w){CHOICE_VERB}
      | (?:{OTHER_TONGUES})
    )""",
    regex.VERBOSE | regex.MULTILINE,
)
# One of these is in every cue, and looked for first: it is much faster.
KEYWORD = regex.compile(
    "answer|ans\\b|(?:correct|right|best) one|final result|option|choice|response|statement|choose|select|pick|go with|respuesta|r[\u00e9e]ponse|antwort|resposta|risposta"
    "|\u7b54|\u7d50\u679c|\u7ed3\u679c|\u043e\u0442\u0432\u0435\u0442",
    regex.IGNORECASE,
)
MAX_KEYWORDS = 100  # the last ones; a text with more of them repeats itself
MAX_BEFORE, MAX_AFTER = 80, 260  # characters of a cue beside its keyword
DOUBT_BEFORE = regex.compile(
    r"(?i)\b(?:if|whether|suppose|assum\w++|might|may|could|perhaps|maybe|think|thinks|thought|believe[sd]?|guess\w*+|claim\w*+"
    r"|says?|said|wrong(?:ly)?|incorrect(?:ly)?|not|previous|other|initial|their|his|her|student'?s?|unless|check|verify"
    r"|is|does|what|why|how|before|until|find|finding|get|give|provide|determine|need|write|put|format)\b[^.!?\n]{0,40}\Z"
)
NEVER_BEFORE = regex.compile(
    r"(?i)\b(?:if|whether|suppose|assuming|may|might|could|perhaps|maybe|wrong|incorrect|unless|what"
    r"|(?:they|he|she|you|one|some\w*+|people|students?)\s++(?:\w++\s++)?(?:think|say|claim|believe|guess)s?)\b[^.!?\n,]{0,40}\Z"
)
DENIAL_AFTER = regex.compile(
    r"(?i)\s*+(?:not(?!\s+(?:only|just))\b|n't\b|neither\b|wrong\b|incorrect\b|correct[.!]|right[.!])"
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
    return [place for place in places if place.sort == "field" or not is_inside(place.span, outer)]


def documents(text: str, fields: list[Span]) -> list[Span]:
    """From the brace before the first field to the one after the last: what other fields say there is no statement."""
    start = text.rfind("{", 0, fields[-1].start)
    end = text.find("}", fields[0].end)
    return [Span(start=max(0, start), end=len(text) if end < 0 else end)]


def is_inside(span: Span, outer: list[Span]) -> bool:
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


def cues(text: str) -> Iterator[regex.Match[str]]:
    """Where words announce an answer, in order."""
    end = 0
    for keyword in list(KEYWORD.finditer(text))[-MAX_KEYWORDS:]:
        if keyword.start() >= end:
            window = max(end, keyword.start() - MAX_BEFORE), min(len(text), keyword.end() + MAX_AFTER)
            match = CUE.search(text, *window)
            if match:
                end = match.end()
                yield match


def is_header(match: regex.Match[str]) -> bool:
    """Whether the words are a bare `Answer:` at the beginning of a line."""
    return (
        match["noun"] is not None
        and match["line"] is not None
        and not match["article"]
        and match["noun"].split()[0].casefold() == "answer"
    )


def is_meant(text: str, match: regex.Match[str]) -> bool:
    """Whether the words announce the answer that the text gives."""
    start = match.start("noun")
    if text[start - 1 : start] == '"' and text[match.end("noun") : match.end("noun") + 1] == '"':
        return False  # the name of a JSON field, which is read as such
    before = text[max(0, start - 60) : match.start("lead") if match["lead"] else start].rpartition("\n")[2]
    is_bare = not match["line"] and not match["article"] and not (match["lead"] or "").strip()
    doubts = DOUBT_BEFORE if is_bare else NEVER_BEFORE
    return not doubts.search(before) and not DENIAL_AFTER.match(text, match.end())


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
