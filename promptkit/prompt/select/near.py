"""Choices by how near a row is to the example: what is near is one seam's work, what is done with it another's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by import at_row
from promptkit.prompt.select.selector import SELECT, Chooser, Per, Selector
from promptkit.spec import Template

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["AnyNearSelector", "NearSelector", "Nearness", "text_reader"]


class Nearness(Protocol):
    """How near the rows of a pool are to examples, and to each other: 1 is the same."""

    def to(self, example: Example) -> npt.NDArray[np.float32]:
        """How near each row of the pool is to the example, (N,); rounded, so that machines agree about ties."""

    def among(self, numbers: Sequence[int]) -> npt.NDArray[np.float32]:
        """How near these rows are to each other, (n, n): symmetric, positive semi-definite, 1 on the diagonal."""

    def neighbours(self, num: int) -> npt.NDArray[np.int64]:
        """The numbers of the `num` rows that are nearest to each row, (N, num); never the row itself."""


class NearSelector(Selector):
    """A selector that goes by nearness. By itself it takes the nearest, ties in the order of the pool."""

    per: ClassVar[Per] = "example"
    needs_example: ClassVar[bool] = True
    is_by_nearness: ClassVar[bool] = True

    @abstractmethod
    def nearness(self, pool: Pool) -> Nearness:
        """How near the rows of this pool are."""

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes the nearest."""
        from promptkit.prompt.select.nearness import best  # noqa: PLC0415 - brings numpy

        near = self.nearness(pool)

        def choose(example: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            assert example is not None
            return best(near.to(example), allowed, num)

        return choose


def text_reader(by: Template | None, pool: Pool) -> Callable[[Example], str]:
    """What gives the text of a row that is compared."""
    return pool.text_of if by is None else lambda row: str(at_row(by, row))


def check_is_near(selector: Selector) -> NearSelector:
    """The selector. Raises pydantic's error for one that knows no nearness."""
    if isinstance(selector, NearSelector):
        return selector
    message = "{kind} does not say how near rows are"
    raise PydanticCustomError("not_near", message, {"kind": repr(selector.kind), "hint": "`knn` or `bm25`"})


AnyNearSelector = Annotated[Selector, SELECT, AfterValidator(check_is_near)]
