"""A bake-off on a terminal or in a log: who answers, who agrees with whom, and the rows on which they differ."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.align import Answer, NoAnswer, Outcome
from promptkit.report.fitting import FirstThatFits
from promptkit.report.ledger_view import format_span, value_text
from promptkit.report.marked import Extent, Mark, Marked, harmless, shortened
from promptkit.report.table import STATUS_STYLES, format_score, format_statuses
from promptkit.run import Agreement, Bakeoff, BakeoffRow
from promptkit.run.bakeoff import letters
from promptkit.score import Score
from promptkit.text import Span

__all__ = ["bakeoff_view"]

GROUP_STYLES = ("black on green", "black on yellow", "black on cyan", "black on magenta", "black on bright_blue")
SHOWN = Extent(max_characters=300, kept=120, has_start=False)
RULE = 80


def bakeoff_view(bakeoff: Bakeoff) -> Group:
    """The chains, their agreement, how far the score could move, and the rows that differ."""
    parts: list[RenderableType] = [
        FirstThatFits(chains_table(bakeoff, is_wide=True), chains_table(bakeoff, is_wide=False)),
        Text(),
        agreement_table(bakeoff),
        Text("rows on which two say the same; in brackets those on which neither answers", style="dim"),
        Text(),
        Text("\n".join(moving_lines(bakeoff))),
    ]
    for number, row in enumerate(bakeoff.rows, 1):
        parts += [
            Text(),
            row_head(bakeoff, row, number),
            Marked(row.given.text.rstrip(), marks_of(bakeoff, row), SHOWN),
        ]
        parts.append(answers_table(bakeoff, row))
    return Group(*parts)


def chains_table(bakeoff: Bakeoff, *, is_wide: bool) -> Table:
    """A chain a line: its number, its statuses, its score where there is gold."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    table.add_column("chain", overflow="fold")
    table.add_column("statuses")
    if bakeoff.scores:
        table.add_column("exact_match [95 %]", justify="right", no_wrap=True)
    for place, name in enumerate(bakeoff.names):
        statuses = format_statuses(bakeoff.statuses[place], ", " if is_wide else "\n")
        score = [percent(bakeoff.scores[place])] if bakeoff.scores else []
        table.add_row(str(place + 1), escape(name), statuses, *score)
    return table


def agreement_table(bakeoff: Bakeoff) -> Table:
    """The matrix, a number for each chain; the half below the diagonal says the same again, and is left out."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    for place in range(1, len(bakeoff.names)):
        table.add_column(str(place + 1), justify="right", no_wrap=True)
    for one, row in enumerate(bakeoff.agreement[:-1]):
        cells = [agreement_text(each) if one < other else "" for other, each in enumerate(row)]
        table.add_row(str(one + 1), *cells[1:])
    return table


def agreement_text(agreement: Agreement) -> str:
    """A cell of the matrix."""
    return f"{100 * agreement.same:.1f} % ({100 * agreement.neither:.1f} %)"


def percent(score: Score | None) -> str:
    """A score with its interval."""
    return format_score({"value": score.value, "low": score.low, "high": score.high}) if score else "n/a"


def moving_lines(bakeoff: Bakeoff) -> Iterator[str]:
    """On how many rows they differ, and what that may do to a score."""
    num, total = bakeoff.num_differing, bakeoff.num_rows
    share = f"{100 * num / total:.1f}" if total else "0.0"
    yield f"the chains differ on {num:,} of {total:,} rows ({share} %)"
    if bakeoff.lowest is None:
        yield f"a score may move by up to {share} points with the choice of the chain; --gold NAME tells by how much"
        return
    yield f"right by every chain:  {percent(bakeoff.lowest)}"
    yield f"right by any of them:  {percent(bakeoff.highest)}"


def row_head(bakeoff: Bakeoff, row: BakeoffRow, number: int) -> Text:
    """Which row it is, and how often the chains differ in this way."""
    count = bakeoff.patterns[row.pattern]
    head = Text(f"── {number} ", style="dim").append(str(row.given.id), style="bold not dim")
    head.append(f"   {row.given.origin}   {letters(row.pattern)}, as on {count:,} row{'s' if count > 1 else ''} ")
    return head.append("─" * max(0, RULE - len(head.plain)))


def marks_of(bakeoff: Bakeoff, row: BakeoffRow) -> list[Mark]:
    """A mark for each span from which a chain read its answer, with the names of all that read it there."""
    names: dict[Span, list[str]] = {}
    styles: dict[Span, str] = {}
    for name, outcome, group in zip(bakeoff.names, row.outcomes, row.pattern, strict=True):
        if isinstance(outcome, Answer):
            names.setdefault(outcome.span, []).append(name)
            styles[outcome.span] = style_of(group)
    return [Mark(span=span, label=", ".join(names[span]), style=styles[span]) for span in names]


def style_of(group: int | None) -> str:
    """The colour of chains that say the same."""
    return STATUS_STYLES["unparsed"] if group is None else GROUP_STYLES[group % len(GROUP_STYLES)]


def answers_table(bakeoff: Bakeoff, row: BakeoffRow) -> Table:
    """A line for each chain: what it says, whether that is right, from where, and by which step."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for place, (name, outcome) in enumerate(zip(bakeoff.names, row.outcomes, strict=True)):
        right = "" if not row.right else "right" if row.right[place] else "wrong"
        said = Text(said_by(outcome), style=style_of(row.pattern[place]))
        table.add_row(Text(f"  {name}"), right, said, Text(harmless(said_where(outcome))))
    if row.gold is not None:
        table.add_row("  gold", "", Text(value_text(row.gold)), "")
    return table


def said_by(outcome: Outcome) -> str:
    """The answer, or the status where there is none."""
    return value_text(outcome.value) if isinstance(outcome, Answer) else outcome.status


def said_where(outcome: Outcome) -> str:
    """The span and the step of an answer; where a chain stopped, and why."""
    if isinstance(outcome, Answer):
        return f"{format_span(outcome.span)} {outcome.step}"
    assert isinstance(outcome, NoAnswer)
    return shortened(f"{outcome.step}: {outcome.reason}", 60)
