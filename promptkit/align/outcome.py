"""What an alignment chain makes of a completion: an answer with its span and step, or a no-answer with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from promptkit.align.context import NOTHING_KNOWN, Context
from promptkit.align.ledger import Ledger
from promptkit.text import Span

__all__ = ["STATUSES", "Answer", "Capture", "Found", "Missing", "NoAnswer", "Outcome", "Status"]

Status = Literal["answered", "unparsed", "truncated", "ambiguous", "empty"]
STATUSES: tuple[Status, ...] = ("answered", "unparsed", "truncated", "ambiguous", "empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A value that a step took beside the answer, under a name of its own, and the span that it was read from.

    `is_verbatim` as in `Found`.
    """

    value: Any
    span: Span
    is_verbatim: bool = False


NO_CAPTURES: Mapping[str, Capture] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value on its way through the chain, and the span of the completion that it was read from.

    `is_verbatim` says that the value is exactly the completion's text at `span`, so that a span within the value is a
    span within the completion. `captures` are what steps so far took beside it. `step` is the way to the step that gave
    the value, inside a step that is made of steps (`[1].number`); empty for a plain step. `is_open` says of a text that
    more may yet be written at its end; only `settle` is handed such values. `ledger` is what a step that is made of
    steps tried, where `context.is_traced` asks for it.
    """

    value: Any
    span: Span
    is_verbatim: bool = False
    context: Context = NOTHING_KNOWN
    captures: Mapping[str, Capture] = field(default_factory=lambda: NO_CAPTURES)
    step: str = ""
    is_open: bool = False
    ledger: Ledger = ()

    @property
    def fields(self) -> Mapping[str, Any]:
        """The example's fields."""
        return self.context.fields

    def part(self, start: int, end: int) -> Found:
        """The piece `[start, end)` of a text value. Where the value is not verbatim, the span stays the whole one."""
        if not self.is_verbatim:
            return self.made(self.value[start:end], self.span, is_verbatim=False)
        before = self.span.start
        span = Span(start=before + start, end=before + end)
        return self.made(self.value[start:end], span, is_verbatim=True)

    def become(self, value: Any) -> Found:
        """The same place, read as another value."""
        return self.made(value, self.span, is_verbatim=self.is_verbatim and value == self.value)

    def capturing(self, captures: Mapping[str, Capture]) -> Found:
        """The same, with more taken beside it; a name that was taken before is taken anew."""
        return replace(self, captures={**self.captures, **captures}) if captures else self

    def closed(self) -> Found:
        """The same, which no text that is yet to come can change."""
        return replace(self, is_open=False)

    def made(self, value: Any, span: Span, *, is_verbatim: bool) -> Found:
        """Another value at another place, the rest as it is. Written out: `replace` takes twice as long."""
        return Found(
            value=value,
            span=span,
            is_verbatim=is_verbatim,
            context=self.context,
            captures=self.captures,
            step=self.step,
            is_open=self.is_open,
            ledger=self.ledger,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A step found no value, and why. The rest as in `Found`.

    `is_ambiguous`: it found several that disagree. `is_cut`: the text itself shows that it was cut short.
    """

    reason: str
    is_ambiguous: bool = False
    is_cut: bool = False
    step: str = ""
    ledger: Ledger = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A parsed answer: its value, its span in the completion, and the step that made it, such as `align[1].number`.

    `captures` are the values that steps took beside it; `ledger` is every step tried, where one was asked for.
    """

    value: Any
    span: Span
    step: str
    status: Status = "answered"
    captures: Mapping[str, Capture] = field(default_factory=lambda: NO_CAPTURES)
    ledger: Ledger = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """No answer: the status says of what sort, `step` where the chain stopped, `reason` why."""

    status: Status
    step: str
    reason: str
    ledger: Ledger = ()


Outcome = Answer | NoAnswer
