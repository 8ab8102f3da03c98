"""Attention of a pass by the loops over tiles: what they are handed, and the room that they work in."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from promptkit.generate.engine.kernels import LOWEST
from promptkit.generate.engine.layout import Ints, Pass
from promptkit.generate.engine.pages import LARGE_PAGE
from promptkit.generate.engine.stretch import HeadShape, zeros_in_large_pages
from promptkit.generate.engine.tiles.attention import floats_of_scratch, halves_of_scratch
from promptkit.generate.engine.tiles.jobs import OwnJobs, SharedJobs
from promptkit.generate.engine.tiles.teamwork import new_counters
from promptkit.generate.engine.tiles.units import configuration

__all__ = ["RowShape", "attend_tiles", "bits", "desk_of", "row_shape"]


@dataclass(frozen=True, kw_only=True)
class RowShape:
    """How a token's row is laid out: query heads (K, G, D), then keys (K, D), then values (K, E)."""

    num_kept: int
    group: int
    key_size: int
    value_size: int

    @property
    def num_heads(self) -> int:
        """Query heads."""
        return self.num_kept * self.group

    @property
    def keys_at(self) -> int:
        """Where the keys begin."""
        return self.num_heads * self.key_size

    @property
    def values_at(self) -> int:
        """Where the values begin."""
        return self.keys_at + self.num_kept * self.key_size

    @property
    def stride(self) -> int:
        """The numbers of a row."""
        return self.values_at + self.num_kept * self.value_size

    @cached_property
    def numbers(self) -> Ints:
        """All of it, as the compiled loops take it."""
        sizes = (self.num_kept, self.group, self.key_size, self.value_size, self.keys_at, self.values_at)
        return np.array(sizes, np.int64)

    @cached_property
    def heads(self) -> HeadShape:
        """What is kept of a token."""
        return HeadShape(num_heads=self.num_kept, key_size=self.key_size, value_size=self.value_size)


def bits(tensor: torch.Tensor) -> Any:
    """A contiguous tensor of bfloat16 as the flat array of its bits."""
    return tensor.view(-1).view(torch.uint16).numpy()


class Desk:
    """What the loops over tiles work with in one pass, in all layers of one shape."""

    def __init__(self, forward: Pass, shape: RowShape) -> None:
        self.shared = SharedJobs(forward.over, shape.group)
        self.own = OwnJobs(forward, shape.group)
        self.positions = np.array(forward.positions, np.int64)
        num = len(forward)
        if shape not in forward.lent:
            forward.lent[shape] = scratch(shape)
        self.halves, self.floats = forward.lent[shape]
        self.sums = torch.empty(num * shape.num_heads * shape.value_size).numpy()
        self.tops = torch.empty(num, shape.num_heads).numpy()
        self.totals = torch.empty(num, shape.num_heads).numpy()
        if self.shared.num_tokens < num:  # what sees no stretch has no state, in any layer
            self.tops.fill(LOWEST)
        self.no_sinks = np.full(shape.num_heads, LOWEST, np.float32)


def scratch(shape: RowShape) -> tuple[Any, Any]:
    """Each thread's own room (P, ...) for halves and for floats; a row of scores a page, were the pages small."""
    threads = torch.get_num_threads()
    halves, floats = halves_of_scratch(shape.key_size // 32), floats_of_scratch(shape.value_size)
    memory = zeros_in_large_pages((max(LARGE_PAGE // 4, threads * (halves // 2 + floats)),), torch.float32)
    first, last = threads * floats, threads * (floats + halves // 2)
    return memory[first:last].view(torch.uint16).view(threads, -1).numpy(), memory[:first].view(threads, -1).numpy()


def desk_of(forward: Pass, shape: RowShape) -> Desk:
    """The pass's desk for layers of this shape."""
    if shape not in forward.kept:
        forward.kept[shape] = Desk(forward, shape)
    desk: Desk = forward.kept[shape]
    return desk


def attend_tiles(  # noqa: PLR0913 - the loops' own arguments
    forward: Pass,
    settings: Any,
    shape: RowShape,
    rows: torch.Tensor,
    out: torch.Tensor,
    *,
    is_packed: bool = False,
) -> None:
    """Writes the attention (T, K G E) of the packed tokens' rows (T, stride) to `out`, which may be a left side of tiles."""
    from promptkit.generate.engine.tiles.loops import attend_own, attend_shared  # noqa: PLC0415 - a stack needs none

    desk, numbers = desk_of(forward, shape), bits(rows)
    scale, softcap = np.float32(settings.scale), np.float32(settings.softcap or 0.0)
    room = (desk.halves, desk.floats, desk.sums, desk.tops, desk.totals)
    shared, own = desk.shared, desk.own
    if len(shared.firsts):
        attend_shared(
            configuration(),
            numbers,
            shape.stride,
            shape.numbers,
            *(shared.firsts, shared.lasts, shared.blocks, shared.chains),
            *shared.addresses(settings.layer),
            *(shared.lengths, shared.rooms, shared.starts, desk.positions),
            settings.window or 0,
            *(scale, softcap),
            new_counters(1, len(desk.halves)),
            *room,
        )
    sinks = desk.no_sinks if settings.sinks is None else settings.sinks.reshape(-1).contiguous().numpy()
    attend_own(
        configuration(),
        numbers,
        shape.stride,
        shape.numbers,
        *(own.firsts, own.blocks, own.keeps),
        *own.addresses(settings.layer, shape.heads, rows),
        *(own.rooms, own.places, own.range_starts, own.ranges(settings.window), sinks),
        *(scale, softcap),
        new_counters(1, len(desk.halves)),
        *room,
        is_packed,
        bits(out),
    )


@functools.lru_cache(maxsize=64)
def row_shape(num_kept: int, group: int, key_size: int, value_size: int) -> RowShape:
    """The shape with these sizes."""
    return RowShape(num_kept=num_kept, group=group, key_size=key_size, value_size=value_size)
