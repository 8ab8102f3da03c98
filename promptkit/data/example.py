"""One row of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Example"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row: its id, unique in its split; its fields, read-only; and where it came from, as a message names it.

    A line of a text file counts from 1, `gsm8k/test.jsonl:3`; a row of anything else from 0, `test.parquet[3]`,
    `openai/gsm8k[test][3]`, `data.test.rows[3]`.
    """

    id: str
    fields: Mapping[str, Any]
    origin: str
