"""Which rows of a pool become demonstrations.

A selector looks at the pool once and gives a chooser. Leaving out the example itself and what is like it, putting the
chosen in an order, and dropping what does not fit are the same for all, and no selector's work.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Protocol

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.spec import Coordinates, Seam, StepDeclaration, kinds_of

__all__ = ["SELECT", "AnySelector", "Chooser", "Per", "Selector", "seeded_order"]

Per = Literal["run", "example"]


class Chooser(Protocol):
    """What a selector makes of a pool."""

    def __call__(self, example: Example | None, allowed: Sequence[int], num: int, /) -> Sequence[int]:
        """The numbers of at most `num` rows of the pool, the best first, none that is not among `allowed`.

        `allowed` is in the order of the pool. `example` is None where one choice is made for all examples. The same input
        gives the same rows, on any machine.
        """


class Selector(StepDeclaration):
    """A way to choose rows of a pool. `per` says whether it chooses for each example, or once for all."""

    coordinates: ClassVar[Coordinates] = Coordinates(location="input", operator="concatenative")
    per: ClassVar[Per] = "run"
    needs_example: ClassVar[bool] = False  # it cannot choose once for all
    is_by_nearness: ClassVar[bool] = False  # the rows that it names first are the nearest to the example
    needs_options: ClassVar[bool] = False  # it asks the model what it would choose

    @property
    def asks_model(self) -> bool:
        """Whether it asks the model for anything."""
        return self.needs_options

    @property
    def asks_another(self) -> bool:
        """Whether it asks a model that is not the pipeline's."""
        return False

    @abstractmethod
    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What chooses from this pool. All that takes long is done here, once."""


def seeded_order(rows: Sequence[Example], seed: int, purpose: str) -> list[int]:
    """The numbers of the rows, sorted by a hash of seed, purpose and id: a shuffle that no library's version can change."""

    def key(number: int) -> bytes:
        return hashlib.sha256(f"{seed}\0{purpose}\0{rows[number].id}".encode()).digest()

    return sorted(range(len(rows)), key=key)


SELECT = Seam("select", "selector", kinds_of("promptkit.prompt.select.kinds"))
AnySelector = Annotated[Selector, SELECT]
