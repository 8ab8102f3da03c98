"""`contextual`: options calibrated by what the model says where there is nothing to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any, ClassVar, Literal

from pydantic import Field

from promptkit.align.weighing import (
    Ask,
    Asks,
    ScoreRow,
    Weighed,
    Weighing,
    WeighingStep,
    less,
    log_mean,
    log_softmax,
    softmax,
)
from promptkit.spec import Texts

__all__ = ["ContentFree", "Contextual"]

MAX_EXPONENT = 700.0  # exp of more is no float


class ContentFree(WeighingStep):
    """A calibration by the same prompt with other texts in the place of the example's own."""

    replaces_fields: ClassVar[bool] = True

    fields: Texts = Field(
        default=(),
        description="the fields whose text is replaced in the prompt; those that `query` takes from the example, but for "
        "the options' and the target's, if not given",
    )

    @property
    def replaced(self) -> tuple[str, ...]:
        """The declared fields."""
        return tuple(map(str, self.fields))

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """Each row's probabilities over the mean of those that were asked for."""
        return Weighing(rows=tuple(self.weighed(row, prior_of(row)) for row in rows))

    def weighed(self, row: ScoreRow, log_prior: Sequence[float]) -> Weighed:
        """One row's probabilities over a prior (K,)."""
        return less(row, log_prior)


class Contextual(ContentFree):
    """Contextual calibration (Zhao et al. 2021, section 4): divides each option's probability by its probability for
    inputs without content, in the same prompt with the same demonstrations.

    W = diag(p_cf)^-1 and b = 0, where p_cf is the mean of the options' probabilities over the inputs.
    """

    kind = "contextual"
    main: ClassVar[str | None] = "inputs"

    inputs: Texts = Field(
        default=("N/A", "[MASK]", ""), min_length=1, description="texts that say nothing, put in the place of the input"
    )
    probabilities: Literal["quotient", "softmax"] = Field(
        default="quotient",
        description="W p over its sum, which a uniform p_cf leaves as they were; or softmax of W p, as the paper writes it: "
        "the answers are the same",
    )

    def asks(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Asks:
        """Each input, in every field that is replaced."""
        asked = tuple(Ask(fields=dict.fromkeys(names, str(text))) for text in dict.fromkeys(self.inputs))
        return lambda _: asked

    def weighed(self, row: ScoreRow, log_prior: Sequence[float]) -> Weighed:
        """W p, made probabilities as declared."""
        if self.probabilities == "quotient":
            return less(row, log_prior)
        pairs = zip(log_softmax(row.scores), log_prior, strict=True)
        quotients = [exp(min(each - prior, MAX_EXPONENT)) for each, prior in pairs]
        return Weighed(values=row.options, probabilities=softmax(quotients))


def prior_of(row: ScoreRow) -> list[float]:
    """The logarithm of the mean probability of each option (K,) over all that was asked."""
    return log_mean([log_softmax(scores) for scores in row.asked])
