"""Completions from anywhere: the rows of a file or a log, each with its text and what is known beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from promptkit.align import Apart, Context
from promptkit.data import Names, Sample, open_samples
from promptkit.errors import DataError

__all__ = ["Given", "known_of", "read_given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A completion that somebody has: its row's id and place, its text, and what is known beside it."""

    id: str
    origin: str
    text: str
    known: Context

    @property
    def fields(self) -> Mapping[str, Any]:
        """The row's fields."""
        return self.known.fields

    def context(self, *, is_traced: bool = False) -> Context:
        """What the chain may know of it."""
        return replace(self.known, is_traced=is_traced)


def read_given(path: Path, field: str | None = None, limit: int | None = None) -> Iterator[Given]:
    """The completions of a file, as they come; without a `field`, of a log that is known by its shape, too.

    Raises `DataError` that names a row in which there is none.
    """
    names = Names() if field is None else Names(completion=field)
    for batch in open_samples(str(path), names, is_plain=field is not None).batches(limit):
        for sample in batch.samples():
            if not isinstance(sample, Sample):
                raise DataError(sample.reason)
            yield given(sample)


def given(sample: Sample) -> Given:
    """A sample as a completion that somebody has."""
    number = "" if sample.number is None else f"/{sample.number}"
    return Given(id=f"{sample.id}{number}", origin=sample.origin, text=sample.text, known=known_of(sample))


def known_of(sample: Sample, *, is_traced: bool = False) -> Context:
    """What a chain may know of a sample."""
    return Context(
        fields=sample.fields,
        prompt=sample.prompt,
        question=sample.question,
        ended=sample.ended,
        thinking=Apart(is_open=sample.thinking[0], end=sample.thinking[1]) if sample.thinking else None,
        is_traced=is_traced,
    )
