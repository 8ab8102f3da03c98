"""What the chain made of one completion, on a terminal or in a log; and which completions are worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from promptkit.align import Answer, NoAnswer
from promptkit.report.ledger_view import format_span, ledger_marks, ledger_view, value_text
from promptkit.report.marked import Marked, harmless, shortened
from promptkit.report.prompt_view import visible
from promptkit.report.shown_view import shown_view
from promptkit.report.table import STATUS_STYLES, format_statuses
from promptkit.run import Explained, Overview

__all__ = ["explain_view", "overview_view"]

PROMPT_TAIL = 300  # characters of the prompt that are shown: what the completion goes on from
COMPLETION_TAIL = 60
REASON = 40
STAGE_TEXT = 160  # characters of a stage's prompt, and of what it wrote
RULE = 80


def explain_view(explained: Explained) -> Group:
    """The prompt's end, the completion with its spans marked, the ledger, and what came out."""
    parts: list[RenderableType] = [heading(explained)]
    if explained.stages:
        parts += [rule("the stages"), stages_table(explained)]
    if explained.prompt:
        parts += [rule("the prompt ends"), prompt_tail(explained.prompt)]
    if shown := shown_view(explained.shown, with_ids=True):
        shown.rstrip()
        parts.append(shown)
    if explained.options:
        parts += [rule("the options"), options_table(explained)]
    marks = ledger_marks(explained.outcome, explained.text)
    parts += [rule("the completion"), Marked(explained.text, marks)]
    parts += [rule("the ledger"), ledger_view(explained.outcome, marks), rule("the outcome"), outcome_lines(explained)]
    return Group(*parts)


def heading(explained: Explained) -> Text:
    """Which completion it is."""
    heading = Text()
    if explained.id:
        heading.append(f"example {explained.id}", style="bold").append("   ")
    if explained.sample:
        heading.append(f"sample {explained.sample}   ")
    origin = f"{explained.origin}   " if explained.origin else ""
    return heading.append(f"{origin}{len(explained.text):,} characters", style="dim")


def rule(name: str) -> Text:
    """A line between two parts."""
    return Text(f"── {name} ".ljust(RULE, "─"), style="dim")


def prompt_tail(prompt: str) -> Text:
    """The end of the prompt, dim; its white space shown as in `show`."""
    tail = harmless(prompt[-PROMPT_TAIL:])
    view = Text("…" if len(prompt) > PROMPT_TAIL else "", style="dim")
    return view.append_text(visible(tail, "dim"))


def stages_table(explained: Explained) -> Table:
    """The stages that ran, in order: what each was asked and wrote, shortened, and its status; the answering one in bold."""
    table = Table.grid(padding=(0, 2))
    for each in explained.stages:
        name = each["stage"] if each["round"] is None else f"{each['stage']} [{each['round']}]"
        style = "bold" if each["stage"] == explained.stage else ""
        said = Text("… " if each["continues"] else "", style="dim")
        said.append_text(visible(shortened(harmless(each["prompt"]), STAGE_TEXT), "dim"))
        said.append(shortened(harmless(each["completion"]), STAGE_TEXT))
        table.add_row(Text(name, style=style), Text(each["status"], style=STATUS_STYLES[each["status"]]), said)
    return table


def options_table(explained: Explained) -> Table:
    """Each option with its log-likelihood, the chosen one in bold."""
    table = Table.grid(padding=(0, 2))
    for text, log_likelihood in explained.options:
        table.add_row(Text(harmless(text), style="bold" if text == explained.text else ""), f"{log_likelihood:.3f}")
    return table


def outcome_lines(explained: Explained) -> Table:
    """Status, answer, target, scores: one a line."""
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in outcome_rows(explained):
        table.add_row(name, value)
    return table


def outcome_rows(explained: Explained) -> Iterator[tuple[RenderableType, RenderableType]]:
    """The names and values of these lines."""
    outcome = explained.outcome
    status = Text(outcome.status, style=STATUS_STYLES[outcome.status])
    if isinstance(outcome, Answer):
        yield status, Text(f"{value_text(outcome.value)}   at {format_span(outcome.span)} by {outcome.step}")
        for name, capture in outcome.captures.items():
            yield Text(name), Text(f"{value_text(capture.value)}   at {format_span(capture.span)}")
    elif isinstance(outcome, NoAnswer):
        yield status, Text(harmless(f"{outcome.step}: {outcome.reason}"))
    if explained.calibrated:
        yield Text("calibrated"), Text(calibrated_line(explained.calibrated))
    if explained.target is not None:
        yield Text("target"), Text(value_text(explained.target))
    for name, score in explained.scores.items():
        if score is not None:
            yield Text(name), Text(f"{score:g}")


def calibrated_line(calibrated: Mapping[str, Any]) -> str:
    """The most probable answer before and after its scores were weighed, each with its probability.

    >>> answers = [{"value": "yes", "probability": 0.2, "before": 0.7}, {"value": "no", "probability": 0.8, "before": 0.3}]
    >>> calibrated_line({"before": "yes", "before_status": "answered", "answers": answers})
    'yes 0.700 before, no 0.800 after'
    """

    def best(name: str) -> str:
        top = max(calibrated["answers"], key=lambda each: each[name])
        return f"{harmless(top['value'])} {top[name]:.3f}"

    if calibrated["before_status"] is None:
        return best("probability")
    return f"{best('before')} before, {best('probability')} after"


def overview_view(overview: Overview) -> Group:
    """How many there are of each status, and some of each: their ids, and what came out."""
    parts: list[RenderableType] = [Text(overview.name, style="bold"), format_statuses(overview.statuses, ", ")]
    for status, few in overview.examples.items():
        if few:
            more = overview.statuses[status] - len(few)
            head = f"{status} {overview.statuses[status]:,}" + (f", the first {len(few)}" if more else "")
            parts += [Text(), Text(head, style=STATUS_STYLES[status]), examples_table(few)]
    return Group(*parts)


def examples_table(few: Sequence[Explained]) -> Table:
    """A line for each example: id, what came out, what was right, the end of the completion."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, overflow="ellipsis", style="dim")
    for each in few:
        sample = f" --sample {each.sample}" if each.sample else ""
        table.add_row(f"  {each.id}{sample}", Text(came_out(each)), Text(end_of(each.text)))
    return table


def came_out(explained: Explained) -> str:
    """The answer, beside the target where it is not right; or where the chain stopped, and why."""
    outcome = explained.outcome
    if isinstance(outcome, NoAnswer):
        return shortened(harmless(f"{outcome.step}: {outcome.reason}"), REASON)
    assert isinstance(outcome, Answer)
    wrong = f", target {value_text(explained.target)}" if explained.is_wrong else ""
    return value_text(outcome.value) + wrong


def end_of(text: str) -> str:
    """The end of a completion on one line."""
    line = " ".join(harmless(text[-2 * COMPLETION_TAIL :]).split())
    return line if len(line) <= COMPLETION_TAIL and len(text) <= 2 * COMPLETION_TAIL else f"…{line[-COMPLETION_TAIL:]}"
