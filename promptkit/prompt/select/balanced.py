"""`balanced`: as many rows of each class."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by import By, at_row
from promptkit.prompt.select.selector import Chooser, Selector, seeded_order

__all__ = ["Balanced"]


class Balanced(Selector):
    """One row of each class after the other, each drawn by the seed, so that no class has two more than another.

    The seed decides in which order the classes come, too. A class without rows left is passed over. Class imbalance of
    demonstrations sways a model towards the frequent one (Zhao et al. 2021, section 3).
    """

    kind = "balanced"
    main: ClassVar[str | None] = "by"

    by: By | None = Field(
        default=None, description="a row's class, as a template over its fields; its target if not given"
    )

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What takes rows of each class in turn. Raises `DataError` for a row without a class."""
        classes: dict[str, list[int]] = {}
        for number in seeded_order(pool.rows, seed, "balanced"):
            classes.setdefault(self.class_of(pool, pool.rows[number]), []).append(number)
        ordered = [classes[name] for name in sorted(classes, key=lambda name: drawn(seed, name))]

        def choose(_: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            inside = frozenset(allowed)
            return list(in_turn([[each for each in rows if each in inside] for rows in ordered]))[:num]

        return choose

    def class_of(self, pool: Pool, row: Example) -> str:
        """A row's class, as text."""
        found = at_row(self.by, row, as_value=True) if self.by else pool.target_of(row)
        if found is None:
            raise DataError(f"{row.origin}: select: balanced: the row has no target\n    `by:` says what its class is")
        return json.dumps(found, default=str, sort_keys=True)


def drawn(seed: int, name: str) -> bytes:
    """What classes are sorted by."""
    return hashlib.sha256(f"{seed}\0class\0{name}".encode()).digest()


def in_turn(groups: Sequence[Sequence[int]]) -> Iterator[int]:
    """One of each group, then the next of each; a group that is at its end is passed over.

    >>> list(in_turn([[1, 2, 3], [7]]))
    [1, 7, 2, 3]
    """
    for place in range(max(map(len, groups), default=0)):
        yield from (group[place] for group in groups if place < len(group))
