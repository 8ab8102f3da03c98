"""In which order the chosen demonstrations stand. An order moves what was selected, and selects nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Protocol

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Selector
from promptkit.spec import Coordinates, Seam, StepDeclaration, kinds_of

__all__ = ["ORDER", "AnyOrder", "Arranger", "Order"]


class Arranger(Protocol):
    """What an order makes of a pool."""

    def __call__(self, example: Example | None, chosen: Sequence[int], /) -> Sequence[int]:
        """The chosen rows' numbers, which come best first, as they are to stand; the last stands before the query."""


class Order(StepDeclaration):
    """A way to put chosen rows in an order."""

    coordinates: ClassVar[Coordinates] = Coordinates(location="input", operator="concatenative")
    needs_example: ClassVar[bool] = False  # it cannot order once for all
    needs_options: ClassVar[bool] = False  # it asks the model what it would choose

    @property
    def asks_model(self) -> bool:
        """Whether it asks the model for anything."""
        return self.needs_options

    @abstractmethod
    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What puts rows of this pool in order."""

    def arranger_after(self, select: Selector, pool: Pool, seed: int) -> Arranger:
        """The same for rows that this selector chose; an order may go by what their ranks mean."""
        return self.arranger(pool, seed)


ORDER = Seam("order", "order", kinds_of("promptkit.prompt.order.kinds"))
AnyOrder = Annotated[Order, ORDER]
