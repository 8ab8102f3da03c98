"""`extract`: O alone, over completions from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from promptkit.align import Answer, Chain, NoAnswer, Outcome
from promptkit.data import Example, read_file
from promptkit.errors import DataError
from promptkit.text import known_names

__all__ = ["Extracted", "extract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What the chain made of one completion. `id` is the row's own, or made from the file's name and its number."""

    id: str | int
    outcome: Outcome

    def to_row(self) -> dict[str, Any]:
        """The row that `extract --out` writes."""
        outcome = self.outcome
        if isinstance(outcome, Answer):
            span = [outcome.span.start, outcome.span.end]
            return {
                "id": self.id,
                "answer": outcome.value,
                "status": outcome.status,
                "span": span,
                "step": outcome.step,
            }
        assert isinstance(outcome, NoAnswer)
        return {
            "id": self.id,
            "answer": None,
            "status": outcome.status,
            "span": None,
            "step": outcome.step,
            "reason": outcome.reason,
        }


def extract(chain: Chain, path: Path, field: str, limit: int | None = None) -> Iterator[Extracted]:
    """Each row's outcome, in the order of the file. Raises `DataError` that names the row without such a text."""
    for example in islice(read_file(path), limit):
        text = text_of(example, field)
        own = example.fields.get("id")
        yield Extracted(
            id=example.id if own is None else own, outcome=chain.align(text, fields=example.fields, ended="eos")
        )


def text_of(example: Example, field: str) -> str:
    """The completion in a row."""
    if field not in example.fields:
        hint = known_names(field, map(str, example.fields))
        raise DataError(f"{example.origin}: there is no field {field!r}\n    {hint}")
    text = example.fields[field]
    if not isinstance(text, str):
        raise DataError(f"{example.origin}: the field {field!r} holds {text!r}, not text")
    return text
