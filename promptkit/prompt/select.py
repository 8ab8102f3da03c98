"""Which rows become demonstrations, and in which order they stand.

A selector ranks the whole pool; taking the first so many, and leaving out the example itself, is the step's own work
and the same for all. Order is a knob of its own: it moves what was selected, and selects nothing.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from promptkit.data import Example
from promptkit.spec import Coordinates, Seam, StepDeclaration

__all__ = ["ORDERS", "SELECT", "First", "Order", "Random", "Selector", "seeded_order"]

Order = Literal["as_selected", "reversed", "random"]


class Selector(StepDeclaration):
    """A way to rank the rows of a pool for an example, the best first."""

    coordinates: ClassVar[Coordinates] = Coordinates(location="input", operator="concatenative")

    @abstractmethod
    def rank(self, pool: Sequence[Example], example: Example, seed: int) -> Sequence[Example]:
        """The pool, ranked. The same input gives the same order, on any machine."""


class First(Selector):
    """The rows in the order of the pool."""

    kind = "first"

    def rank(self, pool: Sequence[Example], example: Example, seed: int) -> Sequence[Example]:
        """The pool as it is."""
        return pool


class Random(Selector):
    """The rows in a random order that the seed alone decides; all examples get the same."""

    kind = "random"

    def rank(self, pool: Sequence[Example], example: Example, seed: int) -> Sequence[Example]:
        """The pool in its seeded order."""
        return seeded_order(pool, seed, "select")


def seeded_order(rows: Sequence[Example], seed: int, purpose: str) -> list[Example]:
    """The rows sorted by a hash of seed, purpose and id: a shuffle that no library's version can change."""

    def key(row: Example) -> bytes:
        return hashlib.sha256(f"{seed}\0{purpose}\0{row.id}".encode()).digest()

    return sorted(rows, key=key)


ORDERS: dict[Order, Callable[[Sequence[Example], int], list[Example]]] = {
    "as_selected": lambda rows, _: list(rows),
    "reversed": lambda rows, _: list(reversed(rows)),
    "random": lambda rows, seed: seeded_order(rows, seed, "order"),
}


def kinds() -> Mapping[str, type[StepDeclaration]]:
    """Every selector that promptkit ships, by name."""
    return {"first": First, "random": Random}


SELECT = Seam("select", "selector", kinds)
AnySelector = Annotated[Selector, SELECT]
