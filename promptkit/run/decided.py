"""What was decided for an example, kept with each of its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.align import Answer, NoAnswer, Verdict
from promptkit.run.ledger import to_json

__all__ = ["Decided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The verdict over an example's samples, and its scores."""

    verdict: Verdict
    scores: Mapping[str, float | None] = field(default_factory=dict)

    def to_columns(self) -> dict[str, Any]:
        """The columns of a run's table, the same in each sample's row."""
        outcome = self.verdict.outcome
        shares = [
            {"answer": each.value, "samples": each.samples, "weight": each.weight} for each in self.verdict.shares
        ]
        return {
            "decided": to_json(outcome.value if isinstance(outcome, Answer) else None),
            "decided_status": outcome.status,
            "decided_step": outcome.step,
            "decided_reason": outcome.reason if isinstance(outcome, NoAnswer) else None,
            "decided_sample": self.verdict.sample,
            "votes": to_json(shares),
            **{f"decided.score.{name}": value for name, value in self.scores.items()},
        }
