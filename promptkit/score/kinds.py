"""The metrics that promptkit ships."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from pydantic import Field

from promptkit.errors import PromptkitError
from promptkit.score.equality import is_right, is_same
from promptkit.score.metric import Metric
from promptkit.spec import StepDeclaration
from promptkit.spec.code import Code
from promptkit.spec.declaration import shorten

__all__ = ["KINDS", "Accuracy", "ExactMatch", "PythonMetric", "default_metrics"]


class ExactMatch(Metric):
    """1 where the answer is the target, or one of the targets in a list; else 0.

    What counts as the same across text, numbers and lists is written at `promptkit.score.equality.is_same`.
    """

    kind = "exact_match"

    ignore_case: bool = Field(default=False, strict=True, description="whether 'Paris' is 'paris'")
    ignore_white_space: bool = Field(
        default=False, strict=True, description="whether any run of white space is one space, and none at either end"
    )

    def __call__(self, answer: Any, target: Any) -> float:
        """1.0 or 0.0."""
        return float(is_right(answer, target, self.fold))

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether they are one, without what is ignored."""
        return is_same(one, other, self.fold)

    def fold(self, text: str) -> str:
        """The text without what is ignored."""
        if self.ignore_white_space:
            text = " ".join(text.split())
        return text.casefold() if self.ignore_case else text


class Accuracy(Metric):
    """1 where the chosen option is the target, to the letter; else 0. The metric of `choose`."""

    kind = "accuracy"

    def __call__(self, answer: Any, target: Any) -> float:
        """1.0 or 0.0."""
        return float(is_right(answer, target))


class PythonMetric(Metric):
    """What a Python function says, `function(answer, target)`, a number from 0 to 1. Needs --allow-code."""

    kind = "python"
    main: ClassVar[str | None] = "call"

    call: Code = Field(description="module:function, called with the answer's value and the target")

    @property
    def name(self) -> str:
        """The given name, or the function's."""
        return self.column or str(getattr(self.call.function, "__name__", self.kind))

    def __call__(self, answer: Any, target: Any) -> float:
        """The function's value. Raises `PromptkitError` where it fails, or its value is no score."""
        place = f"score: the metric {self.name!r}"
        values = f"for the answer {shorten(answer)} and the target {shorten(target)}"
        try:
            value = self.call.function(answer, target)
        except Exception as error:  # the function is not ours: whatever it raises is told in one line
            raise PromptkitError(f"{place} failed {values}: {type(error).__name__}: {error}") from error
        if not (isinstance(value, Real) and 0 <= float(value) <= 1):
            raise PromptkitError(f"{place} gave {shorten(value)} {values}; a score is a number from 0 to 1")
        return float(value)


KINDS: dict[str, type[StepDeclaration]] = {kind.kind: kind for kind in (Accuracy, ExactMatch, PythonMetric)}


def default_metrics(*, chooses: bool) -> tuple[Metric, ...]:
    """The metric that fits how the model is run, where a pipeline names none."""
    return (Accuracy(),) if chooses else (ExactMatch(),)
