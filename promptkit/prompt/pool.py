"""The rows that demonstrations may be chosen from, and all that a choice may go by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from promptkit.data import Example
from promptkit.errors import DataError, ModelError
from promptkit.text import nearest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Frozen", "Pool"]

MAX_SHOWN = 10  # ids in a message


class Frozen(Protocol):
    """The frozen model, as far as a choice of demonstrations may ask it. Its answers are kept in the store."""

    def embed(self, texts: Sequence[str], layers: Sequence[int]) -> npt.NDArray[np.float32]:
        """The texts as vectors (N, L * D) of length 1: the hidden states of each layer, averaged over the tokens.

        Where no layer is named, the model says which.
        """

    def embed_with(self, name: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The same by a model of sentence-transformers, (N, D)."""

    def choices(self, asked: Sequence[tuple[Sequence[Example], Example]]) -> list[list[float]]:
        """For each pair of demonstrations and example: the log-likelihood of each of `choose`'s options after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The rows of a pool and what is known beside them.

    `queries` are the examples that are asked about. `text_of` is what is compared where rows are near or far: the query as
    the prompt puts it. `target_of` is what a right answer to a row is, None where nobody says. `shown_of` is a row as a
    demonstration, its label unchanged. `frozen` is None where no model is at hand.
    """

    rows: Sequence[Example]
    queries: Sequence[Example] = ()
    text_of: Callable[[Example], str] = lambda row: str(dict(row.fields))
    target_of: Callable[[Example], Any] = lambda _: None
    shown_of: Callable[[Example], str] = lambda row: str(dict(row.fields))
    frozen: Frozen | None = None

    def named(self, ids: Sequence[str], who: str) -> list[int]:
        """The numbers of the rows with these ids. Raises `DataError`, which begins with `who`, where some are not there."""
        numbers = {row.id: number for number, row in enumerate(self.rows)}
        unknown = [each for each in ids if each not in numbers]
        if unknown:
            raise DataError(f"{who}: {unknown_ids(unknown, list(numbers))}")
        return [numbers[each] for each in ids]

    def others(self, example: Example) -> list[int]:
        """The numbers of the rows that are not the example itself."""
        return [number for number, row in enumerate(self.rows) if row.origin != example.origin]

    @property
    def asked(self) -> Frozen:
        """The model, to be asked. Raises `ModelError` where none is at hand."""
        if self.frozen is None:
            raise ModelError("the choice of demonstrations asks the model, and there is none here that may be asked")
        return self.frozen


def unknown_ids(unknown: Sequence[str], known: Sequence[str]) -> str:
    """What is said of ids that no row has: each with the nearest there is; some of those that there are.

    >>> print(unknown_ids(["a-11"], ["a-1", "b-7"]))
    the pool has no row with the id 'a-11' (did you mean 'a-1'?)
        known: a-1, b-7
    """
    told = [repr(each) + (f" (did you mean {close!r}?)" if (close := nearest(each, known)) else "") for each in unknown]
    more = f", ... ({len(known):,} in all)" if len(known) > MAX_SHOWN else ""
    return f"the pool has no row with the id {', '.join(told)}\n    known: {', '.join(known[:MAX_SHOWN])}{more}"
