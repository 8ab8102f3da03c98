"""`lines`: a line of a text, or all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import regex
from pydantic import Field, StrictInt

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.text import Span

__all__ = ["Lines", "line_spans"]

LINE = regex.compile(r"(?<![^\r\n])[^\S\r\n]*+\S[^\r\n]*+")
LINE_END = regex.compile(r"\r\n|\n|\r")


class Lines(ItemStep):
    """Picks lines, each without its end and otherwise as it is."""

    kind = "lines"
    main: ClassVar[str | None] = "take"

    take: Literal["first", "last", "all"] | StrictInt = Field(
        default="last",
        description="which line: first, last, all (gives a list), or its index: 0 is the first, -1 the last",
    )
    skip_empty: bool = Field(
        default=True, strict=True, description="whether lines of white space alone do not count as lines"
    )

    def read(self, found: Found) -> Found | Missing:
        """The line, or the list of lines."""
        text: str = found.value
        spans = list(line_spans(text, skip_empty=self.skip_empty))
        if not spans:
            return Missing(reason="no line" + (" that is not empty" if self.skip_empty else ""))
        if self.take == "all":
            whole = found.part(spans[0].start, spans[-1].end)
            return whole.become([text[span.start : span.end] for span in spans])
        index = {"first": 0, "last": -1}.get(self.take, self.take) if isinstance(self.take, str) else self.take
        assert isinstance(index, int)
        if not -len(spans) <= index < len(spans):
            return Missing(reason=f"no line {index} among {len(spans)}")
        return found.part(spans[index].start, spans[index].end)


def line_spans(text: str, *, skip_empty: bool = True) -> Iterator[Span]:
    """The lines of a text, without their ends; a line end at the text's end begins no line."""
    if skip_empty:
        for line in LINE.finditer(text):
            yield Span(start=line.start(), end=line.end())
        return
    start = 0
    for match in LINE_END.finditer(text):
        yield Span(start=start, end=match.start())
        start = match.end()
    if start < len(text):
        yield Span(start=start, end=len(text))
