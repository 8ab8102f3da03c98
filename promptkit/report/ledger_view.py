"""The ledger of a completion: each step that was tried, what it read, what it found or why not, and its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.align import Answer, Outcome, Tried
from promptkit.report.marked import Mark, harmless
from promptkit.spec.declaration import shorten
from promptkit.text import Span

__all__ = ["format_span", "ledger_lines", "ledger_marks", "ledger_view", "value_text"]

ANSWER_STYLE = "bold black on green"
STOPPED_STYLE = "black on red"
CAPTURE_STYLE = "black on bright_blue"
WAY_STYLES = ("black on yellow", "black on cyan", "black on magenta")
NOTHING = Text("nothing", style="red")
LAST = re.compile(r"(\[\d+\])*[^\[\]]*$")


def ledger_view(outcome: Outcome, marks: Sequence[Mark] = ()) -> RenderableType:
    """A table, a step a line, the steps inside another indented below it. A span has the colour of its mark."""
    if not outcome.ledger:
        return Text(f"no step was tried: {outcome.step}", style="dim")
    table = Table(show_edge=False, pad_edge=False, box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("step", "read", "found"):
        table.add_column(name, no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("time", justify="right", no_wrap=True, style="dim")
    for entry, depth in with_depth(outcome.ledger):
        styles = {mark.span: mark.style for mark in marks}
        read = Text(format_span(entry.read), style="" if entry.span else styles.get(entry.read, ""))
        found = Text(format_span(entry.span), style=styles.get(entry.span, "")) if entry.span else NOTHING
        table.add_row(
            "  " * depth + escape(short_name(entry, depth)),
            read,
            found,
            Text(what(entry, outcome.ledger), style="" if entry.has_found else "red"),
            f"{1000 * entry.took_s:.2f} ms",
        )
    return table


def ledger_lines(outcome: Outcome) -> Iterator[str]:
    """The same in short, as plain lines."""
    steps = ["  " * depth + short_name(entry, depth) for entry, depth in with_depth(outcome.ledger)]
    width = max(map(len, steps), default=0)
    for step, entry in zip(steps, outcome.ledger, strict=True):
        found = (
            f"{format_span(entry.span)}: {what(entry, outcome.ledger)}" if entry.span else what(entry, outcome.ledger)
        )
        yield f"{step:{width}}  {format_span(entry.read)} -> {found}"


def with_depth(ledger: Sequence[Tried]) -> Iterator[tuple[Tried, int]]:
    """Each entry, and how many of those before it it is a part of."""
    above: list[str] = []
    for entry in ledger:
        while above and not is_part(entry.step, above[-1]):
            above.pop()
        yield entry, len(above)
        above.append(entry.step)


def is_part(step: str, whole: str) -> bool:
    """Whether a step is a part of the other: `[1].first[0].regex` of `[1].first`."""
    return step.startswith(whole) and step[len(whole) :][:1] in ("[", ".")


def short_name(entry: Tried, depth: int) -> str:
    """What tells a step from its neighbours: all of its name, or the end of it where it stands below another."""
    match = LAST.search(entry.step) if depth else None
    return match[0].lstrip(".") if match and match[0] else entry.step


def what(entry: Tried, ledger: Sequence[Tried]) -> str:
    """What a step found, or why it found nothing; the steps below it say that better, where there are any."""
    if entry.has_found:
        return value_text(entry.value)
    has_parts = any(is_part(other.step, entry.step) for other in ledger)
    return "see below" if has_parts else entry.reason


def value_text(value: object) -> str:
    """A value by `repr`, cut to what a line can hold."""
    return harmless(shorten(value))


def format_span(span: Span) -> str:
    """A span as people write it, its end not included."""
    return f"{span.start}-{span.end}"


def ledger_marks(outcome: Outcome, text: str) -> list[Mark]:
    """What to mark in a completion: the way to the answer, the answer, what was taken beside it; or where it stopped.

    A span that covers all of the text, and one that was marked before, says nothing and is not marked.
    """
    whole = Span(start=len(text) - len(text.lstrip()), end=len(text.rstrip()))
    if isinstance(outcome, Answer):
        last = Mark(span=outcome.span, label=f"the answer, {outcome.step}", style=ANSWER_STYLE)
        captures = [
            Mark(span=each.span, label=name, style=CAPTURE_STYLE) for name, each in sorted(outcome.captures.items())
        ]
        return [*way(outcome, whole), *captures, last]
    stopped = {entry.read: entry for entry in outcome.ledger if not (entry.has_found or covers(entry.read, whole))}
    return [
        Mark(span=span, label=f"{entry.step}: {what(entry, outcome.ledger)}", style=STOPPED_STYLE)
        for span, entry in stopped.items()
    ]


def way(outcome: Answer, whole: Span) -> Iterator[Mark]:
    """The spans that steps before the last one found, from the outermost."""
    steps = {
        entry.span: entry.step
        for entry in outcome.ledger
        if entry.span and covers(entry.span, outcome.span) and entry.span != outcome.span
    }
    narrowed = sorted((span for span in steps if not covers(span, whole)), key=lambda span: span.start - span.end)
    for number, span in enumerate(narrowed):
        yield Mark(span=span, label=steps[span], style=WAY_STYLES[number % len(WAY_STYLES)])


def covers(span: Span, inner: Span) -> bool:
    """Whether a span holds all of another."""
    return span.start <= inner.start and inner.end <= span.end
