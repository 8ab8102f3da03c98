"""`batch`: options calibrated by their mean probability over all rows."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import ClassVar

from pydantic import Field

from promptkit.align.weighing import ScoreRow, Weighing, WeighingStep, check_same_number, less, log_mean, log_softmax
from promptkit.spec import Coordinates

__all__ = ["Batch"]


class Batch(WeighingStep):
    """Batch calibration (Zhou et al. 2024, section 3): log p - strength * log of p's mean over all rows of the run.

    Nothing more is asked of the model, and targets are not looked at. Options are compared by position. `--limit` changes
    the mean, and with it the numbers.
    """

    kind = "batch"
    main: ClassVar[str | None] = "strength"
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical", configuration="learnable")

    strength: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="how much of the mean is taken off; 0 changes nothing (the paper's gamma)",
    )

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """All rows, each less the mean of all."""
        check_same_number(self.kind, rows)
        log_prior = log_mean([log_softmax(row.scores) for row in rows])
        return Weighing(
            rows=tuple(less(row, log_prior, self.strength) for row in rows),
            num_fitted=len(rows),
            num_parameters=self.num_parameters(len(log_prior)),
            parameters={"mean_probabilities": [exp(each) for each in log_prior]},
        )

    def num_parameters(self, num_options: int) -> int:
        """One number for each option."""
        return num_options
