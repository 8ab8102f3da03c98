"""Orders that need no look at the example's words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from promptkit.data import Example
from promptkit.prompt.order.order import Arranger, Order
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import seeded_order
from promptkit.spec.declaration import Texts

__all__ = ["AsSelected", "ByLength", "FixedOrder", "RandomEach", "RandomOrder", "Reversed"]


class AsSelected(Order):
    """The best first, as the selector gave them."""

    kind = "as_selected"

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What moves nothing."""
        return lambda _, chosen: chosen


class Reversed(Order):
    """The best last, next to the query."""

    kind = "reversed"

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What turns them around."""
        return lambda _, chosen: chosen[::-1]


class RandomOrder(Order):
    """A random order that the seed alone decides."""

    kind = "random"

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by their place in the pool's seeded order."""
        place = {number: rank for rank, number in enumerate(seeded_order(pool.rows, seed, "order"))}
        return lambda _, chosen: sorted(chosen, key=place.__getitem__)


class RandomEach(Order):
    """A random order of its own for each example, that the seed and the example's id decide."""

    kind = "random_each"
    needs_example: ClassVar[bool] = True

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by a hash of seed, example and row."""

        def arrange(example: Example | None, chosen: Sequence[int]) -> list[int]:
            assert example is not None
            return sorted(chosen, key=lambda number: hashed(seed, example.id, pool.rows[number].id))

        return arrange


class ByLength(Order):
    """By the length of the demonstrations as they are shown, in characters; equally long ones as selected."""

    kind = "by_length"
    main: ClassVar[str | None] = "first"

    first: Literal["shortest", "longest"] = Field(default="shortest", description="which stand first")

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by length."""
        sign = 1 if self.first == "shortest" else -1
        return lambda _, chosen: sorted(chosen, key=lambda number: sign * len(pool.shown_of(pool.rows[number])))


class FixedOrder(Order):
    """The order of ids that are written down."""

    kind = "fixed"
    main: ClassVar[str | None] = "ids"

    ids: Texts = Field(
        min_length=1,
        description="ids of rows, the first first; chosen rows that are not named stand before, as selected",
    )

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by their place among the ids. Raises `DataError` for an id that the pool has not."""
        place = {number: rank for rank, number in enumerate(pool.named(self.ids, "order: fixed"))}
        return lambda _, chosen: sorted(chosen, key=lambda number: place.get(number, -1))


def hashed(seed: int, example: str, row: str) -> bytes:
    """What sorts a row among others, for one example."""
    return hashlib.sha256(f"{seed}\0order each\0{example}\0{row}".encode()).digest()
