"""Runs compared on a terminal or in a log: how far apart, what moved, what flipped and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.report.ledger_view import value_text
from promptkit.report.marked import harmless, shortened
from promptkit.report.table import STATUS_STYLES, format_score
from promptkit.run import Compared, Flip, Moved, Pair, Said
from promptkit.score import Comparison

__all__ = ["compare_view"]

RULE = 80
TAIL = 56  # characters of the end of a completion, where the answer mostly stands
MAX_MOVED = 12
SIDES = ("before", "after")
CAUSE_WORDS = {"score": "another measure of the same answer"}


def compare_view(compared: Compared, top: int) -> Group:
    """The runs with their differences from the first, then each pair: what moved, and the first `top` flips."""
    parts: list[RenderableType] = [runs_table(compared)]
    parts.append(Text("differences from run 1, over the examples that both have", style="dim"))
    for pair in compared.pairs:
        parts += [Text(), Text("\n".join(pair_lines(pair, len(compared.pairs))))]
        parts += [part for flip in pair.flips[:top] for part in flip_view(flip, pair)]
    return Group(*parts)


def runs_table(compared: Compared) -> Table:
    """A row a run: number, folder, n, and of each metric its score and the difference from the first run's."""
    metrics = list(dict.fromkeys(name for pair in compared.pairs for name in pair.metrics))
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("", justify="right")
    table.add_column("run", overflow="fold")
    table.add_column("n", justify="right")
    for name in metrics:
        table.add_column(escape(f"{name} [95 %]"), justify="right", no_wrap=True)
        table.add_column(escape("difference [95 %]"), justify="right", no_wrap=True)
    for place, (name, summary) in enumerate(zip(compared.names, compared.summaries, strict=True)):
        cells = []
        for metric in metrics:
            found = compared.pairs[place - 1].metrics.get(metric) if place else None
            score = summary["scores"].get(metric)
            cells += [format_score(score) if score else "", format_difference(found) if found else ""]
        table.add_row(str(place + 1), escape(name), f"{summary['num_examples']:,}", *cells)
    return table


def format_difference(found: Comparison) -> str:
    """The difference and its interval, in points of per cent; "n/a" over nothing."""
    if found.difference is None or found.low is None or found.high is None:
        return "n/a"
    return f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def pair_lines(pair: Pair, num_pairs: int) -> Iterator[str]:
    """What is said of a pair before its flips are shown."""
    yield f"run {pair.number + 1} against run 1: {pair.num_common:,} examples in common{left_out(pair)}"
    for name, found in pair.metrics.items():
        if found.p_value is None:
            yield f"{name}: no example has a target in both"
            continue
        adjusted = f" ({format_p(pair.adjusted[name])} as one of {num_pairs} tests)" if num_pairs > 1 else ""
        yield (
            f"{name}: {found.num_better:,} better, {found.num_worse:,} worse, {found.num_same:,} the same; "
            f"{format_p(found.p_value)}{adjusted}"
        )
    yield from moved_lines(pair.moved)
    most = sorted(pair.statuses.items(), key=lambda each: -each[1])
    changed = [f"{a} -> {b} {num:,}" for (a, b), num in most if a != b]
    if changed:
        yield f"statuses that changed: {', '.join(changed)}"
    yield f"flips: {flips_text(pair)}"


def left_out(pair: Pair) -> str:
    """The examples that are compared with none."""
    first, this = pair.alone
    parts = [f"{first:,} only in run 1"] if first else []
    parts += [f"{this:,} only in run {pair.number + 1}"] if this else []
    parts += [f"{pair.num_other:,} of one id with other fields"] if pair.num_other else []
    return f" ({', '.join(parts)})" if parts else ""


def format_p(p_value: float | None) -> str:
    """A p-value as papers write it.

    >>> format_p(0.04321), format_p(0.00001)
    ('p = 0.043', 'p < 0.001')
    """
    if p_value is None:
        return "p n/a"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def moved_lines(moved: Sequence[Moved]) -> Iterator[str]:
    """What the pipelines do not share, a place a line."""
    if not moved:
        yield "the pipelines declare the same"
    for each in moved[:MAX_MOVED]:
        before, after = (value_text(each.values[name]) if name in each.values else "nothing" for name in SIDES)
        yield f"  {each.part}  {each.path}: {before} -> {after}"
    if len(moved) > MAX_MOVED:
        yield f"     and {len(moved) - MAX_MOVED} places more; --json has all"


def flips_text(pair: Pair) -> str:
    """How many flips each cause has: what was the first to differ."""
    parts = []
    for cause, (better, worse) in pair.causes.items():
        scored = any(each.change for each in pair.flips)
        counts = f"{better:,} better, {worse:,} worse" if scored else f"{better + worse:,}"
        parts.append(f"by {CAUSE_WORDS.get(cause, f'the {cause}')} {counts}")
    return "; ".join(parts) or "none"


def flip_view(flip: Flip, pair: Pair) -> Iterator[RenderableType]:
    """One example: what both runs have of it."""
    how = "better" if flip.change > 0 else "worse" if flip.change < 0 else "another answer"
    head = Text("── ", style="dim").append(flip.id, style="bold not dim")
    head.append(f"   {flip.origin}   {how}, by {CAUSE_WORDS.get(flip.cause, f'the {flip.cause}')} ")
    yield Text()
    yield head.append("─" * max(0, RULE - len(head.plain)))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    table.add_row("  run 1", *said_cells(flip.before))
    table.add_row(f"  run {pair.number + 1}", *said_cells(flip.after))
    targets = [flip.before.target, flip.after.target]
    for number, target in zip((1, pair.number + 1), targets, strict=True) if targets[0] != targets[1] else ():
        table.add_row(f"  target of {number}", Text(value_text(target)), "")
    if targets[0] == targets[1] is not None:
        table.add_row("  target", Text(value_text(targets[0])), "")
    yield table


def said_cells(said: Said) -> tuple[Text, Text]:
    """The answer, or the status where there is none; and the end of the completion."""
    answer = value_text(said.answer) if said.status == "answered" else said.status
    score = "" if said.score in (None, 0, 1) else f" ({said.score:.2f})"
    text = said.completion.strip()
    tail = text if len(text) <= TAIL else "…" + text[-TAIL:]
    return Text(answer + score, style=STATUS_STYLES.get(said.status, "")), Text(harmless(shortened(tail, TAIL + 1)))
