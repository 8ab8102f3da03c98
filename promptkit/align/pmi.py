"""`pmi`: options by how much the prompt raises their log-likelihood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.weighing import Ask, Asks, ScoreRow, Weighed, Weighing, WeighingStep, softmax
from promptkit.spec import Template

__all__ = ["Pmi"]


class Pmi(WeighingStep):
    """Domain-conditional pointwise mutual information (Holtzman et al. 2021, section 3): less the log-likelihood that each
    option has after a prompt of the domain alone.

    It chooses as `choose: {normalize: unconditional}` does; here it can also be tried on a run that has asked.
    """

    kind = "pmi"
    main: ClassVar[str | None] = "prompt"

    prompt: Template = Field(description="the prompt that says nothing of the example, such as 'Answer:'")

    def asks(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Asks:
        """The prompt of the domain."""
        return lambda fields: (Ask(prompt=self.prompt.render(fields)),)

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """Each row by itself."""
        return Weighing(rows=tuple(weighed(row) for row in rows))


def weighed(row: ScoreRow) -> Weighed:
    """One row's log-likelihoods less those of the domain, as probabilities."""
    (alone,) = row.asked
    differences = [score - base for score, base in zip(row.scores, alone, strict=True)]
    return Weighed(values=row.options, probabilities=softmax(differences))
