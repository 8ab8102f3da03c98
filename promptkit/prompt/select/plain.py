"""Selectors that look at no row: the first, and a draw."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Chooser, Selector, seeded_order

__all__ = ["First", "Random"]


class First(Selector):
    """The rows in the order of the pool."""

    kind = "first"

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes the first."""
        return lambda _, allowed, num: allowed[:num]


class Random(Selector):
    """The rows in a random order that the seed alone decides; all examples get the same."""

    kind = "random"

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes the first of the pool in its seeded order."""
        order = seeded_order(pool.rows, seed, "select")

        def choose(_: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            inside = frozenset(allowed)
            return [each for each in order if each in inside][:num]

        return choose
