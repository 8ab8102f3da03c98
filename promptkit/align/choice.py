"""`choice`: which of the options a text names."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align.mention import Mention, mentions
from promptkit.align.options import Options, read_options
from promptkit.align.outcome import Found, Missing
from promptkit.align.rejection import standing
from promptkit.align.step import ItemStep
from promptkit.align.take import TakeOne, take_within
from promptkit.errors import TemplateError
from promptkit.spec import Template
from promptkit.spec.declaration import shorten
from promptkit.text import Problem

__all__ = ["Choice"]

MAX_LOOKED = 50_000  # characters in which a reason is looked for
DEFAULT_OPTIONS = "{{ options }}"
LETTERS_ALONE = "`options: null` reads letters alone"


class Choice(ItemStep):
    """Finds the option that a text names, by its letter or, where no letter names one, by its words.

    A letter counts alone, in brackets or bold, before `)`, `.` or `:`, and as a capital of its own; the article A, the
    pronoun I and names (point A, vitamin C) do not. Numbers count by their value where all options are numbers. What
    the text rejects (not B; A is wrong; rule out C and D) is not taken. A letter beside another option's words ('B) 7'
    where 7 is C) is ambiguous, as are options that are joined (A and C). A text that names several options is ambiguous
    too, unless `take` says which of them is the answer: to guess would favour a letter.
    """

    kind = "choice"
    main: ClassVar[str | None] = "options"

    options: Template | None = Field(
        default_factory=lambda: Template(DEFAULT_OPTIONS),
        description="the example's options: a list of texts or a map from letters to texts; the field `options` if not "
        "given; null where the letters alone are known",
    )
    letters: str = Field(
        default="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_length=1, description="the letters of the options, in their order"
    )
    give: Literal["letter", "text", "index"] = Field(
        default="letter", description="what the answer is: the option's letter, its text, or its index from 0"
    )
    take: TakeOne = Field(
        default="only", description="which mention: first, last, only (ambiguous if several options are named)"
    )

    @field_validator("letters")
    @classmethod
    def _no_letter_twice(cls, letters: str) -> str:
        if len(set(letters.casefold())) < len(letters) or not letters.isalnum():
            raise PydanticCustomError(
                "letters", "must be letters or digits, none twice, not {value}", {"value": repr(letters)}
            )
        return letters

    @model_validator(mode="after")
    def _text_needs_options(self) -> Choice:
        if self.options is None and self.give == "text":
            raise PydanticCustomError("give", "`give: text` needs `options`")
        return self

    def read(self, found: Found) -> Found | Missing:
        """The option that is asked for."""
        options = self.of(found.fields)
        taken = take_within(found, self.take, functools.partial(self.candidates, options=options))
        if taken is not None:
            return taken
        is_any = any(mention.indices for mention in mentions(found.value[:MAX_LOOKED], options))
        return Missing(reason="no option is named that is not ruled out" if is_any else "no option is named")

    def of(self, fields: Mapping[str, Any]) -> Options:
        """The example's options. Raises `TemplateError` where the example has none, or they are no options."""
        if self.options is None:
            return Options(labels=tuple(self.letters))
        try:
            value = self.options.value(fields)
            if value is None:  # as a template may say of an example that has none
                return Options(labels=tuple(self.letters))
        except TemplateError as error:
            problem = error.problem
            hint = "; ".join(part for part in (problem.hint, LETTERS_ALONE) if part)
            raise self.refused(problem.message, hint) from error
        try:
            return read_options(value, self.letters)
        except ValueError as error:
            raise self.refused(f"options: {error}") from error

    def refused(self, message: str, hint: str = "") -> TemplateError:
        """The error that points at `options`."""
        position = self.options.position if self.options else None
        return TemplateError(Problem(position=position, path="choice", message=message, hint=hint))

    def candidates(self, found: Found, options: Options) -> Iterator[Found | Missing]:
        """Every mention of an option, in order."""
        for mention in standing(found.value, mentions(found.value, options)):
            if len(mention.indices) == 1:
                part = found.part(mention.span.start, mention.span.end)
                yield part.become(self.value(mention.indices[0], options))
            else:
                yield Missing(reason=contradiction(mention, found.value, options), is_ambiguous=bool(mention.indices))

    def value(self, index: int, options: Options) -> str | int:
        """An option as `give` asks for it."""
        if self.give == "index":
            return index
        return options.labels[index] if self.give == "letter" else options.texts[index]

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The option that a target names: 'B', '(B)', 'b', the index 1, or the option's text."""
        options = self.of(fields)
        named = options.named(target)
        if len(named) == 1:
            return self.value(named[0], options)
        known = ", ".join(options.labels[: len(options.texts) or None])
        if not named:
            raise ValueError(f"{shorten(target)} names none of the options {known}")
        letters = listed([options.labels[index] for index in named])
        raise ValueError(f"{shorten(target)} names the options {letters}; a letter would name one")


def contradiction(mention: Mention, text: str, options: Options) -> str:
    """Why a mention names several options."""
    shown = shorten(text[mention.span.start : mention.span.end])
    letters = listed([options.labels[index] for index in mention.indices])
    return f"{shown} names the options {letters}" if letters else f"{shown} is none of the options"


def listed(letters: Sequence[str]) -> str:
    """Letters in a sentence.

    >>> listed("ABC")
    'A, B and C'
    """
    return " and ".join(part for part in (", ".join(letters[:-1]), *letters[-1:]) if part)
