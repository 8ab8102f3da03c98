"""`entropy`: the order after which the model's answers lean the least towards one of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import ClassVar, Literal

from pydantic import Field

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.information import entropy, shares
from promptkit.prompt.order.order import Arranger, Order
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import seeded_order
from promptkit.spec import Count

__all__ = ["EntropyOrder"]

DECIMALS = 6  # of an entropy: the last bits differ between machines
MAX_WHOLE = 4  # rows of which all orders are tried


class EntropyOrder(Order):
    """The order with the highest entropy on probes (Lu et al. 2022, section 3): global, of how often each option wins
    over all probes (GlobalE); local, of the model's answers to one probe, averaged (LocalE).

    All orders of up to four rows are tried, of more `permutations` drawn by the seed. One thing differs from the paper,
    whose model writes its own probes: here they are rows of the pool that are not shown, their targets unread, since a
    written text cannot be told apart into the fields of an example. Only for pipelines that `choose`, and it asks the
    model permutations x probes prompts: with `per: run`, once.
    """

    kind = "entropy"
    main: ClassVar[str | None] = "measure"
    needs_options: ClassVar[bool] = True

    measure: Literal["global", "local"] = Field(default="global", description="GlobalE or LocalE")
    permutations: Count = Field(default=24, description="how many orders are tried where there are more than four rows")
    probes: Count = Field(
        default=16, description="how many rows of the pool the model is asked about, drawn by the seed"
    )

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What asks the model once for each set of rows. Raises `DataError` where the pool has no row beside them."""
        found: dict[tuple[int, ...], tuple[int, ...]] = {}

        def arrange(_: Example | None, chosen: Sequence[int]) -> Sequence[int]:
            rows = tuple(chosen)
            if len(rows) > 1 and rows not in found:
                found[rows] = self.best_order(pool, rows, seed)
            return found.get(rows, rows)

        return arrange

    def best_order(self, pool: Pool, rows: tuple[int, ...], seed: int) -> tuple[int, ...]:
        """The rows in the order with the highest entropy; the first of equals."""
        left = [number for number in seeded_order(pool.rows, seed, "probes") if number not in rows]
        if not left:
            raise DataError("order: entropy: every row of the pool is shown, and none is left to ask the model about")
        probes = [pool.rows[number] for number in left[: self.probes]]
        orders = self.orders(pool, rows, seed)
        asked = [([pool.rows[each] for each in order], probe) for order in orders for probe in probes]
        answers = [shares(scores) for scores in pool.asked.choices(asked)]
        parts = [answers[first : first + len(probes)] for first in range(0, len(answers), len(probes))]
        measured = [
            round(global_entropy(each) if self.measure == "global" else local_entropy(each), DECIMALS) for each in parts
        ]
        return orders[measured.index(max(measured))]

    def orders(self, pool: Pool, rows: tuple[int, ...], seed: int) -> list[tuple[int, ...]]:
        """The orders that are tried, all different; the first is the one in which the rows came."""
        if len(rows) <= MAX_WHOLE:
            return list(permutations(rows))
        examples = [pool.rows[number] for number in rows]
        drawn = {rows: None}
        number = 0
        while len(drawn) < min(self.permutations, math.factorial(len(rows))):
            number += 1
            order = seeded_order(examples, seed, f"entropy\0{number}")
            drawn[tuple(rows[place] for place in order)] = None
        return list(drawn)


def global_entropy(answers: Sequence[Sequence[float]]) -> float:
    """The entropy of how often each option is the likeliest: GlobalE, equation 4.

    >>> round(global_entropy([[0.9, 0.1], [0.2, 0.8]]), 4)
    0.6931
    """
    wins = Counter(list(each).index(max(each)) for each in answers)
    return entropy([num / len(answers) for num in wins.values()])


def local_entropy(answers: Sequence[Sequence[float]]) -> float:
    """The mean of the entropies of the answers: LocalE, equation 6."""
    return math.fsum(map(entropy, answers)) / len(answers)
