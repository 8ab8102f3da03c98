"""Orders by how near a demonstration is to the example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log, sqrt
from typing import ClassVar

from promptkit.data import Example
from promptkit.prompt.order.order import Arranger, Order
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Selector
from promptkit.prompt.words import words_of

__all__ = ["NearestFirst", "NearestLast", "Nearness"]

Weights = Mapping[str, float]


class NearestFirst(Order):
    """The nearest to the example first, farthest from the query.

    Near is what the selector ranks first, where it ranks by nearness; else what shares words with the example (cosine of
    tf-idf weights over the pool; equally near rows stand as they were selected).
    """

    kind = "nearest_first"
    needs_example: ClassVar[bool] = True

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by the words that they share with the example."""
        return by_words(Nearness(pool))

    def arranger_after(self, select: Selector, pool: Pool, seed: int) -> Arranger:
        """What leaves them as they are, where that is by nearness already."""
        return as_ranked if select.is_by_nearness else self.arranger(pool, seed)


class NearestLast(NearestFirst):
    """The nearest to the example last, next to the query (Liu et al. 2022, section 3). Near is as in `nearest_first`."""

    kind = "nearest_last"

    def arranger(self, pool: Pool, seed: int) -> Arranger:
        """What sorts them by the words that they share with the example, the nearest last."""
        return reversing(by_words(Nearness(pool)))

    def arranger_after(self, select: Selector, pool: Pool, seed: int) -> Arranger:
        """What turns them around, where they come by nearness already."""
        return reversing(as_ranked) if select.is_by_nearness else self.arranger(pool, seed)


def as_ranked(_: Example | None, chosen: Sequence[int]) -> Sequence[int]:
    """The rows as they were selected."""
    return chosen


def reversing(arrange: Arranger) -> Arranger:
    """What puts rows in the opposite order."""
    return lambda example, chosen: arrange(example, chosen)[::-1]


def by_words(nearness: Nearness) -> Arranger:
    """What puts the nearest first."""

    def arrange(example: Example | None, chosen: Sequence[int]) -> list[int]:
        assert example is not None
        asked = nearness.weights(words_of(nearness.pool.text_of(example)))
        return sorted(chosen, key=lambda number: -cosine(nearness.weights_of(number), asked))

    return arrange


@dataclass(frozen=True)
class Nearness:
    """The words of a pool's texts and what each weighs: its count in the text, times its rarity in the pool."""

    pool: Pool
    kept: dict[int, Weights] = field(default_factory=dict)

    @cached_property
    def words(self) -> Sequence[tuple[str, ...]]:
        """The words of each row's text."""
        return [words_of(self.pool.text_of(row)) for row in self.pool.rows]

    @cached_property
    def rarity(self) -> Mapping[str, float]:
        """Each word's log((1 + N) / (1 + n)) + 1, where n of the pool's N texts have it."""
        counts = Counter(word for words in self.words for word in set(words))
        return {word: log((1 + len(self.words)) / (1 + count)) + 1 for word, count in counts.items()}

    def weights(self, words: Sequence[str]) -> Weights:
        """A text's words with their weights, as a vector of length 1; a word that the pool has not counts as rarest."""
        rarest = log(1 + len(self.words)) + 1
        raw = {word: count * self.rarity.get(word, rarest) for word, count in Counter(words).items()}
        length = sqrt(sum(weight * weight for weight in raw.values()))
        return {word: weight / length for word, weight in raw.items()}

    def weights_of(self, number: int) -> Weights:
        """The weights of a row's text, kept."""
        if number not in self.kept:
            self.kept[number] = self.weights(self.words[number])
        return self.kept[number]


def cosine(one: Weights, other: Weights) -> float:
    """The product of two vectors, rounded so that the order of a sum's terms cannot part what is equally near."""
    return round(sum(weight * other[word] for word, weight in one.items() if word in other), 12)
