"""One row of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Example"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row: its id, unique in its split; its fields, read-only; and where it came from, as a message names it."""

    id: str
    fields: Mapping[str, Any]
    origin: str  # "gsm8k/test.jsonl:3", "openai/gsm8k[test]:3"
