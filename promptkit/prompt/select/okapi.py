"""Nearness by BM25."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from promptkit.data import Example
from promptkit.prompt.select.nearness import nearest_others

if TYPE_CHECKING:
    from promptkit.prompt.select.bm25 import Bm25

__all__ = ["Okapi"]

Floats = npt.NDArray[np.float32]


class Okapi:
    """The words of a pool's rows, indexed: what each word of each row is worth, by word and by row."""

    def __init__(
        self, rows: Sequence[Sequence[str]], declared: Bm25, words_of: Callable[[Example], Sequence[str]]
    ) -> None:
        import bm25s  # noqa: PLC0415 - slow to import

        self._rows = rows
        self._words_of = words_of
        self._index = bm25s.BM25(k1=declared.k1, b=declared.b, method="lucene")
        if any(rows):  # the library cannot index nothing
            self._index.index([list(row) for row in rows], show_progress=False)
        self._by_row: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats] | None = None

    def to(self, example: Example) -> Floats:
        """Each row's BM25 for the example's words, (N,), as a share of the highest."""
        return self._shares(self._words_of(example))

    def among(self, numbers: Sequence[int]) -> Floats:
        """The cosines (n, n) of rows as vectors of what their words are worth in them."""
        starts, words, worth = self.by_row
        spans = [slice(starts[number], starts[number + 1]) for number in numbers]
        if not spans:
            return np.zeros((0, 0), np.float32)
        columns = np.unique(np.concatenate([words[span] for span in spans]))
        table = np.zeros((len(spans), len(columns)), np.float32)
        for line, span in zip(table, spans, strict=True):
            line[np.searchsorted(columns, words[span])] = worth[span]
        length = np.linalg.norm(table, axis=1, keepdims=True)
        table /= np.where(length > 0, length, 1.0)
        found: Floats = table @ table.T
        np.fill_diagonal(found, 1.0)
        return found

    def neighbours(self, num: int) -> npt.NDArray[np.int64]:
        """The numbers of the `num` rows with the highest BM25 for each row's words, (N, num)."""
        found = [nearest_others(self._shares(row), number, num) for number, row in enumerate(self._rows)]
        return np.array(found, np.int64).reshape(len(self._rows), -1)

    @property
    def by_row(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """Where each row begins (N + 1,) in its words and in what each is worth; made of the index by word once."""
        if self._by_row is None:
            num_rows = len(self._rows)
            kept = self._index.scores if any(self._rows) else {"data": [], "indices": [], "indptr": [0]}
            rows = np.asarray(kept["indices"], np.int64)
            counts = np.diff(np.asarray(kept["indptr"]).astype(np.int64)).astype(np.int64)
            words = np.repeat(np.arange(len(counts)), counts)
            order = np.argsort(rows, kind="stable")
            starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))]).astype(np.int64)
            self._by_row = starts, words[order], np.asarray(kept["data"], np.float32)[order]
        return self._by_row

    def _shares(self, words: Sequence[str]) -> Floats:
        """Each row's BM25 for these words as a share of the highest; zero where no row has any of them."""
        scores = np.zeros(len(self._rows), np.float32)
        known = [word for word in words if word in self._index.vocab_dict] if any(self._rows) else []
        if known:
            scores = np.asarray(self._index.get_scores(known), np.float32)
        top = float(scores.max(initial=0.0))
        return scores / np.float32(top) if top else scores
