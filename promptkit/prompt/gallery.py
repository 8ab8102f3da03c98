"""The demonstrations of one step: chosen once for all examples or for each, put in order, and never what would leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.pool import Pool

if TYPE_CHECKING:
    from promptkit.prompt.demonstrations import Demonstrations
    from promptkit.prompt.order.order import Arranger
    from promptkit.prompt.select.selector import Chooser

__all__ = ["Gallery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What shows rows of a pool to examples. What was chosen once for all is kept by what had to be left out."""

    step: Demonstrations
    pool: Pool
    choose: Chooser
    arrange: Arranger
    shared: dict[tuple[int, ...], Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, step: Demonstrations, pool: Pool) -> Gallery:
        """The gallery of a step over its pool."""
        return cls(
            step=step,
            pool=pool,
            choose=step.select.chooser(pool, step.seed),
            arrange=step.order.arranger(pool, step.seed),
        )

    def rows(self, example: Example) -> list[Example]:
        """The rows shown to `example`, in the order in which they stand; never the example itself.

        Raises `DataError` where too few are left.
        """
        left_out = tuple(number for number, row in enumerate(self.pool.rows) if is_same(row, example))
        if self.step.per_example:
            chosen = self.chosen(example, left_out)
        else:
            chosen = self.shared.get(left_out) or self.shared.setdefault(left_out, self.chosen(None, left_out))
        take = self.step.take
        if take is not None and len(chosen) < take:
            left = f"{len(chosen)} rows besides this one itself"
            raise DataError(f"{example.origin}: {take} demonstrations are to be taken, but there are {left}")
        return [self.pool.rows[number] for number in chosen]

    def chosen(self, example: Example | None, left_out: Sequence[int]) -> Sequence[int]:
        """The numbers of the rows, in order, where some are left out."""
        allowed = [number for number in range(len(self.pool.rows)) if number not in left_out]
        room = len(allowed) if self.step.take is None else self.step.take
        return self.arrange(example, self.choose(example, allowed, room))


def is_same(row: Example, example: Example) -> bool:
    """Whether two rows are one example: the same place in the same file, or the same fields, ids apart."""
    if row.origin == example.origin:
        return True
    return without_id(row) == without_id(example)


def without_id(row: Example) -> dict[str, Any]:
    """The row's fields but for its id, which says nothing about what it asks."""
    return {name: value for name, value in row.fields.items() if name != "id"}
