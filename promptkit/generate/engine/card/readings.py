"""A pass as a card's programs take it: who reads which keys, cut into pieces of work of about one size.

A piece lets a few neighbouring tokens read one run of keys. A key is seen where its position is not after the token's, and
not before its window: that alone decides, since the keys of a run follow one another as text does. What each piece finds is
a line for each of its tokens, and a token's lines are merged by their log-sum-exp.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from promptkit.generate.engine.layout import Ints, Part, Pass, offsets
from promptkit.generate.engine.stretch import Slots, Stretch

__all__ = ["FIELDS", "Cut", "Holder", "Readings", "Run"]

Holder = Stretch | Slots  # what keys and values lie in
FIELDS = 8  # of a piece: holder, slot, place, keys, position of the first key, first token, tokens, first line


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How large a piece is at the most, in tokens that read and in keys that are read."""

    num_tokens: int
    num_keys: int


class Run(NamedTuple):
    """The packed tokens [first, last) read `num` keys of a holder, the first of which is the token at `position`."""

    holder: Holder
    slot: int
    place: int
    num: int
    position: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """All that one pass reads, and where its tokens' own keys and values go.

    `pieces` (N, FIELDS) are the work, of at most `most_tokens` tokens each; `lines` are the numbers of each token's lines, those of token t in
    [line_starts[t], line_starts[t + 1]); `homes` (T, 3) say the holder, the slot and the place of each token. Holders are
    numbered as in `holders`.
    """

    most_tokens: int
    holders: tuple[Holder, ...]
    homes: Ints
    pieces: Ints
    line_starts: Ints
    lines: Ints

    @classmethod
    def of(cls, forward: Pass, cut: Cut) -> Readings:
        """What a pass reads."""
        holders: dict[Holder, int] = {}
        pieces: list[tuple[int, ...]] = []
        num_lines = 0
        for run in runs_of(forward):
            number = holders.setdefault(run.holder, len(holders))
            for place, num, first, last in cut_run(run, forward.positions, cut):
                position = run.position + place - run.place
                pieces.append((number, run.slot, place, num, position, first, last - first, num_lines))
                num_lines += last - first
        made = np.array(pieces, np.int64).reshape(-1, FIELDS)
        token = np.repeat(made[:, 5] - made[:, 7], made[:, 6]) + np.arange(num_lines)  # of each line
        return cls(
            most_tokens=cut.num_tokens,
            holders=tuple(holders),
            homes=homes_of(forward, holders),
            pieces=made,
            line_starts=offsets(np.bincount(token, minlength=len(forward))),
            lines=np.argsort(token, kind="stable"),
        )


def cut_run(run: Run, positions: Sequence[int], cut: Cut) -> Iterator[tuple[int, int, int, int]]:
    """The run's pieces (place, keys, first token, last token), without those of which no token would see any key."""
    for first in range(run.first, run.last, cut.num_tokens):
        last = min(first + cut.num_tokens, run.last)
        seen = min(run.num, max(positions[first:last]) + 1 - run.position)
        for begin in range(0, seen, cut.num_keys):
            yield run.place + begin, min(cut.num_keys, seen - begin), first, last


def runs_of(forward: Pass) -> Iterator[Run]:
    """What the tokens of a pass read: stretches above them, the stretch that they are part of, their own slots."""
    for over in forward.over:
        yield Run(over.stretch, 0, 0, over.length, over.stretch.start, over.first, over.last)
    for grow in forward.grow:
        position = grow.stretch.start + grow.begin
        yield Run(grow.stretch, 0, grow.begin, grow.last - grow.first, position, grow.first, grow.last)
    for storage, part, first in forward.parts:
        yield from runs_of_part(storage, part, first)


def runs_of_part(storage: Slots, part: Part, first: int) -> Iterator[Run]:
    """What a slot's tokens read of it. Tokens that follow one another read the same runs, the last one up to themselves."""
    begun = 0
    for number in range(1, len(part.ranges) + 1):
        if number < len(part.ranges) and goes_on(part.ranges[number - 1], part.ranges[number]):
            continue
        for begin, end, position in part.ranges[number - 1]:
            yield Run(storage, part.slot, begin, end - begin, position, first + begun, first + number)
        begun = number


def goes_on(before: Sequence[tuple[int, int, int]], after: Sequence[tuple[int, int, int]]) -> bool:
    """Whether a token reads what the one before it reads, and then itself."""
    if len(before) != len(after) or before[:-1] != after[:-1]:
        return False
    begin, end, position = before[-1]
    return after[-1] == (begin, end + 1, position)


def homes_of(forward: Pass, holders: dict[Holder, int]) -> Ints:
    """Where the keys and values of each token go (T, 3): the holder's number, the slot, the place."""
    homes = np.zeros((len(forward), 3), np.int64)
    for grow in forward.grow:
        here = slice(grow.first, grow.last)
        homes[here, 0] = holders[grow.stretch]
        homes[here, 2] = np.arange(grow.begin, grow.begin + grow.last - grow.first)
    for storage, part, first in forward.parts:
        here = slice(first, first + len(part.places))
        homes[here, 0] = holders[storage]
        homes[here, 1] = part.slot
        homes[here, 2] = part.places
    return homes
