"""A metric: a small function from an answer and a target to a number in [0, 1]."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from promptkit.score.equality import is_same
from promptkit.spec import Seam, StepDeclaration, kinds_of

__all__ = ["SCORE", "Metric", "Metrics"]


class Metric(StepDeclaration):
    """A way to score one answered example. A completion without an answer scores 0 and is never shown to a metric."""

    column: str | None = Field(
        default=None, alias="as", min_length=1, description="the score's name in tables; the metric's own if not given"
    )

    @property
    def name(self) -> str:
        """The score's name in tables."""
        return self.column or self.kind

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether two answers are one to this metric: a vote counts them together."""
        return is_same(one, other)

    @abstractmethod
    def __call__(self, answer: Any, target: Any) -> float:
        """How right the answer's value is, from 0 to 1; the target is not None."""


def with_names_of_their_own(metrics: Sequence[Metric]) -> Sequence[Metric]:
    """The metrics; their names are columns of one table."""
    names = [metric.name for metric in metrics]
    for name in names:
        if names.count(name) > 1:
            message = "two metrics are called {name}; `as` gives one of them another name"
            raise PydanticCustomError("same_name", message, {"name": repr(name)})
    return metrics


SCORE = Seam("score", "metric", kinds_of("promptkit.score.kinds"))
Metrics = Annotated[tuple[Annotated[Metric, SCORE], ...], AfterValidator(with_names_of_their_own)]
