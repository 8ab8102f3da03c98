"""`promptkit card`: the coordinates of a pipeline."""

from __future__ import annotations

from promptkit.cli.loading import load_one
from promptkit.cli.options import AllowCode, AsJson, CellNumber, ModelName, Overrides, PipelineFile
from promptkit.cli.output import print_json, print_view
from promptkit.errors import ModelError
from promptkit.run import Pipeline, make_card

__all__ = ["card"]


def card(
    file: PipelineFile,
    model: ModelName = None,
    overrides: Overrides = None,
    cell: CellNumber = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Print where each step stands in ŷ = O ∘ f ∘ I(x), and what it learns beside what is frozen."""
    pipeline = load_one(file, overrides or [], cell, allow_code=allow_code)
    pipeline = pipeline.with_model(model) if model else pipeline
    made = make_card(pipeline, num_parameters(pipeline))
    if as_json:
        print_json(made.to_json())
        return
    from promptkit.report import card_view

    print_view(card_view(made))


def num_parameters(pipeline: Pipeline) -> int | None:
    """How many parameters the model has, as its files' headers say; None where they are not here."""
    from promptkit.generate.model_files import count_parameters, find_model
    from promptkit.generate.prepared import known_facts

    if pipeline.declaration.model.kind != "local":
        return None
    try:
        files = find_model(pipeline.declaration.model.label)
        known = known_facts(files)
        return known.num_parameters if known else count_parameters(files)
    except ModelError:
        return None
