"""`fixed`: the rows that a file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Chooser, Selector
from promptkit.text import nearest

__all__ = ["Fixed"]

MAX_SHOWN = 10  # ids of the pool in a message


class Fixed(Selector):
    """The rows with these ids, in this order: as a paper prints its exemplars."""

    kind = "fixed"
    main: ClassVar[str | None] = "ids"

    ids: tuple[str, ...] = Field(min_length=1, description="the ids of rows of the pool, the best first")

    @field_validator("ids", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple(str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in value)

    @field_validator("ids", mode="after")
    @classmethod
    def _stand_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((each for place, each in enumerate(value) if each in value[:place]), None)
        if twice is not None:
            raise PydanticCustomError("twice", "the id {id} stands here twice", {"id": repr(str(twice))})
        return value

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes the named rows that may be shown. Raises `DataError` for ids that the pool does not have."""
        numbers = {row.id: number for number, row in enumerate(pool.rows)}
        unknown = [each for each in self.ids if each not in numbers]
        if unknown:
            raise DataError(f"select: fixed: {unknown_ids(unknown, list(numbers))}")
        named = [numbers[each] for each in self.ids]

        def choose(_: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            inside = frozenset(allowed)
            return [each for each in named if each in inside][:num]

        return choose


def unknown_ids(unknown: Sequence[str], known: Sequence[str]) -> str:
    """What is said of ids that no row has: each with the nearest there is; some of those that there are.

    >>> print(unknown_ids(["a-11"], ["a-1", "b-7"]))
    the pool has no row with the id 'a-11' (did you mean 'a-1'?)
        known: a-1, b-7
    """
    told = [repr(each) + (f" (did you mean {close!r}?)" if (close := nearest(each, known)) else "") for each in unknown]
    more = f", ... ({len(known):,} in all)" if len(known) > MAX_SHOWN else ""
    return f"the pool has no row with the id {', '.join(told)}\n    known: {', '.join(known[:MAX_SHOWN])}{more}"
