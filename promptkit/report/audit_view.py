"""What an audit found: one line where all rows are the same, one more for each that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

__all__ = ["audit_view"]

NUM_SHOWN = 5


def audit_view(audit: Mapping[str, Any], label: str = "audit") -> Text:
    """How many rows are the same computed alone, and where the others part; a single one on the same line."""
    lines = list(differing_lines(audit))
    head = f"{label}: {head_of(audit)}"
    if len(lines) == 1:
        return Text(f"{head}; {lines[0]}")
    return Text("\n".join([head, *(f"  {line}" for line in lines)]))


def head_of(audit: Mapping[str, Any]) -> str:
    """How many rows of how many are the same, and for options how far their scores lie apart."""
    rows = "row is" if audit["rows"] == 1 else "rows are"
    said = f"{audit['agree']} of {audit['rows']} {rows} the same computed alone"
    if "max_difference" in audit:
        said += f", log-likelihoods at most {audit['max_difference']:.2g} apart"
    return said


def differing_lines(audit: Mapping[str, Any]) -> Iterator[str]:
    """A line for each of the first rows that differ, and one for the rest."""
    differing = audit["differing"]
    for row in differing[:NUM_SHOWN]:
        yield text_line(row) if "token" in row else choice_line(row)
    if len(differing) > NUM_SHOWN:
        yield f"and {len(differing) - NUM_SHOWN} more: run.json has all of them"


def text_line(row: Mapping[str, Any]) -> str:
    """Where a text parts from the one computed alone."""
    apart = "" if row["margin"] is None else f", logits {row['margin']:.2g} apart"
    return f"{name_of(row)} parts at new token {row['token']}: {quoted(row['run'])} here, {quoted(row['alone'])} alone{apart}"


def choice_line(row: Mapping[str, Any]) -> str:
    """Which option was chosen, and which one alone."""
    both = f"{quoted(row['run'])} here, {quoted(row['alone'])} alone"
    return f"{name_of(row)} chooses {both}, log-likelihoods {row['difference']:.2g} apart"


def name_of(row: Mapping[str, Any]) -> str:
    """The example, and which of its samples where it is not the first."""
    return f"example {row['id']}" + (f" (sample {row['sample']})" if row["sample"] else "")


def quoted(text: str | None) -> str:
    """The text as JSON writes it, so that blanks and ends of lines show."""
    return "the end" if text is None else json.dumps(text, ensure_ascii=False)
