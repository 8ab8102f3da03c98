"""`promptkit show`: the exact prompt of one example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from promptkit.cli.loading import load_one
from promptkit.cli.options import AllowCode, AsJson, CellNumber, DataFolder, ModelName, Overrides, PipelineFile, Split
from promptkit.cli.output import has_colour, print_exactly, print_json, print_view
from promptkit.data import Example
from promptkit.errors import DataError, ModelError, RunError
from promptkit.generate import Generator, Loading, Tokenizer
from promptkit.prompt import Prompt
from promptkit.run import Pipeline, Selection, drops, make_prompter, options_of, preview_prompt, read_examples

if TYPE_CHECKING:
    from promptkit.run.frozen import FrozenModel

__all__ = ["show"]


def show(
    file: PipelineFile,
    index: Annotated[int, typer.Option("--index", metavar="N", min=0, help="which example, counted from 0")] = 0,
    tokens: Annotated[bool, typer.Option("--tokens", help="show the model's tokens and its BOS as well")] = False,
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="which stage, where there are several: the first if not given; what earlier ones write is a name in ⟨⟩",
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="print the prompt and nothing else, byte for byte")] = False,
    model: ModelName = None,
    data: DataFolder = None,
    split: Split = "test",
    overrides: Overrides = None,
    cell: CellNumber = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Show the exact prompt of one example, piece by piece, each with the line that it came from."""
    from promptkit.report import prompt_json, prompt_view, tokens_view

    pipeline = load_one(file, overrides or [], cell, allow_code=allow_code)
    pipeline = pipeline.with_model(model) if model else pipeline
    selection = Selection(split=split, limit=index + 1, data_folder=data)
    examples = read_examples(pipeline, selection)
    if index >= len(examples):
        raise DataError(f"there is no example {index}: the split {split!r} has {len(examples)} rows, counted from 0")
    needs_model = tokens or pipeline.declaration.chat or drops(pipeline) or pipeline.asks_any_model
    generator = pipeline.declaration.model.open(Loading()) if needs_model else None
    tokenizer = tokenizer_of(generator) if generator and tokens else None
    prompt, asked = prompt_of(pipeline, selection, generator, examples[index], stage)
    choose = asked.declaration.choose
    options = [choose.lead + each for each in options_of(choose, examples[index])] if choose else []
    if as_json:
        print_json(prompt_json(examples[index], prompt, tokenizer, options))
    elif raw:
        print_exactly(prompt.text)
    else:
        print_view(prompt_view(examples[index], prompt, options))
        if tokenizer is not None:
            print_view(tokens_view(prompt, tokenizer, is_striped=has_colour()))


def prompt_of(
    pipeline: Pipeline, selection: Selection, generator: Generator | None, example: Example, stage: str | None
) -> tuple[Prompt, Pipeline]:
    """The prompt of an example, or of one stage of it; and the pipeline whose prompt it is.

    With a model, demonstrations that its context does not hold are dropped as the pipeline says.
    """
    if pipeline.stages:
        prompt = preview_prompt(pipeline, selection, generator, example, stage)
        return prompt, pipeline.stages[stage or next(iter(pipeline.stages))]
    if stage is not None:
        raise RunError(f"--stage: {pipeline.name} has no stages")
    tokenizer = generator.tokenizer if generator else None
    frozen = asked_model(pipeline, generator) if generator and pipeline.asks_any_model else None
    return make_prompter(pipeline, selection, tokenizer, frozen=frozen).within(generator).prompt(example), pipeline


def asked_model(pipeline: Pipeline, generator: Generator) -> FrozenModel:
    """The model, for a choice of demonstrations that asks it; what it answers is kept in the user's store."""
    from promptkit.run.frozen import FrozenModel

    return FrozenModel(pipeline=pipeline, generator=generator)


def tokenizer_of(generator: Generator) -> Tokenizer:
    """The model's tokenizer. Raises `ModelError` where only a server has it."""
    if generator.tokenizer is None:
        raise ModelError(f"model {generator.name!r}: its tokenizer is not here, so its tokens cannot be shown")
    return generator.tokenizer
