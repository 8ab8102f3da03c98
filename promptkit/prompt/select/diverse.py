"""`mmr` and `dpp`: rows that are near the example and unlike each other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by_nearness import ByNearness
from promptkit.prompt.select.near import NearSelector
from promptkit.prompt.select.selector import Chooser, Per
from promptkit.spec import Count

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

__all__ = ["Dpp", "Mmr"]

CANDIDATES = 100


class Diverse(ByNearness):
    """What both have: how many of the nearest rows they look at and pick among."""

    per: ClassVar[Per] = "example"
    needs_example: ClassVar[bool] = True

    candidates: Count = Field(default=CANDIDATES, description="how many of the nearest rows are looked at")

    @abstractmethod
    def pick(self, near: Floats, among: Floats, num: int) -> list[int]:
        """The places of `num` candidates, by how near each is to the example (n,), and they to each other (n, n)."""

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What picks among the nearest rows."""
        from promptkit.prompt.select.nearness import best  # noqa: PLC0415 - brings numpy

        assert isinstance(self.of, NearSelector)
        near = self.of.nearness(pool)

        def choose(example: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            assert example is not None
            scores = near.to(example)
            some = best(scores, allowed, max(num, self.candidates))
            return [some[each] for each in self.pick(scores[some], near.among(some), num)]

        return choose


class Mmr(Diverse):
    """Maximal marginal relevance (Carbonell and Goldstein 1998, section 2): one row after the other, each with the
    highest lambda * (how near it is to the example) - (1 - lambda) * (how near it is to the nearest one taken before).

    Rows are as near to each other as the cosine of their vectors: with bm25, of what their words are worth.
    """

    kind = "mmr"

    weight: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, alias="lambda", description="1 looks at the example alone, 0 at the other rows alone"
    )

    def pick(self, near: Floats, among: Floats, num: int) -> list[int]:
        """The rows that are taken one after the other."""
        from promptkit.prompt.select.greedy import most_marginal  # noqa: PLC0415 - brings numpy

        return most_marginal(near, among, num, self.weight)


class Dpp(Diverse):
    """The likeliest set of a determinantal point process, built greedily (Chen et al. 2018, algorithm 1).

    Its kernel weighs quality against similarity as Ye et al. 2023 (CEIL, section 3.2) do: with r how near a row is to
    the example and S how near rows are to each other, both moved to [0, 1], L = q S q' and q = exp(r / (2 lambda)).
    Without training: r and S are those of `of`. Where a set cannot grow, as when all that is left repeats it, the nearest
    follow.
    """

    kind = "dpp"

    weight: Annotated[float, Field(gt=0)] = Field(
        default=0.1, alias="lambda", description="the smaller, the more it counts to be near the example"
    )

    def pick(self, near: Floats, among: Floats, num: int) -> list[int]:
        """The rows that are taken one after the other."""
        from promptkit.prompt.select.greedy import likeliest_set  # noqa: PLC0415 - brings numpy

        return likeliest_set(near, among, num, self.weight)
