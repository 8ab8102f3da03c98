"""The table of runs: every score with its interval, and beside it what kept it from being higher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.report.fitting import FirstThatFits

__all__ = [
    "STATUS_STYLES",
    "format_score",
    "format_seconds",
    "format_statuses",
    "runs_table",
    "thinking_lines",
    "unanswered_line",
]

NOTABLE_SHARE = 0.05  # of completions without an answer; below it a line about them would be noise
OF_ANSWERED = "of answered only"
OF_SAMPLES = "one sample"  # the mean score of single samples, beside that of what was decided over them
STATUS_STYLES = {"answered": "green", "unparsed": "red", "truncated": "yellow", "ambiguous": "magenta", "empty": "red"}


def runs_table(summaries: Sequence[Mapping[str, Any]]) -> FirstThatFits:
    """The runs: a table with a row for each where there is room for it, else a paragraph for each.

    Of each: pipeline, model, n, scores with their intervals, over all and over the answered alone; statuses; tokens and
    time where it was computed.
    """
    lines = [line for summary in summaries for line in with_before(summary)]
    return FirstThatFits(table(lines, is_wide=True), table(lines, is_wide=False), paragraphs(lines))


def with_before(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The run's line; before it, where its options' scores were weighed, a line of what it was without that."""
    calibration: Mapping[str, Any] = summary.get("calibration") or {}
    if not calibration:
        return [summary]
    before = calibration["before"]
    if before is None:  # the options are no targets
        return [{**summary, "ece": calibration["after"].get("ece")}]
    names = ("model", "num_examples")
    first = {**{name: summary[name] for name in names}, **before, "pipeline": f"{summary['pipeline']}, as scored"}
    after = {**summary, "pipeline": f"{summary['pipeline']}, {calibration['kind']}"}
    return [{**first, "ece": before.get("ece")}, {**after, "ece": calibration["after"].get("ece")}]


def unanswered_line(summary: Mapping[str, Any], explain: str) -> str | None:
    """One line where more than `NOTABLE_SHARE` of the completions have no answer, and the command that shows which."""
    statuses: Mapping[str, int] = summary["statuses"]
    total = sum(statuses.values())
    missing = total - statuses["answered"]
    if missing <= NOTABLE_SHARE * total:
        return None
    return f"{missing:,} of {total:,} completions have no answer: {explain}"


def thinking_lines(summaries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each run in which thinking was declared; its pipeline's name before it where there are several runs."""
    known = [(summary["pipeline"], summary["thinking"]) for summary in summaries if summary.get("thinking")]
    return [
        thinking_line(thinking) if len(summaries) == 1 else f"{name}: {thinking_line(thinking)}"
        for name, thinking in known
    ]


def thinking_line(thinking: Mapping[str, Any]) -> str:
    """How the completions' thinking ended, and how long it was."""
    words = {"closed": "closed", "forced": "closed by force", "open": "never closed", "none": "none"}
    counts = ", ".join(f"{words[name]} {thinking[name]:,}" for name in words if thinking[name])
    mean = thinking["mean_tokens"]
    return f"thinking: {counts}" + ("" if mean is None else f"; {mean:,.1f} tokens on average")


def table(summaries: Sequence[Mapping[str, Any]], *, is_wide: bool) -> Table:
    """A row for each run. Where it is not wide, statuses stand under each other, as the two scores of a metric do."""
    metrics = list(dict.fromkeys(metric for summary in summaries for metric in summary["scores"]))
    has_timing = any(summary.get("timing") for summary in summaries)
    rows = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("pipeline", "model"):
        rows.add_column(name, overflow="fold")
    rows.add_column("n", justify="right")
    has_samples = any(summary.get("samples") for summary in summaries)
    for metric in metrics:
        for name in [*score_names(metric, is_wide=is_wide), *([OF_SAMPLES] if has_samples else [])]:
            rows.add_column(escape(name), justify="right", no_wrap=True)
    has_ece = any(summary.get("ece") is not None for summary in summaries)
    if has_ece:
        rows.add_column("ECE", justify="right", no_wrap=True)
    rows.add_column("statuses")
    for name in ("prompt tokens", "new tokens", "time") if has_timing else ():
        rows.add_column(name, justify="right")
    for summary in summaries:
        rows.add_row(
            escape(summary["pipeline"]),
            escape(summary["model"]),
            f"{summary['num_examples']:,}",
            *(
                cell
                for metric in metrics
                for cell in [
                    *score_cells(summary["scores"].get(metric), is_wide=is_wide),
                    *([sample_score(summary, metric)] if has_samples else []),
                ]
            ),
            *([format_ece(summary)] if has_ece else []),
            format_statuses(summary["statuses"], ", " if is_wide else "\n"),
            *(timing_cells(summary) if has_timing else ()),
        )
    return rows


def score_names(metric: str, *, is_wide: bool) -> list[str]:
    """The heads of a metric's columns; of its one column where the table is not wide."""
    names = [f"{metric} [95 %]", OF_ANSWERED]
    return names if is_wide else ["\n".join(names)]


def score_cells(score: Mapping[str, Any] | None, *, is_wide: bool) -> list[str]:
    """The cells below: the score over all, and that over the answered alone, which an older run does not have."""
    over_all = format_score(score) if score else ""
    of_answered = format_score(score["answered"]) if score and "answered" in score else ""
    return [over_all, of_answered] if is_wide else [f"{over_all}\n{of_answered}".rstrip()]


def sample_score(summary: Mapping[str, Any], metric: str) -> str:
    """The mean score of single samples; empty where nothing was decided over them."""
    scores = summary["samples"]["scores"] if summary.get("samples") else {}
    return format_score(scores[metric]) if metric in scores else ""


def timing_cells(summary: Mapping[str, Any]) -> list[str]:
    """Prompt tokens, new tokens and time; empty where nothing was computed."""
    timing: Mapping[str, Any] = summary.get("timing") or {}
    if not timing:
        return ["", "", ""]
    return [f"{timing['prompt_tokens']:,}", f"{timing['new_tokens']:,}", format_seconds(timing["total_s"])]


def paragraphs(summaries: Sequence[Mapping[str, Any]]) -> Text:
    """Some lines for each run, which no terminal is too narrow for."""
    text = Text()
    for summary in summaries:
        text.append("\n" if text else "")
        text.append(summary["pipeline"], style="bold")
        text.append(f" on {summary['model']}, n = {summary['num_examples']:,}\n")
        for metric, score in summary["scores"].items():
            of_answered = f", {OF_ANSWERED} {format_score(score['answered'])}" if "answered" in score else ""
            one = sample_score(summary, metric)
            text.append(f"  {metric} {format_score(score)}{of_answered}{f', {OF_SAMPLES} {one}' if one else ''}\n")
        if summary.get("ece") is not None:
            text.append(f"  ECE {format_ece(summary)}\n")
        text.append("  ").append_text(format_statuses(summary["statuses"], ", ")).append("\n")
        if summary.get("timing"):
            prompt, new, time = timing_cells(summary)
            text.append(f"  {prompt} prompt tokens, {new} new tokens, {time}\n", style="dim")
    text.rstrip()
    return text


def format_ece(summary: Mapping[str, Any]) -> str:
    """The expected calibration error; empty where it is not known."""
    return "" if summary.get("ece") is None else f"{summary['ece']:.3f}"


def format_score(score: Mapping[str, float | None]) -> str:
    """A score and its interval, in per cent; "n/a" over nothing."""
    if score["value"] is None:
        return "n/a"
    value, low, high = (100 * float(score[name] or 0) for name in ("value", "low", "high"))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"


def format_statuses(statuses: Mapping[str, int], between: str) -> Text:
    """The statuses that occur, each with its share of all completions."""
    total = sum(statuses.values())
    text = Text()
    for name, count in statuses.items():
        if count or name == "answered":
            share = f"{100 * count / total:.0f} %" if total else "n/a"
            text.append(between if text else "")
            text.append(f"{name} {count:,} ({share})", style=STATUS_STYLES.get(name, ""))
    return text


def format_seconds(seconds: float) -> str:
    """A duration as people say it.

    >>> format_seconds(4.21), format_seconds(75), format_seconds(4000)
    ('4.2 s', '1 min 15 s', '1 h 06 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
