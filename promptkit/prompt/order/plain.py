"""Orders that look at no row."""

from __future__ import annotations

from promptkit.prompt.order.order import Arranger, Order
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import seeded_order

__all__ = ["AsSelected", "RandomOrder", "Reversed"]


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
