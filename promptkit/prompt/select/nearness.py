"""Nearness by vectors, and the choice of what is nearest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from promptkit.data import Example
from promptkit.prompt.pool import Pool

__all__ = ["Vectors", "best", "nearest_others"]

Floats = npt.NDArray[np.float32]
DECIMALS = 5  # of a cosine: the last bits differ between machines, and by what is computed beside it
BLOCK = 256  # examples whose cosines are computed at once


class Vectors:
    """Rows of a pool as vectors of length 1 (N, D), and what makes such a vector of an example."""

    def __init__(self, rows: Floats, known: dict[str, int], queries: Floats, read: Reader) -> None:
        self.rows = rows
        self._known = known  # a text's place among the queries
        self._queries = queries
        self._read = read
        self._block: tuple[int, Floats] | None = None  # the one that was asked for last: its number, its cosines

    @classmethod
    def of(
        cls,
        pool: Pool,
        text_of: Callable[[Example], str],
        embed: Callable[[Sequence[str]], Floats],
        *,
        is_standard: bool,
    ) -> Vectors:
        """The vectors of a pool's rows and of its queries, made in one go."""
        rows = [text_of(row) for row in pool.rows]
        queries = list(dict.fromkeys(text_of(row) for row in pool.queries))
        vectors = embed([*rows, *queries])
        read = Reader(text_of, embed, vectors[: len(rows)], is_standard=is_standard)
        known = {text: place for place, text in enumerate(queries)}
        return cls(read.scaled(vectors[: len(rows)]), known, read.scaled(vectors[len(rows) :]), read)

    def to(self, example: Example) -> Floats:
        """The cosine of each row with the example, (N,)."""
        place = self._known.get(self._read.text_of(example))
        if place is None:
            return (self.rows @ self._read.vector(example)).round(DECIMALS)
        number = place // BLOCK
        if self._block is None or self._block[0] != number:
            some = self._queries[number * BLOCK : (number + 1) * BLOCK]
            self._block = number, (some @ self.rows.T).round(DECIMALS)
        row: Floats = self._block[1][place % BLOCK]
        return row

    def among(self, numbers: Sequence[int]) -> Floats:
        """The cosines of these rows with each other, (n, n)."""
        some = self.rows[np.asarray(numbers, np.int64)]
        found: Floats = some @ some.T
        np.fill_diagonal(found, 1.0)
        return found

    def neighbours(self, num: int) -> npt.NDArray[np.int64]:
        """The numbers of the `num` rows nearest to each row, (N, num)."""
        found = []
        for first in range(0, len(self.rows), BLOCK):
            cosines = (self.rows[first : first + BLOCK] @ self.rows.T).round(DECIMALS)
            found += [nearest_others(line, first + place, num) for place, line in enumerate(cosines)]
        return np.array(found, np.int64).reshape(len(self.rows), -1)


class Reader:
    """Makes vectors of examples, on the scale of a pool's vectors (N, D)."""

    def __init__(
        self,
        text_of: Callable[[Example], str],
        embed: Callable[[Sequence[str]], Floats],
        pool: Floats,
        *,
        is_standard: bool,
    ) -> None:
        self.text_of = text_of
        self._embed = embed
        self._mean = pool.mean(axis=0, dtype=np.float64) if is_standard else np.zeros(1)
        deviation = pool.std(axis=0, dtype=np.float64) if is_standard else np.ones(1)
        self._deviation = np.where(deviation > 0, deviation, 1.0)

    def scaled(self, vectors: Floats) -> Floats:
        """The vectors (n, D) on the pool's scale, of length 1; one that is all zero stays so."""
        moved = (vectors - self._mean) / self._deviation
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        found: Floats = (moved / np.where(length > 0, length, 1.0)).astype(np.float32)
        return found

    def vector(self, example: Example) -> Floats:
        """The example's vector (D,)."""
        found: Floats = self.scaled(self._embed([self.text_of(example)]))[0]
        return found


def best(scores: npt.NDArray[Any], allowed: Sequence[int], num: int) -> list[int]:
    """The numbers of the `num` allowed rows with the highest scores (N,), the best first; ties in the order of the pool.

    >>> best(np.array([0.1, 0.9, 0.9, 0.5]), [0, 2, 3], 2)
    [2, 3]
    """
    inside = np.asarray(allowed, np.int64)
    num = min(num, len(inside))
    if not num:
        return []
    negative = -scores[inside]
    kept = np.flatnonzero(negative <= np.partition(negative, num - 1)[num - 1])
    order = kept[np.argsort(negative[kept], kind="stable")[:num]]
    chosen: list[int] = inside[order].tolist()
    return chosen


def nearest_others(scores: npt.NDArray[Any], itself: int, num: int) -> list[int]:
    """The `num` rows with the highest scores (N,) but for the row `itself`, the best first."""
    return [each for each in best(scores, range(len(scores)), num + 1) if each != itself][:num]
