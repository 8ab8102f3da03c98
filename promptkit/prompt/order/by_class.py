"""An order in which the classes take turns."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.order.order import Arranger, Order
from promptkit.prompt.pool import Pool
from promptkit.text import known_names

__all__ = ["LabelBalanced"]


class LabelBalanced(Order):
    """The classes alternate, so that no label stands only at the end, which models lean towards (Zhao et al. 2021, section 4).

    Each class's rows are spread evenly, in the order in which they were selected; where there are as many of each, the
    classes alternate in the order in which they first come.
    """

    kind = "label_balanced"

    field: str | None = Field(default=None, description="the field that holds the class; the target if not given")

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What spreads the classes."""

        def arrange(_: Example | None, chosen: Sequence[int]) -> list[int]:
            classes: dict[str, list[int]] = {}
            for number in chosen:
                classes.setdefault(self.class_of(pool, pool.rows[number]), []).append(number)
            places = [
                ((rank + 0.5) / len(members), place, number)
                for place, members in enumerate(classes.values())
                for rank, number in enumerate(members)
            ]
            return [number for _, _, number in sorted(places)]

        return arrange

    def class_of(self, pool: Pool, row: Example) -> str:
        """The row's class, as text. Raises `DataError` where it has none."""
        if self.field is not None and self.field not in row.fields:
            hint = known_names(self.field, row.fields)
            raise DataError(f"{row.origin}: order: the row has no field {self.field!r}\n    {hint}")
        found = pool.target_of(row) if self.field is None else row.fields[self.field]
        if found is None:
            raise DataError(
                f"{row.origin}: order: `label_balanced` needs a class\n    `data.target`, or its own `field`"
            )
        return str(found)
