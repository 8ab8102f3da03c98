"""Demonstrations: solved examples, shown before the query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.prompt.fit import Fit
from promptkit.prompt.gallery import Gallery
from promptkit.prompt.labels import Labels
from promptkit.prompt.leaks import Leaks
from promptkit.prompt.order.order import AnyOrder
from promptkit.prompt.order.plain import AsSelected
from promptkit.prompt.pool import Pool
from promptkit.prompt.prompt import Piece
from promptkit.prompt.select.fixed import Fixed
from promptkit.prompt.select.plain import First
from promptkit.prompt.select.selector import AnySelector, Per
from promptkit.prompt.step import PromptStep, piece_of
from promptkit.spec import Coordinates, Declaration, NaturalNumber, Seed, Template

__all__ = ["Demonstrations", "Turns"]


class Turns(Declaration):
    """A demonstration as two turns of a chat."""

    user: Template = Field(description="the user's turn")
    assistant: Template = Field(description="the assistant's turn: the answer as the model should write it")


class Demonstrations(PromptStep):
    """Solved examples (Brown et al. 2020, section 2): chosen from a pool, put in an order, each through a template."""

    kind = "demonstrations"

    source: str | tuple[Mapping[str, Any], ...] = Field(
        alias="from", description="the pool: a split (train), a data file, or rows written here"
    )
    take: NaturalNumber | None = Field(default=None, description="how many; all of the pool if not given")
    select: AnySelector = Field(
        default_factory=First,
        description="how they are chosen: first, fixed, random, balanced, bm25, knn, mmr, dpp, votek, mdl, python",
    )
    per: Per | None = Field(
        default=None,
        description="whether they are chosen once for all examples (run), and so computed once, or for each (example); the "
        "selector's own way if not given",
    )
    seed: Seed = Field(default=0, description="decides all that is random in the choice and the order")
    leaks: Leaks = Field(
        default_factory=Leaks,
        description="which rows an example must not be shown: itself, the same text, near-duplicates; or allow",
    )
    order: AnyOrder = Field(
        default_factory=AsSelected,
        description="how the chosen ones stand, the last before the query: as_selected, reversed, nearest_last, entropy, ...",
    )
    labels: Labels | None = Field(
        default=None, description="a change of the labels that are shown: flipped, random or symbolic, for research"
    )
    fit: Fit = Field(
        default_factory=lambda: Fit(drop="refuse"),
        description="which whole demonstrations are dropped where the prompt would not fit: none (refuse), last_ranked, ...",
    )
    template: Template | None = Field(default=None, description="one demonstration as text, with all its white space")
    turns: Turns | None = Field(default=None, description="one demonstration as two turns; only with `chat: true`")

    @model_validator(mode="after")
    def _one_form(self) -> Demonstrations:
        if (self.template is None) == (self.turns is None):
            raise PydanticCustomError("one_form", "needs `template` (as text) or `turns` (as chat), one of the two")
        return self

    @model_validator(mode="after")
    def _has_enough(self) -> Demonstrations:
        written = len(self.source) if not isinstance(self.source, str) else None
        named = len(self.select.ids) if isinstance(self.select, Fixed) else None
        for num, what in ((written, "`from` has"), (named, "`fixed` names")):
            if self.take is not None and num is not None and num < self.take:
                context = {"take": self.take, "num": num, "what": what, "at": ("take",)}
                message = "{take} are to be taken, and {what} {num}"
                raise PydanticCustomError("too_few", message, context)
        return self

    @model_validator(mode="after")
    def _can_choose_once(self) -> Demonstrations:
        for name, step in (("select", self.select), ("order", self.order)):
            if step.needs_example and not self.per_example:
                message = "{kind} goes by the example, and `per: run` has none"
                context = {"kind": repr(step.kind), "at": (name,), "hint": "`per: example`"}
                raise PydanticCustomError("per", message, context)
        return self

    @property
    def per_example(self) -> bool:
        """Whether they are chosen for each example, and not once for all."""
        return (self.per or self.select.per) == "example"

    @property
    def asks_model(self) -> bool:
        """Whether the choice, or the order, asks the model."""
        return self.select.asks_model or self.order.asks_model

    @property
    def asks_any_model(self) -> bool:
        """Whether the choice, or the order, asks this model or another."""
        return self.asks_model or self.select.asks_another

    @property
    def needs_options(self) -> bool:
        """Whether it asks the model what it would choose."""
        return self.select.needs_options or self.order.needs_options

    @property
    def own_coordinates(self) -> Coordinates:
        """Demonstrations are learned where the model's own answers decide which stand, or in which order."""
        return replace(self.coordinates, configuration="learnable") if self.needs_options else self.coordinates

    def gallery(self, pool: Pool) -> Gallery:
        """What shows rows of a pool to examples."""
        return Gallery.of(self, pool)

    def pieces(self, example: Example, gallery: Gallery | None) -> list[Piece]:
        """The demonstrations for `example`, in order; the example itself is never among them."""
        assert gallery is not None
        return self.pieces_of(gallery.shown(example).rows)

    def pieces_of(self, rows: Iterable[Example]) -> list[Piece]:
        """Rows as demonstrations."""
        return [piece for row in rows for piece in self.show(row)]

    def text_of(self, row: Example) -> str:
        """All that a row shows as demonstration."""
        return "".join(piece.text for piece in self.show(row))

    def format(self) -> str:
        """The first words of each demonstration."""
        return self.template.opening if self.template else ""

    def show(self, row: Example) -> list[Piece]:
        """One demonstration, as one piece of text or as two turns."""
        if self.template is not None:
            text = self.template.render(row.fields)
            return [piece_of(text, self.template, kind=self.kind, role="user", example=row.id)]
        assert self.turns is not None
        user, assistant = self.turns.user, self.turns.assistant
        return [
            piece_of(user.render(row.fields), user, kind=self.kind, role="user", example=row.id),
            piece_of(assistant.render(row.fields), assistant, kind=self.kind, role="assistant", example=row.id),
        ]
