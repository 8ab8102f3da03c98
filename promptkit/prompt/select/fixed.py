"""`fixed`: the rows that a file names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Chooser, Selector

__all__ = ["Fixed"]


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
        named = pool.named(self.ids, "select: fixed")

        def choose(_: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            inside = frozenset(allowed)
            return [each for each in named if each in inside][:num]

        return choose
