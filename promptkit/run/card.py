"""The card of a pipeline: where each of its steps stands in ŷ = O ∘ f ∘ I(x)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from promptkit.run.pipeline import Pipeline
from promptkit.spec import Coordinates

__all__ = ["Card", "CardRow", "make_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """One step: its part of the formula, its kind, its place in the file, and its coordinates."""

    part: str
    step: str
    place: str
    coordinates: Coordinates


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
                "num_parameters": row.coordinates.num_parameters,
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
        num_learned_parameters=sum(row.coordinates.num_parameters for row in rows),
        num_model_parameters=num_model_parameters,
    )


def rows_of(pipeline: Pipeline, place: str) -> Iterator[CardRow]:
    """The rows of one call of the model; `place` is where its sections stand."""
    declared = pipeline.declaration
    for i, step in enumerate(declared.prompt):
        yield CardRow(part="I", step=step.kind, place=f"{place}prompt[{i}]", coordinates=step.own_coordinates)
    how = "choose" if declared.choose else "generate"
    yield CardRow(part="f", step=declared.model.label, place=f"{place}{how}", coordinates=Coordinates())
    for i, each in enumerate(declared.align):
        yield CardRow(part="O", step=each.kind, place=f"{place}align[{i}]", coordinates=each.own_coordinates)
    if not declared.align:
        whole = Coordinates(alignment="identity")
        yield CardRow(part="O", step="identity", place=f"{place}align", coordinates=whole)
