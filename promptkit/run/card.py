"""The card of a pipeline: where each of its steps stands in ŷ = O ∘ f ∘ I(x)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from promptkit.align import WeighingStep
from promptkit.generate import Choose
from promptkit.run.pipeline import Pipeline
from promptkit.spec import Coordinates, StepDeclaration

__all__ = ["Card", "CardRow", "make_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """One step: its part of the formula, its kind, its place in the file, and its coordinates.

    `num_parameters` is None where it depends on the data.
    """

    part: str
    step: str
    place: str
    coordinates: Coordinates
    num_parameters: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What moves, and what is frozen. `num_model_parameters` is None where the model does not say."""

    pipeline: str
    about: str
    model: str
    rows: tuple[CardRow, ...]
    num_learned_parameters: int
    num_model_parameters: int | None

    def to_json(self) -> dict[str, Any]:
        """The card as JSON values."""
        rows = [
            {
                "part": row.part,
                "step": row.step,
                "place": row.place,
                "location": row.coordinates.location,
                "configuration": row.coordinates.configuration,
                "operator": row.coordinates.operator,
                "alignment": row.coordinates.alignment,
                "num_parameters": row.num_parameters,
            }
            for row in self.rows
        ]
        return {
            "pipeline": self.pipeline,
            "about": self.about,
            "model": self.model,
            "steps": rows,
            "num_learned_parameters": self.num_learned_parameters,
            "num_model_parameters": self.num_model_parameters,
        }


def make_card(pipeline: Pipeline, num_model_parameters: int | None) -> Card:
    """The card of a pipeline."""
    declared = pipeline.declaration
    by_stage = {f"stages.{name}.": stage for name, stage in pipeline.stages.items()} or {"": pipeline}
    rows = [row for place, each in by_stage.items() for row in rows_of(each, place)]
    return Card(
        pipeline=pipeline.name,
        about=declared.about,
        model=declared.model.label,
        rows=tuple(rows),
        num_learned_parameters=sum(row.num_parameters or 0 for row in rows),
        num_model_parameters=num_model_parameters,
    )


def rows_of(pipeline: Pipeline, place: str) -> Iterator[CardRow]:
    """The rows of one call of the model; `place` is where its sections stand."""
    declared = pipeline.declaration
    for i, step in enumerate(declared.prompt):
        yield card_row(step, "I", f"{place}prompt[{i}]")
    how = "choose" if declared.choose else "generate"
    yield CardRow(part="f", step=declared.model.label, place=f"{place}{how}", coordinates=Coordinates())
    for i, each in enumerate(declared.align):
        row = card_row(each, "O", f"{place}align[{i}]")
        if isinstance(each, WeighingStep):
            row = replace(row, num_parameters=num_learned(each, declared.choose))
        yield row
    if not declared.align:
        whole = Coordinates(alignment="identity")
        yield CardRow(part="O", step="identity", place=f"{place}align", coordinates=whole)


def card_row(step: StepDeclaration, part: str, place: str) -> CardRow:
    """The row of a step that knows its own parameters."""
    own = step.own_coordinates
    return CardRow(part=part, step=step.kind, place=place, coordinates=own, num_parameters=own.num_parameters)


def num_learned(step: WeighingStep, choose: Choose | None) -> int | None:
    """How many numbers a step learns from the options' scores; None where the file does not say how many options."""
    if step.coordinates.configuration == "fixed":
        return 0
    options = choose.options if choose else None
    return step.num_parameters(len(options)) if isinstance(options, tuple) else None
