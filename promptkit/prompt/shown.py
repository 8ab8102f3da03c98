"""What an example was shown, and what it was not: small values that go into the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from promptkit.data import Example

__all__ = ["Choice", "LeftOut", "Relabelled", "Shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that would have been shown, and why it was not: `itself`, `same fields`, `same text`, `overlap 0.83`."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabelled:
    """A demonstration that is shown under another label than its own."""

    id: str
    label: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The rows that one step shows to an example, in order, with the rank that each was chosen at, 0 the best."""

    rows: tuple[Example, ...]
    ranks: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
    relabelled: tuple[Relabelled, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What all steps of a prompt showed: the demonstrations' ids in order, those left out, dropped, relabelled."""

    ids: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    dropped: tuple[str, ...] = ()
    relabelled: tuple[Relabelled, ...] = ()

    def to_json(self) -> dict[str, list[Any]]:
        """All of it as JSON values: the columns that a record has of it."""
        return {
            "demonstrations": list(self.ids),
            "left_out": [asdict(each) for each in self.left_out],
            "dropped": list(self.dropped),
            "relabelled": [asdict(each) for each in self.relabelled],
        }

    @classmethod
    def of(cls, whole: Iterable[Choice], kept: Iterable[Choice]) -> Shown:
        """What was shown of some choices, where `kept` is what fitted of each."""
        whole, kept = list(whole), list(kept)
        ids = tuple(row.id for choice in kept for row in choice.rows)
        return cls(
            ids=ids,
            left_out=tuple(each for choice in whole for each in choice.left_out),
            dropped=tuple(id_ for pair in zip(whole, kept, strict=True) for id_ in dropped_of(*pair)),
            relabelled=tuple(each for choice in kept for each in choice.relabelled),
        )


def dropped_of(whole: Choice, kept: Choice) -> list[str]:
    """The ids of the rows that did not fit, in the order in which they would have stood."""
    still = {row.id for row in kept.rows}
    return [row.id for row in whole.rows if row.id not in still]
