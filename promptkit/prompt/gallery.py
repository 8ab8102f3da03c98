"""The demonstrations of one step: chosen once for all examples or for each, put in order, and never what would leak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.labels import Deceived, Relabelling
from promptkit.prompt.leaks import Lookout
from promptkit.prompt.pool import Pool
from promptkit.prompt.shown import Choice, LeftOut

if TYPE_CHECKING:
    from promptkit.prompt.demonstrations import Demonstrations
    from promptkit.prompt.order.order import Arranger
    from promptkit.prompt.select.selector import Chooser

__all__ = ["Gallery"]

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What shows rows of a pool to examples. What was chosen once for all is kept by what had to be left out."""

    step: Demonstrations
    pool: Pool
    choose: Chooser
    arrange: Arranger
    lookout: Lookout
    relabelling: Relabelling | None
    chosen_once: dict[frozenset[int], Numbers] = field(default_factory=dict)
    arranged_once: dict[Numbers, Numbers] = field(default_factory=dict)

    @classmethod
    def of(cls, step: Demonstrations, pool: Pool) -> Gallery:
        """The gallery of a step over its pool."""
        relabelling = step.labels.relabelling(pool, step.seed) if step.labels else None
        pool = replace(pool, shown_of=step.text_of)
        if relabelling and pool.frozen:
            pool = replace(pool, frozen=Deceived(frozen=pool.frozen, relabelling=relabelling))
        return cls(
            step=step,
            pool=pool,
            choose=step.select.chooser(pool, step.seed),
            arrange=step.order.arranger_after(step.select, pool, step.seed),
            lookout=Lookout(step.leaks, pool),
            relabelling=relabelling,
        )

    def rows(self, example: Example) -> list[Example]:
        """The rows shown to `example`, in the order in which they stand. Raises `DataError` where too few are left."""
        return list(self.shown(example).rows)

    def shown(self, example: Example) -> Choice:
        """The rows shown to `example`, in the order in which they stand, and what was left out.

        A row that would leak is left out where it would be shown: what is chosen once for all stays the same for every
        example that loses nothing of it. Raises `DataError` where too few are left.
        """
        left_out = self.lookout.itself(example) if self.step.per_example else {}
        chosen = self.chosen(example, left_out)
        while more := self.lookout.among(example, chosen):
            left_out = {**left_out, **more}
            chosen = self.chosen(example, left_out)
        self.check_enough(example, chosen, left_out)
        arranged = self.arranged(example, chosen)
        rows = tuple(self.pool.rows[number] for number in arranged)
        rows, relabelled = self.relabelling.apply(rows) if self.relabelling else (rows, ())
        return Choice(
            rows=rows,
            ranks=tuple(map(chosen.index, arranged)),
            left_out=tuple(LeftOut(id=self.pool.rows[each].id, why=why) for each, why in left_out.items()),
            relabelled=relabelled,
        )

    def chosen(self, example: Example, left_out: Mapping[int, str]) -> Numbers:
        """The numbers of the rows, the best first, where some are left out."""
        key = frozenset(left_out)
        if not self.step.per_example and key in self.chosen_once:
            return self.chosen_once[key]
        numbers = range(len(self.pool.rows))
        allowed = [number for number in numbers if number not in key] if key else list(numbers)
        num = len(allowed) if self.step.take is None else self.step.take
        chosen = tuple(self.choose(example if self.step.per_example else None, allowed, num))
        if not key.isdisjoint(chosen):  # the loop that leaves rows out would not end
            raise DataError(f"select: {self.step.select.kind!r} names rows that are not among those it may choose from")
        if not self.step.per_example:
            self.chosen_once[key] = chosen
        return chosen

    def arranged(self, example: Example, chosen: Numbers) -> Numbers:
        """The same rows in order."""
        if self.step.per_example:
            return tuple(self.arrange(example, chosen))
        if chosen not in self.arranged_once:
            self.arranged_once[chosen] = tuple(self.arrange(None, chosen))
        return self.arranged_once[chosen]

    def check_enough(self, example: Example, chosen: Sequence[int], left_out: Mapping[int, str]) -> None:
        """Nothing; or `DataError` where there are fewer rows than are to be taken."""
        take = self.step.take
        if take is None or len(chosen) >= take:
            return
        names = ", ".join(f"{self.pool.rows[each].id!r} ({why})" for each, why in left_out.items())
        without = f" without {names}" if names else ""
        hint = "a smaller `take`, more rows, or `leaks: allow`" if names else "a smaller `take`, or more rows"
        rows = "is 1 row" if len(chosen) == 1 else f"are {len(chosen)} rows"
        raise DataError(
            f"{example.origin}: {take} demonstrations are to be taken, but there {rows}{without}\n    {hint}"
        )
