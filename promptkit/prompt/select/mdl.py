"""`mdl`: the set after which the model is the least unsure of the example's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        """What asks the model: of all examples together at the first of them, since many prompts at once cost less."""
        from promptkit.prompt.select.nearness import best  # noqa: PLC0415 - brings numpy

        assert isinstance(self.of, NearSelector)
        near, weighed = self.of.nearness(pool), Weighed(pool=pool)

        def sets(example: Example, allowed: Sequence[int], num: int) -> list[tuple[int, ...]]:
            nearest = best(near.to(example), allowed, max(num, self.candidates))
            return self.draw(pool, example, nearest, num, seed)

        def choose(example: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            assert example is not None
            drawn = sets(example, allowed, num)
            if not weighed.known:
                others = [each for each in pool.queries if each.id != example.id]
                asked = [(each, shown) for each in others for shown in sets(each, pool.others(each), num)]
                weighed.ask([*((example, shown) for shown in drawn), *asked])
            unsure = weighed.unsure(example, drawn)
            return list(drawn[unsure.index(min(unsure))])

        return choose

    def draw(self, pool: Pool, example: Example, nearest: Sequence[int], num: int, seed: int) -> list[tuple[int, ...]]:
        """Different ordered sets of `num` of the nearest rows, at most `sets`, the nearest themselves first."""
        rows = [pool.rows[each] for each in nearest]
        drawn = {tuple(nearest[:num]): None}
        for number in range(1, self.sets):
            order = seeded_order(rows, seed, f"mdl\0{example.id}\0{number}")
            drawn[tuple(nearest[place] for place in order[:num])] = None
        return list(drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """How unsure the model is of examples' answers after sets of rows, by example and set; asked once each."""

    pool: Pool
    known: dict[tuple[str, tuple[int, ...]], float] = field(default_factory=dict)

    def ask(self, wanted: Sequence[tuple[Example, tuple[int, ...]]]) -> None:
        """Asks the model, in one go, what is not known of these."""
        missing = {(example.id, shown): (example, shown) for example, shown in wanted}
        missing = {key: each for key, each in missing.items() if key not in self.known}
        asked = [([self.pool.rows[number] for number in shown], example) for example, shown in missing.values()]
        answers = self.pool.asked.choices(asked) if asked else []
        for key, scores in zip(missing, answers, strict=True):
            self.known[key] = round(entropy(shares(scores)), DECIMALS)

    def unsure(self, example: Example, sets: Sequence[tuple[int, ...]]) -> list[float]:
        """The entropy of the model's answers to an example after each set, in nats."""
        self.ask([(example, shown) for shown in sets])
        return [self.known[example.id, shown] for shown in sets]
