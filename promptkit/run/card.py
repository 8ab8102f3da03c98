"""The card of a pipeline: where each of its steps stands in ŷ = O ∘ f ∘ I(x)."""

from __future__ import annotations

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
    rows = [
        CardRow(part="I", step=step.kind, place=f"prompt[{i}]", coordinates=step.own_coordinates)
        for i, step in enumerate(declared.prompt)
    ]
    how = "choose" if declared.choose else "generate"
    rows.append(CardRow(part="f", step=declared.model.label, place=how, coordinates=Coordinates()))
    rows += [
        CardRow(part="O", step=step.kind, place=f"align[{i}]", coordinates=step.own_coordinates)
        for i, step in enumerate(declared.align)
    ]
    if not declared.align:
        whole = Coordinates(alignment="identity")
        rows.append(CardRow(part="O", step="identity", place="align", coordinates=whole))
    return Card(
        pipeline=pipeline.name,
        about=declared.about,
        model=declared.model.label,
        rows=tuple(rows),
        num_learned_parameters=sum(row.coordinates.num_parameters for row in rows),
        num_model_parameters=num_model_parameters,
    )
