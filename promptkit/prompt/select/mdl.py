"""`mdl`: the set after which the model is the least unsure of the example's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from promptkit.data import Example
from promptkit.prompt.information import entropy, shares
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.knn import Knn
from promptkit.prompt.select.near import AnyNearSelector, NearSelector
from promptkit.prompt.select.selector import Chooser, Per, Selector, seeded_order
from promptkit.spec import Count

__all__ = ["Mdl"]

DECIMALS = 6  # of an entropy: the last bits differ between machines


class Mdl(Selector):
    """Self-adaptive in-context learning (Wu et al. 2023, section 3): among sets drawn from the nearest rows, the one
    after which the example's answer has the shortest expected description.

    That is the entropy of the model's answers over the options of `choose`: no target is looked at. Sets are drawn with
    their order, by the seed; the first is the nearest rows themselves. With `order: as_selected` what is shown is what
    was weighed. It asks the model `sets` prompts for each example.
    """

    kind = "mdl"
    per: ClassVar[Per] = "example"
    needs_example: ClassVar[bool] = True
    needs_options: ClassVar[bool] = True

    of: AnyNearSelector = Field(default_factory=Knn, description="what near means: knn, bm25")
    candidates: Count = Field(default=30, description="from how many of the nearest rows sets are drawn")
    sets: Count = Field(default=10, description="how many sets the model is asked about")

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What asks the model, example by example."""
        from promptkit.prompt.select.nearness import best  # noqa: PLC0415 - brings numpy

        assert isinstance(self.of, NearSelector)
        near, model = self.of.nearness(pool), pool.asked

        def choose(example: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            assert example is not None
            nearest = best(near.to(example), allowed, max(num, self.candidates))
            drawn = self.draw(pool, example, nearest, num, seed)
            answers = model.choices([([pool.rows[each] for each in numbers], example) for numbers in drawn])
            unsure = [round(entropy(shares(scores)), DECIMALS) for scores in answers]
            return drawn[unsure.index(min(unsure))]

        return choose

    def draw(self, pool: Pool, example: Example, nearest: Sequence[int], num: int, seed: int) -> list[list[int]]:
        """Different ordered sets of `num` of the nearest rows, at most `sets`, the nearest themselves first."""
        rows = [pool.rows[each] for each in nearest]
        drawn = {tuple(nearest[:num]): None}
        for number in range(1, self.sets):
            order = seeded_order(rows, seed, f"mdl\0{example.id}\0{number}")
            drawn[tuple(nearest[place] for place in order[:num])] = None
        return [list(each) for each in drawn]
