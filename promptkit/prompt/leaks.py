"""What would leak: rows of a pool that are the example itself, or nearly, and so hold its answer.

The targets are not looked at. A prompt that depended on its example's own answer would give it away by what it lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.data import Example
from promptkit.prompt.pool import Pool
from promptkit.prompt.words import numbers_of, words_of
from promptkit.spec import Declaration
from promptkit.spec.declaration import Count

__all__ = ["Leaks", "Lookout"]

Ngram = tuple[str, ...]

FEW_TEXTS = 5  # that may share n-grams without these being the words of a template
SHARE_OF_TEXTS = 50  # one in so many
SHARE_OF_EXAMPLES = 10  # one in so many shares an n-gram, and more need not be compared for it


class Leaks(Declaration):
    """Which rows of the pool are never shown to an example."""

    main: ClassVar[str | None] = "rule"

    rule: Literal["near", "same", "allow"] = Field(
        default="near",
        description="near: neither the example itself, nor a row with the same text, nor a near-duplicate; same: near-duplicates "
        "may be shown; allow: everything may, the example itself too",
    )
    ngram: Count = Field(
        default=8,
        description="near-duplicates are found by the word n-grams that they share; a text that has fewer n-grams than this "
        "number, those of a template aside, is only compared whole: one other word makes it another question",
    )
    overlap: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="the share of the shorter text's n-grams from which on two texts are near-duplicates; n-grams that "
        "many rows of the pool have (a template's) count for nothing, and texts with other numbers are other questions",
    )

    @model_validator(mode="after")
    def _is_used(self) -> Leaks:
        stray = [name for name in ("ngram", "overlap") if name in self.model_fields_set]
        if self.rule != "near" and stray:
            message = "`{name}` is for `rule: near`, and the rule is {rule}"
            raise PydanticCustomError("stray", message, {"name": stray[0], "rule": repr(self.rule), "at": (stray[0],)})
        return self


@dataclass(frozen=True)
class Wording:
    """A text as it is compared."""

    words: tuple[str, ...]
    num: int  # of an n-gram's words

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The text's numbers."""
        return numbers_of(self.words)

    @cached_property
    def ngrams(self) -> frozenset[Ngram]:
        """The text's n-grams; empty where it is shorter than one."""
        return frozenset(zip(*(self.words[start:] for start in range(self.num)), strict=False))


class Lookout:
    """What knows which rows of a pool an example must not be shown. Texts are read when they are first asked about."""

    def __init__(self, leaks: Leaks, pool: Pool) -> None:
        self.leaks = leaks
        self.pool = pool
        self._wordings: dict[int, Wording] = {}

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of each row by where it came from."""
        return {row.origin: number for number, row in enumerate(self.pool.rows)}

    def itself(self, example: Example) -> dict[int, str]:
        """The example's own row, where the pool has it, and why it is left out."""
        number = None if self.leaks.rule == "allow" else self.places.get(example.origin)
        return {} if number is None else {number: "itself"}

    def among(self, example: Example, numbers: Sequence[int]) -> dict[int, str]:
        """Those of the rows that would leak, each with the reason."""
        if self.leaks.rule == "allow" or not numbers:
            return {}
        asked = self.wording(example)
        found = ((number, self.reason(example, asked, number)) for number in numbers)
        return {number: reason for number, reason in found if reason}

    def pairs(self, examples: Sequence[Example]) -> Iterator[tuple[Example, int, str]]:
        """Each row of the pool that would leak: the first example that it would leak to, its number, and the reason.

        Texts are compared that share all words, or an n-gram; for one that many share, the first of these.
        """
        asked = [self.wording(example) for example in examples]
        index = indexed([(each.origin, text.words, *text.ngrams) for each, text in zip(examples, asked, strict=True)])
        for number, row in enumerate(self.pool.rows):
            known = self.wording_of(number)
            near = {place for key in (row.origin, known.words, *known.ngrams) for place in index.get(key, ())}
            for place in sorted(near):
                if self.leaks.rule != "allow" and (reason := self.reason(examples[place], asked[place], number)):
                    yield examples[place], number, reason
                    break

    def reason(self, example: Example, asked: Wording, number: int) -> str:
        """Why a row would leak; empty where it would not."""
        row = self.pool.rows[number]
        if row.origin == example.origin:
            return "itself"
        if without_id(row) == without_id(example):
            return "same fields"
        known = self.wording_of(number)
        if known.words == asked.words != ():
            return "same text"
        overlap = self.overlap(known, asked) if self.leaks.rule == "near" else 0.0
        return f"overlap {overlap:.2f}" if overlap else ""

    def overlap(self, one: Wording, other: Wording) -> float:
        """The share of the shorter text's n-grams that the longer has; 0 where that is below the threshold.

        It is reached by all n-grams, and by those alone that are not a template's, of which there are enough.
        """
        if one.numbers != other.numbers:
            return 0.0
        shared = one.ngrams & other.ngrams
        share = share_of(shared, one.ngrams, other.ngrams)
        if share < self.leaks.overlap:  # before the whole pool is read for what is a template's
            return 0.0
        own = [ngrams - self.common for ngrams in (one.ngrams, other.ngrams)]
        if min(map(len, own)) < self.leaks.ngram:
            return 0.0
        share = min(share, share_of(shared - self.common, *own))
        return share if share >= self.leaks.overlap else 0.0

    @cached_property
    def common(self) -> frozenset[Ngram]:
        """N-grams that so many different texts of the pool have that they are a template's words."""
        texts = {wording.words: wording for wording in map(self.wording_of, range(len(self.pool.rows)))}
        counts = Counter(ngram for wording in texts.values() for ngram in wording.ngrams)
        few = max(
            2, min(max(FEW_TEXTS, len(texts) // SHARE_OF_TEXTS), len(texts) // 2)
        )  # two: itself, and its duplicate
        return frozenset(ngram for ngram, count in counts.items() if count > few)

    def wording_of(self, number: int) -> Wording:
        """The text of a row, kept."""
        return self._wordings.get(number) or self._wordings.setdefault(number, self.wording(self.pool.rows[number]))

    def wording(self, row: Example) -> Wording:
        """The text of a row, as the prompt would ask about it."""
        return Wording(words_of(self.pool.text_of(row)), self.leaks.ngram)


def indexed(keys: Sequence[Sequence[Hashable]]) -> dict[Hashable, list[int]]:
    """The first places of each key, in order."""
    index: dict[Hashable, list[int]] = {}
    for place, each in enumerate(keys):
        for key in each:
            index.setdefault(key, []).append(place)
    most = max(FEW_TEXTS, len(keys) // SHARE_OF_EXAMPLES)
    return {key: places[:most] for key, places in index.items()}


def share_of(shared: frozenset[Ngram], one: frozenset[Ngram], other: frozenset[Ngram]) -> float:
    """The share of the smaller set that both have; 0 where that is empty."""
    fewer = min(len(one), len(other))
    return len(shared) / fewer if fewer else 0.0


def without_id(row: Example) -> dict[str, Any]:
    """The row's fields but for its id, which says nothing about what it asks."""
    return {name: value for name, value in row.fields.items() if name != "id"}
