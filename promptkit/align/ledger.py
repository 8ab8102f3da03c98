"""The ledger: what each step of a chain was given, what it made of it, and how long that took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.text import Span

__all__ = ["Ledger", "Tried", "below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One step that was tried.

    `step` is the way to it, `[0].first[1].regex`, which the whole chain begins with `align`. `read` is the span of what
    it was given, `span` that of what it found, None where it found nothing; then `reason` says why. `took_s` is its
    time, that of the steps inside it included.
    """

    step: str
    read: Span
    took_s: float = field(compare=False)  # another time it takes another time, and is the same
    span: Span | None = None
    value: Any = None
    reason: str = ""

    @property
    def has_found(self) -> bool:
        """Whether the step found a value."""
        return self.span is not None


Ledger = tuple[Tried, ...]


def below(step: str, entries: Iterable[Tried]) -> Ledger:
    """The entries of steps that are part of the step named."""
    return tuple(replace(entry, step=f"{step}{entry.step}") for entry in entries)
