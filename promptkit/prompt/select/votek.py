"""`votek`: rows that stand for many others and not for the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by_nearness import ByNearness
from promptkit.prompt.select.near import NearSelector
from promptkit.prompt.select.selector import Chooser
from promptkit.spec import Count

__all__ = ["VoteK"]


class VoteK(ByNearness):
    """Vote-k, by its graph alone (Su et al. 2022, section 2.2; "fast vote-k" there): each row votes for its nearest
    neighbours, and the row with the most votes is taken. A vote counts 10^-m where m neighbours of the voter are taken.

    It looks at the pool alone, never at the examples that are asked about, and needs no targets.
    """

    kind = "votek"

    neighbours: Count = Field(default=150, description="for how many of its nearest rows a row votes")

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes the rows with the most votes."""
        import numpy as np  # noqa: PLC0415 - `check` needs none

        from promptkit.prompt.select.greedy import most_votes  # noqa: PLC0415

        assert isinstance(self.of, NearSelector)
        graph = self.of.nearness(Pool(rows=pool.rows, text_of=pool.text_of, frozen=pool.frozen))
        neighbours = graph.neighbours(min(self.neighbours, len(pool.rows) - 1))

        def choose(_: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            return most_votes(neighbours, np.asarray(allowed, np.int64), num)

        return choose
