"""The ledger and the captures as plain values: in a run's table, in JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from promptkit.align import Capture, Ledger, Outcome, Tried
from promptkit.text import Span

__all__ = ["captures_json", "ledger_rows", "read_captures", "read_ledger", "to_json"]

MAX_REPEATED = 100  # characters of the completion that may stand in a ledger once more


def to_json(value: Any) -> str:
    """JSON; what JSON cannot say, dates for instance, as its text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def ledger_rows(outcome: Outcome, text: str) -> list[dict[str, Any]]:
    """The ledger of a completion, a map for each step that was tried; `value` is JSON.

    It is None where the step found nothing, and where it found a long piece of the completion: what stands at the span.
    """
    return [
        {
            "step": entry.step,
            "read_start": entry.read.start,
            "read_end": entry.read.end,
            "span_start": entry.span.start if entry.span else None,
            "span_end": entry.span.end if entry.span else None,
            "value": None if entry.span is None or is_repeated(entry, text) else to_json(entry.value),
            "reason": entry.reason or None,
            "took_s": entry.took_s,
        }
        for entry in outcome.ledger
    ]


def is_repeated(entry: Tried, text: str) -> bool:
    """Whether a value is a long piece of the completion, so that its span says it as well."""
    value, span = entry.value, entry.span
    is_long = isinstance(value, str) and len(value) > MAX_REPEATED
    return is_long and span is not None and value == text[span.start : span.end]


def read_ledger(rows: Iterable[Mapping[str, Any]], text: str) -> Ledger:
    """The ledger that `ledger_rows` made."""
    return tuple(read_entry(row, text) for row in rows)


def read_entry(row: Mapping[str, Any], text: str) -> Tried:
    """One entry of it."""
    read = Span(start=row["read_start"], end=row["read_end"])
    if row["span_start"] is None:
        return Tried(step=row["step"], read=read, took_s=row["took_s"], reason=row["reason"] or "")
    span = Span(start=row["span_start"], end=row["span_end"])
    value = text[span.start : span.end] if row["value"] is None else json.loads(row["value"])
    return Tried(step=row["step"], read=read, took_s=row["took_s"], span=span, value=value)


def captures_json(captures: Mapping[str, Capture]) -> dict[str, Any]:
    """The captures by name, each with its value and its span."""
    return {
        name: {"value": capture.value, "span": [capture.span.start, capture.span.end]}
        for name, capture in captures.items()
    }


def read_captures(values: Mapping[str, Any]) -> dict[str, Capture]:
    """The captures that `captures_json` made."""
    return {
        name: Capture(value=each["value"], span=Span(start=each["span"][0], end=each["span"][1]))
        for name, each in values.items()
    }
