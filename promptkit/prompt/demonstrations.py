"""Demonstrations: solved examples, shown before the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.prompt import Piece
from promptkit.prompt.select import ORDERS, AnySelector, First, Order
from promptkit.prompt.step import PromptStep, piece_of
from promptkit.spec import Declaration, NaturalNumber, Template

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
    select: AnySelector = Field(default_factory=First, description="how they are chosen: first, random")
    seed: int = Field(default=0, description="decides all that is random in the choice and the order")
    order: Order = Field(default="as_selected", description="how the chosen ones stand: as_selected, reversed, random")
    template: Template | None = Field(default=None, description="one demonstration as text, with all its white space")
    turns: Turns | None = Field(default=None, description="one demonstration as two turns; only with `chat: true`")

    @model_validator(mode="after")
    def _one_form(self) -> Demonstrations:
        if (self.template is None) == (self.turns is None):
            raise PydanticCustomError("one_form", "needs `template` (as text) or `turns` (as chat), one of the two")
        return self

    def pieces(self, example: Example, pool: Sequence[Example]) -> list[Piece]:
        """The demonstrations for `example`, in order; the example itself is never among them."""
        return [piece for row in self.chosen(example, pool) for piece in self.show(row)]

    def format(self) -> str:
        """The first words of each demonstration."""
        return self.template.opening if self.template else ""

    def chosen(self, example: Example, pool: Sequence[Example]) -> list[Example]:
        """The rows shown to `example`, in the order in which they stand.

        A row that is the example is passed over, and the next in rank takes its place. Raises `DataError` where then
        too few are left.
        """
        ranked = self.select.rank(pool, example, self.seed)
        room = len(ranked) if self.take is None else self.take
        rows: list[Example] = []
        for row in ranked:
            if len(rows) == room:
                break
            if not is_same(row, example):
                rows.append(row)
        if self.take is not None and len(rows) < self.take:
            left = f"{len(rows)} rows besides this one itself"
            raise DataError(f"{example.origin}: {self.take} demonstrations are to be taken, but there are {left}")
        return ORDERS[self.order](rows, self.seed)

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


def is_same(row: Example, example: Example) -> bool:
    """Whether two rows are one example: the same place in the same file, or the same fields, ids apart."""
    if row.origin == example.origin:
        return True
    return without_id(row) == without_id(example)


def without_id(row: Example) -> dict[str, Any]:
    """The row's fields but for its id, which says nothing about what it asks."""
    return {name: value for name, value in row.fields.items() if name != "id"}
