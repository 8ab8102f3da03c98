"""Seconds and tokens, added up while a generator works."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Meter"]


@dataclass(slots=True, kw_only=True)
class Meter:
    """The running totals behind a generator's `work`, and `num_live`, the rows that are in progress now."""

    load_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    computed_prompt_tokens: int = 0
    num_new_tokens: int = 0
    num_live: int = 0
