r"""`boxed`: what stands in `\boxed{...}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import regex
from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from
from promptkit.text import Span

__all__ = ["Box", "Boxed", "boxes", "plain_span"]

MAX_CONTENT = 2000  # characters
COMMAND = regex.compile(r"(?<!\\)\\++(?:boxed|fbox)(?![A-Za-z])")
TOKEN = regex.compile(r"\\++(?:(?:boxed|fbox)(?![A-Za-z])[ \t\r\n]*+\{?+|[{}])?+|[{}]")
BRACE = regex.compile(r"\\.|[{}]", regex.DOTALL)
BARE = regex.compile(
    r"[-+]?\$?[0-9]++(?:[.,/][0-9]++)*+%?|\([A-Z]\)|[A-Z](?!\w)|\\{1,2}[dt]?frac\{[^{}\n]*+\}\{[^{}\n]*+\}"
)
PLACEHOLDER = regex.compile(r"(?:\s|\.{2,}|\u2026|\\{1,2}[lc]?dots|_{2,}|\?)*+")
WRAPPER = regex.compile(
    r"\\{1,2}(?:boxed|fbox|text(?:bf|it|rm|tt|sf|normal)?|math(?:rm|bf|it|sf|tt|normal)|mbox|hbox|emph|boldsymbol|bm)"
    r"[ ]*+\{"
)
BARE_WORD = regex.compile(r"[\w.,/+-]++")
SPACE = regex.compile(r"(?:\s|~|\\{1,2}[,;:! ]|\\{1,2}q?quad(?![a-zA-Z]))++")
TRAILING_SPACE = regex.compile(r"(?:\s|~|\\{1,2}[,;:! ]|\\{1,2}q?quad)++", regex.REVERSE)
AROUND = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box: the span of its content, None where it does not end, and how many backslashes its command has."""

    content: Span | None
    slashes: int


class Boxed(ItemStep):
    r"""Finds what stands in `\boxed{...}` or `\fbox{...}`, braces balanced; also `\boxed 5` and doubled backslashes.

    A box in a box is a part of the outer one. Boxes that are empty, hold dots alone, or do not end are passed over.
    """

    kind = "boxed"
    main: ClassVar[str | None] = "take"

    take: Take = Field(
        default="last", description="which box: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    plain: bool = Field(
        default=True,
        strict=True,
        description="whether what is around the whole content is taken off: dollars, \\text{}, \\mathbf{}, white space",
    )

    def read(self, found: Found) -> Found | Missing:
        """The content of the box that is asked for."""
        every = boxes(found.value)
        if self.take == "last":
            return next(self.candidates(found, every[::-1]), None) or Missing(reason=absent(every))
        return take_from(self.candidates(found, every), self.take) or Missing(reason=absent(every))

    def candidates(self, found: Found, every: list[Box]) -> Iterator[Found]:
        """The content of every box that has one."""
        for box in every:
            if box.content is None:
                continue
            span = plain_span(found.value, box.content) if self.plain else box.content
            part = found.part(span.start, span.end)
            if not PLACEHOLDER.fullmatch(part.value):
                yield part.become(part.value.replace("\\\\", "\\")) if box.slashes > 1 and self.plain else part

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """What a target has in its box, or the target without what is around it."""
        if not isinstance(target, str):
            return target
        whole = Found(value=target, span=Span(start=0, end=len(target)))
        read = self.read(whole)
        if isinstance(read, Found):
            return read.value
        span = plain_span(target, whole.span) if self.plain else whole.span
        return target[span.start : span.end]


def absent(every: list[Box]) -> str:
    """Why there is no content."""
    if not every:
        return "no box"
    return "the box does not end" if any(box.content is None for box in every) else "the box is empty"


def boxes(text: str) -> list[Box]:
    """Every box that is in no other, in order; those that do not end come last."""
    walk = Walk(text)
    first = COMMAND.search(text)
    for match in TOKEN.finditer(text, first.start()) if first else ():
        if "box" in match[0]:
            walk.command(match)
        elif match[0][-1] in "{}" and not ((len(match[0]) - 1) // walk.slashes) % 2:
            walk.brace(match)
    return [*outermost(walk.closed), *[Box(content=None, slashes=1)] * (walk.num_unclosed + walk.num_open())]


class Walk:
    """What is known at a place of a text, from the first box on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.slashes = 1  # before a command: two, where the text was escaped once more
        self.opened: list[tuple[int, int] | None] = []  # braces: where a box's content begins, and its slashes
        self.closed: list[tuple[int, int, int]] = []
        self.num_unclosed = 0

    def command(self, match: regex.Match[str]) -> None:
        """Goes over the command of a box, with what stands in it where there are no braces."""
        whole: str = match[0]
        self.slashes = 2 if (len(whole) - len(whole.lstrip("\\"))) % 4 == 2 else 1
        if whole[-1] == "{":
            self.opened.append((match.end(), self.slashes))
        elif bare := BARE.match(self.text, match.end()):
            self.closed.append((bare.start(), bare.end(), self.slashes))

    def brace(self, match: regex.Match[str]) -> None:
        """Goes over a brace that nothing escapes."""
        if match[0][-1] == "{":
            self.opened.append(None)
        elif self.opened and (box := self.opened.pop()) is not None:
            end = match.end() - 1
            if is_content(self.text, box[0], end):
                self.closed.append((box[0], end, box[1]))
            else:
                self.num_unclosed += 1

    def num_open(self) -> int:
        """How many boxes do not end."""
        return sum(box is not None for box in self.opened)


def is_content(text: str, start: int, end: int) -> bool:
    """Whether a brace may close what was opened so far back: no box goes over a paragraph."""
    return end - start <= MAX_CONTENT and "\n\n" not in text[start:end]


def outermost(closed: list[tuple[int, int, int]]) -> Iterator[Box]:
    """The boxes that are in no other."""
    last_end = -1
    for start, end, slashes in sorted(closed):
        if end > last_end:
            last_end = end
            yield Box(content=Span(start=start, end=end), slashes=slashes)


def plain_span(text: str, span: Span) -> Span:
    r"""The span without white space, dollars and `\text{}` around the whole of it."""
    start, end = span.start, span.end
    while not BARE_WORD.fullmatch(text, start, end):
        before = start, end
        if space := SPACE.match(text, start, end):
            start = space.end()
        if space := TRAILING_SPACE.match(text, start, end):
            end = space.start()
        for left, right in AROUND:
            if is_around(text[start:end], left, right):
                start, end = start + len(left), end - len(right)
        if (wrapper := WRAPPER.match(text, start, end)) and closes_at(text, wrapper.end(), end) == end:
            start, end = wrapper.end(), end - 1
        if (start, end) == before:
            break
    return Span(start=start, end=max(start, end))


def is_around(text: str, left: str, right: str) -> bool:
    """Whether two marks stand around a text, and nowhere in it."""
    if len(text) < len(left) + len(right) or not (text.startswith(left) and text.endswith(right)):
        return False
    inner = text[len(left) : len(text) - len(right)]
    return left not in inner and right not in inner


def closes_at(text: str, start: int, end: int) -> int | None:
    """The place behind the brace that closes one that is open at `start`."""
    depth = 1
    for match in BRACE.finditer(text, start, end):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return int(match.end())
    return None
