"""`grammar`: what of a text is a grammar's, and the parts that its rules take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align.chart import Chart
from promptkit.align.outcome import Capture, Found, Missing
from promptkit.align.reading import Taken, readings
from promptkit.align.step import ItemStep
from promptkit.align.tokens import Table
from promptkit.errors import GrammarError
from promptkit.spec import Count, Grammar, Texts
from promptkit.spec.declaration import shorten
from promptkit.text import Span, known_names

__all__ = ["GrammarStep"]

ANSWER = "answer"
Anchor = Literal["whole", "end", "anywhere"]


class GrammarStep(ItemStep):
    """Parses a text, or the longest part of it that fits, by a grammar in Lark's language.

    The answer is the text of the rule `answer`, or all that was parsed where the grammar has no such rule; the texts of
    the other rules are captured by name. A rule that is read several times gives a list. A text that can be read in two
    ways which take different parts is ambiguous: none of them is preferred. A terminal reads as much as it can.
    """

    kind = "grammar"
    main: ClassVar[str | None] = "text"

    text: Grammar = Field(description="the grammar, or the name of a .lark file, found as templates are")
    anchor: Anchor = Field(
        default="whole",
        description="what must fit: whole (the text but for white space around it), end (the longest part at its end), "
        "anywhere (the longest part, the first of several)",
    )
    start: str = Field(default="start", description="the rule that the text, or the part, must be")
    capture: Texts | None = Field(
        default=None, description="the rules and terminals that are captured; all rules but those that begin with _"
    )
    max_characters: Count = Field(
        default=100_000, description="the longest text that is parsed; a longer one has no answer"
    )
    timeout_s: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="seconds for one completion; then there is no answer"
    )

    @property
    def from_files(self) -> str:
        """The grammar, where it has a file of its own."""
        return self.text.text if self.text.name else ""

    @model_validator(mode="after")
    def _reads(self) -> GrammarStep:
        try:
            rules = self.text.rules(self.start)
        except GrammarError as error:
            raise PydanticCustomError("grammar", "grammar", {"problem": error.problem}) from error
        known = rules.names | {name for name in rules.terminals if not name.startswith("_")}
        for name in self.capture or ():
            if name not in known:
                context = {"name": repr(str(name)), "at": ("capture",), "hint": known_names(name, known)}
                raise PydanticCustomError("capture", "the grammar has no rule or terminal {name}", context)
        return self

    @cached_property
    def table(self) -> Table:
        """The grammar, ready."""
        return Table(self.text.rules(self.start))

    @cached_property
    def names(self) -> Collection[str]:
        """What is captured, the answer among it."""
        rules = self.text.rules(self.start)
        named = rules.names if self.capture is None else frozenset(self.capture) | ({ANSWER} & rules.names)
        return named - {self.start}

    def read(self, found: Found) -> Found | Missing:
        """The answer in what fits, and what is captured beside it."""
        if len(found.value) > self.max_characters:
            return Missing(reason=f"is longer than {self.max_characters:,} characters")
        try:
            return self.parsed(found)
        except TimeoutError:
            return Missing(reason=f"timed out after {self.timeout_s:g} s")

    def parsed(self, found: Found) -> Found | Missing:
        """The same. Raises `TimeoutError`."""
        text: str = found.value
        first, last = len(text) - len(text.lstrip()), len(text.rstrip())
        starts = range(min(first, last) + 1) if self.anchor == "whole" else range(len(text))
        chart = Chart(self.table, text, starts, timeout_s=self.timeout_s)
        spans = chart.spans()
        if self.anchor != "anywhere":
            spans = [each for each in spans if max(each.end, chart.skipped(each.end)) >= last]
        if not spans:
            return Missing(reason=NOTHING[self.anchor])
        span = min(spans, key=lambda each: (each.start - each.end, each.start))
        ways = readings(chart, span, self.names)
        if len(ways) > 1:
            return Missing(reason=difference(text, ways[0].taken, ways[1].taken), is_ambiguous=True)
        return self.taken(found, span, ways[0].taken)

    def taken(self, found: Found, span: Span, taken: Sequence[Taken]) -> Found | Missing:
        """What one reading gives."""
        by_name: dict[str, list[Found]] = {}
        for each in taken:
            by_name.setdefault(each.name, []).append(found.part(each.span.start, each.span.end))
        answers = by_name.pop(ANSWER, [found.part(span.start, span.end)] if ANSWER not in self.names else [])
        if not answers:
            return Missing(reason="what fits has no part that is the rule `answer`")
        return joined(answers).capturing({name: captured(joined(parts)) for name, parts in by_name.items()})

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A text that is a whole completion becomes its answer; anything else stays as it is."""
        if not isinstance(target, str) or len(target) > self.max_characters:
            return target
        whole = self.model_copy(update={"anchor": "whole"})
        found = whole.read(Found(value=target, span=Span(start=0, end=len(target)), is_verbatim=True))
        return found.value if isinstance(found, Found) else target


NOTHING: Mapping[Anchor, str] = {
    "whole": "the text does not fit the grammar",
    "end": "no part at the text's end fits the grammar",
    "anywhere": "no part fits the grammar",
}


def joined(parts: Sequence[Found]) -> Found:
    """A part that was read once; or the list of several, over the stretch from the first to the last."""
    if len(parts) == 1:
        return parts[0]
    span = Span(start=min(each.span.start for each in parts), end=max(each.span.end for each in parts))
    return replace(parts[0], value=[each.value for each in parts], span=span, is_verbatim=False)


def captured(found: Found) -> Capture:
    """The same as a capture."""
    return Capture(value=found.value, span=found.span)


def difference(text: str, one: Sequence[Taken], other: Sequence[Taken]) -> str:
    """In what two readings of a text differ first."""
    pairs = zip_longest(one, other)
    first, second = next(pair for pair in pairs if pair[0] != pair[1])
    return f"can be read in two ways: {shown(text, first)}, or {shown(text, second)}"


def shown(text: str, taken: Taken | None) -> str:
    """One part of a reading."""
    return f"{taken.name} {shorten(text[taken.span.start : taken.span.end])}" if taken else "nothing more"
