"""The prompts of a pipeline: the rows that demonstrations are chosen from, read once, and the chat format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from promptkit.data import Example, read_rows, read_split, target_of
from promptkit.errors import DataError, DeclarationError, ModelError, TemplateError
from promptkit.generate import Generator as Model
from promptkit.generate import Tokenizer
from promptkit.prompt import ChatFormat, Demonstrations, Frozen, Gallery, Piece, Pool, Prompt, PromptStep, Shown
from promptkit.run.pipeline import Pipeline
from promptkit.run.room import Choices, Room, drops
from promptkit.text import Position, Problem

__all__ = ["Prompter", "Selection", "at_row", "make_prompter", "read_examples"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which examples a run takes: the split, at most `limit` of them, files looked for in `data_folder`.

    With `only`, it asks about those of these ids alone; prompts are made as if all were asked about.
    """

    split: str = "test"
    limit: int | None = None
    data_folder: Path | None = None
    only: frozenset[str] | None = None

    def asked(self, examples: Sequence[Example]) -> Sequence[Example]:
        """Those of the examples that are asked about."""
        return examples if self.only is None else [each for each in examples if each.id in self.only]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompter:
    """Makes prompts of a pipeline: what shows the demonstrations of each step, the chat format, the room there is.

    `room` is None where nothing is dropped to fit.
    """

    pipeline: Pipeline
    galleries: tuple[Gallery | None, ...]
    chat: ChatFormat | None
    room: Room | None = None

    def within(self, model: Model | None) -> Prompter:
        """The same that drops demonstrations which do not fit the model, as the pipeline says.

        Raises `ModelError` where it says so, and nobody can count the model's tokens.
        """
        if model is None or not drops(self.pipeline):
            return self
        if model.tokenizer is None:
            message = "`fit` counts tokens, and the model's tokenizer is not here"
            raise ModelError(
                f"model {self.pipeline.declaration.model.label!r}: {message}\n    `fit: refuse` counts none"
            )
        return replace(
            self, room=Room(pipeline=self.pipeline, tokenizer=model.tokenizer, context_length=model.context_length)
        )

    def prompt(self, example: Example) -> Prompt:
        """The exact prompt of one example. Raises `TemplateError` that names the row."""
        return self.asked(example)[0]

    def asked(
        self, example: Example, fields: Mapping[str, Any] | None = None, before: Sequence[Piece] = ()
    ) -> tuple[Prompt, tuple[Piece, ...]]:
        """The prompt of one example, and the pieces that it is made of.

        `fields` are what its templates see, where that is more than its own; `before` is what the prompt goes on from.
        Raises `TemplateError` that names the row.
        """
        seen = example if fields is None else replace(example, fields=fields)
        try:
            choices, left = self.choices(example, seen, before)
            pieces = self.pieces(seen, left, before)
            prompt = self.join(pieces)
        except TemplateError as error:
            raise at_row(error, example) from error
        return replace(prompt, shown=Shown.of(filter(None, choices), filter(None, left))), pieces

    def prompt_with(self, example: Example, fields: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Prompt:
        """The prompt of other fields, below the very demonstrations that the example's own prompt has.

        `own` are the fields that its own prompt sees, where they are more than the example's.
        """
        try:
            _, left = self.choices(example, example if own is None else replace(example, fields=own))
            return self.join(self.pieces(replace(example, fields=fields), left))
        except TemplateError as error:
            raise at_row(error, example) from error

    def choices(self, example: Example, seen: Example, before: Sequence[Piece] = ()) -> tuple[Choices, Choices]:
        """What each step shows to the example, and what it still shows where not all of it fits."""
        choices: Choices = [gallery.shown(example) if gallery else None for gallery in self.galleries]
        if self.room is None:
            return choices, choices
        return choices, self.room.fitted(choices, lambda these: self.join(self.pieces(seen, these, before)), seen)

    def pieces(self, example: Example, choices: Choices, before: Sequence[Piece] = ()) -> tuple[Piece, ...]:
        """What each step adds, where its demonstrations are these."""
        pieces = list(before)
        for step, choice in zip(self.pipeline.declaration.prompt, choices, strict=True):
            if isinstance(step, Demonstrations) and choice is not None:
                pieces += step.pieces_of(choice.rows)
            else:
                pieces += step.pieces(example, None)
        return tuple(pieces)

    def join(self, pieces: Sequence[Piece]) -> Prompt:
        """The prompt that pieces make: one after another, or as the turns of a chat."""
        return self.chat.prompt(pieces) if self.chat else Prompt.from_pieces(pieces)


def at_row(error: TemplateError, example: Example) -> TemplateError:
    """The error with the row that it came up at."""
    problem = error.problem
    where = " ".join(part for part in (problem.path, f"({example.origin})") if part)
    return TemplateError(replace(problem, path=where))


def make_prompter(
    pipeline: Pipeline,
    selection: Selection,
    tokenizer: Tokenizer | None,
    queries: Sequence[Example] = (),
    frozen: Frozen | None = None,
) -> Prompter:
    """The prompter of a pipeline. `tokenizer` is the model's; only a chat needs it. `queries` will be asked about.

    `frozen` answers selectors that ask the model.
    """
    if not pipeline.declaration.prompt and not pipeline.is_stage:
        raise lacking(pipeline, "prompt")
    galleries = tuple(
        placed_gallery(pipeline, number, selection, queries, frozen) if isinstance(step, Demonstrations) else None
        for number, step in enumerate(pipeline.declaration.prompt)
    )
    return Prompter(pipeline=pipeline, galleries=galleries, chat=chat_format(pipeline, tokenizer))


def placed_gallery(
    pipeline: Pipeline, number: int, selection: Selection, queries: Sequence[Example], frozen: Frozen | None
) -> Gallery:
    """What shows the demonstrations of a step. Raises `DataError` with the place of the key that it is about."""
    step = pipeline.declaration.prompt[number]
    assert isinstance(step, Demonstrations)
    try:
        return make_gallery(pipeline, step, selection, queries, frozen)
    except DataError as error:
        key, colon, _ = str(error).partition(":")
        written = pipeline.plain.get("prompt", ())
        if not colon or key not in Demonstrations.model_fields or len(written) <= number:
            raise  # it says its place by itself: a row's
        place = first_place(written[number]["demonstrations"].get(key)) or first_place(written[number])
        raise DataError(f"{place}: " * bool(place) + f"prompt[{number}].demonstrations.{error}") from error


def first_place(written: Any) -> Position | None:
    """Where a part of a file begins: the place of the first text in it."""
    if isinstance(written, Mapping | list):
        inside = written.values() if isinstance(written, Mapping) else written
        return next((place for each in inside if (place := first_place(each))), None)
    return getattr(written, "position", None)


def make_gallery(
    pipeline: Pipeline,
    step: Demonstrations,
    selection: Selection,
    queries: Sequence[Example],
    frozen: Frozen | None,
) -> Gallery:
    """What shows a step's demonstrations."""
    data = pipeline.declaration.data
    assert data is not None
    pool = Pool(
        rows=read_pool(pipeline, step, selection),
        queries=queries,
        text_of=partial(query_text, pipeline.declaration.prompt),
        target_of=partial(target_of, data),
        frozen=frozen,
    )
    return step.gallery(pool)


def query_text(steps: Sequence[PromptStep], row: Example) -> str:
    """What the prompt would ask about a row: the text of its queries; all of its fields where a query needs others."""
    try:
        return "".join(piece.text for step in steps if step.kind == "query" for piece in step.pieces(row, None))
    except TemplateError:
        return " ".join(str(value) for name, value in row.fields.items() if name != "id")


def read_examples(pipeline: Pipeline, selection: Selection) -> Sequence[Example]:
    """The examples that are asked about."""
    data = pipeline.declaration.data
    if data is None:
        raise lacking(pipeline, "data")
    return read_split(data, selection.split, data_folder=selection.data_folder, limit=selection.limit)


def lacking(pipeline: Pipeline, section: str) -> DeclarationError:
    """What to raise where a verb needs a section that the file does not have."""
    message = f"there is no {section!r} section, and a prompt needs one"
    return DeclarationError([Problem(position=None, path=pipeline.file, message=message)])


def read_pool(pipeline: Pipeline, step: Demonstrations, selection: Selection) -> Sequence[Example]:
    """The rows that a step may choose demonstrations from."""
    data = pipeline.declaration.data
    assert data is not None
    pool = read_rows(data, step.source, data_folder=selection.data_folder, folder=pipeline.folder)
    if step.take is not None and len(pool) < step.take:
        raise DataError(
            f"take: {step.take} are to be taken, but {str(step.source)!r} has {len(pool)} rows"
            if isinstance(step.source, str)
            else f"take: {step.take} are to be taken, but {len(pool)} rows are written in the file"
        )
    return pool


def chat_format(pipeline: Pipeline, tokenizer: Tokenizer | None) -> ChatFormat | None:
    """The model's way to write a chat, where the pipeline asks for one."""
    chat = pipeline.declaration.chat
    if not chat:
        return None
    model = pipeline.declaration.model.label
    if tokenizer is None or tokenizer.chat_template is None:
        raise ModelError(f"model {model!r}: `chat: true` needs the model's chat template, and there is none")
    return ChatFormat(tokenizer.chat_template, tokenizer.special_tokens, model=model, chat=chat)
