"""What the scores of a row's options were weighed to, and what the row's answer was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.align import Answer, Outcome, Weighed, Weighing
from promptkit.run.ledger import to_json

__all__ = ["Calibrated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """One row of `weighing`, which is the same for all rows of a run.

    `before` is the outcome by the scores as they were, with its metrics' `scores`, and `probabilities` those of the
    options; None where options are no answers.
    """

    weighed: Weighed
    weighing: Weighing
    probabilities: Sequence[float]
    before: Outcome | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)

    def to_columns(self) -> dict[str, Any]:
        """The columns of a run's table."""
        kept = self.to_json()
        scores = {f"uncalibrated.score.{name}": value for name, value in self.scores.items()}
        return {**kept, "uncalibrated": to_json(kept["uncalibrated"]), **scores}

    def to_json(self) -> dict[str, Any]:
        """What a run keeps of it, but for the scores."""
        values, probabilities = self.weighed.values, self.weighed.probabilities
        before = self.probabilities if self.before else [None] * len(values)
        rows = zip(values, probabilities, before, strict=True)
        return {
            "calibrated": [{"value": str(value), "probability": after, "before": old} for value, after, old in rows],
            "uncalibrated": self.before.value if isinstance(self.before, Answer) else None,
            "uncalibrated_status": self.before.status if self.before else None,
        }
