"""A pass as the loops over tiles read it: runs of tokens that see the same stretches, and the parts that keep tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from promptkit.generate.engine.layout import Grow, Ints, Over, Own, Pass, offsets, seen_ranges
from promptkit.generate.engine.stretch import HeadShape
from promptkit.generate.engine.tiles.attention import QUERIES

__all__ = ["OwnJobs", "SharedJobs"]


def blocks_of(counts: Ints) -> Ints:
    """The jobs (j, 2) of runs with so many queries each: the run, and which of its blocks of queries.

    >>> blocks_of(np.array([40, 3])).tolist()
    [[0, 0], [0, 1], [1, 0]]
    """
    num = -(-counts // QUERIES)
    run = np.repeat(np.arange(len(counts)), num)
    return np.ascontiguousarray(np.stack([run, np.arange(len(run)) - offsets(num)[run]], axis=1))


class SharedJobs:
    """Runs of tokens [first, last), each with the stretches that all its tokens see."""

    def __init__(self, overs: Sequence[Over], group: int) -> None:
        cuts = sorted({cut for over in overs for cut in (over.first, over.last)})
        place = {cut: number for number, cut in enumerate(cuts)}
        chains: list[list[Over]] = [[] for _ in cuts[1:]]
        for over in overs:
            for number in range(place[over.first], place[over.last]):
                chains[number].append(over)
        runs = [number for number, chain in enumerate(chains) if chain]
        self.overs = [over for number in runs for over in chains[number]]
        self.firsts = np.array([cuts[number] for number in runs], np.int64)
        self.lasts = np.array([cuts[number + 1] for number in runs], np.int64)
        self.chains = offsets(len(chains[number]) for number in runs)
        self.blocks = blocks_of((self.lasts - self.firsts) * group)
        self.lengths = np.array([over.length for over in self.overs], np.int64)
        self.rooms = np.array([over.stretch.room for over in self.overs], np.int64)
        self.starts = np.array([over.stretch.start for over in self.overs], np.int64)

    @property
    def num_tokens(self) -> int:
        """How many tokens see any stretch."""
        return int((self.lasts - self.firsts).sum())

    def addresses(self, layer: int) -> tuple[Ints, Ints]:
        """Where the stretches' keys and values of a layer lie."""
        keys = [over.stretch.keys[layer].data_ptr() for over in self.overs]
        return np.array(keys, np.int64), np.array(
            [over.stretch.values[layer].data_ptr() for over in self.overs], np.int64
        )

    def all_addresses(self, num_layers: int) -> tuple[Ints, Ints]:
        """The same of all layers, (L, c) each."""
        every = [self.addresses(layer) for layer in range(num_layers)]
        return np.stack([keys for keys, _ in every]), np.stack([values for _, values in every])


class OwnJobs:
    """Parts of a pass that keep their tokens' keys and values: of stretches that grow, and of slots."""

    def __init__(self, forward: Pass, group: int) -> None:
        self.grows = forward.grow
        owns = [forward.fresh.own] if forward.fresh else []
        self.owns: list[Own] = [*owns, *([forward.own] if forward.own else [])]
        firsts = [np.array([grow.first for grow in self.grows], np.int64)]
        firsts += [own.starts[:-1] + own.first for own in self.owns]
        self.firsts = np.append(np.concatenate(firsts), len(forward))
        self.counts = np.diff(self.firsts)
        self.blocks = blocks_of(self.counts * group)
        self.keeps = self.counts * group <= QUERIES
        places = [np.arange(grow.begin, grow.begin + grow.last - grow.first) for grow in self.grows]
        self.places = np.concatenate([*places, *(own.places for own in self.owns)])
        rooms = [np.array([grow.stretch.room for grow in self.grows], np.int64)]
        rooms += [np.full(len(own.slots), own.storage.room) for own in self.owns]
        self.rooms = np.concatenate(rooms)
        self._positions = np.array(forward.positions, np.int64)
        self._spans = np.concatenate([*map(spans_of, self.grows), *(own.spans for own in self.owns)])
        num_ranges = [np.ones(grow.last - grow.first, np.int64) for grow in self.grows]
        num_ranges += [np.diff(own.range_starts) for own in self.owns]
        self.range_starts = offsets(np.concatenate(num_ranges))
        self._ranges: dict[int | None, Ints] = {}

    def ranges(self, window: int | None) -> Ints:
        """What each token sees in its own room (N, 2), no further back than a window of so many tokens."""
        if window not in self._ranges:
            self._ranges[window] = seen_ranges(self._spans, self.range_starts, self._positions, window)
        return self._ranges[window]

    def addresses(self, layer: int, shape: HeadShape, like: torch.Tensor) -> tuple[Ints, Ints]:
        """Where the parts' room for keys and values of a layer begins."""
        grown = [grow.stretch.tiles(layer, shape, like) for grow in self.grows]
        keys = [np.array([pair[0].data_ptr() for pair in grown], np.int64)]
        values = [np.array([pair[1].data_ptr() for pair in grown], np.int64)]
        for own in self.owns:
            pair = own.storage.layer(layer, shape, like)
            for tensor, addresses in zip(pair, (keys, values), strict=True):
                addresses.append(tensor.data_ptr() + own.slots * (tensor.stride(0) * tensor.element_size()))
        return np.concatenate(keys), np.concatenate(values)

    def all_addresses(self, num_layers: int, shape: HeadShape, like: torch.Tensor) -> tuple[Ints, Ints]:
        """The same of all layers, (L, J) each."""
        every = [self.addresses(layer, shape, like) for layer in range(num_layers)]
        return np.stack([keys for keys, _ in every]), np.stack([values for _, values in every])


def spans_of(grow: Grow) -> Ints:
    """What each new token of a stretch sees of those that come with it: (from, to, position of `from`)."""
    num = grow.last - grow.first
    ends = np.arange(grow.begin + 1, grow.begin + 1 + num)
    return np.stack([np.full(num, grow.begin), ends, np.full(num, grow.stretch.start + grow.begin)], axis=1)
