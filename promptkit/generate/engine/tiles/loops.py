"""The loops over the jobs of attention, for models whose layers are not in one stack: each layer calls them.

What is handed on to the jobs is described there; `halves` and `floats` have a row for each thread, and `counters`, all
zero, are those of one phase (`teamwork`).
"""

from __future__ import annotations

from typing import Any

from numba import prange, types

from promptkit.generate.engine.kernels import compiled
from promptkit.generate.engine.tiles.attention import HALVES, INTS, NUMBERS, PAIRS, ROOM, do_keep, do_own, do_shared
from promptkit.generate.engine.tiles.teamwork import take_next
from promptkit.generate.engine.tiles.units import tile_release, tile_start

__all__ = ["attend_own", "attend_shared"]

SHARED = types.void(
    types.Array(types.uint8, 1, "C"),
    *(HALVES, types.int64, INTS),
    *(INTS, INTS, PAIRS, INTS),
    *(INTS, INTS, INTS, INTS, INTS, INTS),
    *(types.int64, types.float32, types.float32),
    INTS,
    *ROOM,
)
OWN = types.void(
    types.Array(types.uint8, 1, "C"),
    *(HALVES, types.int64, INTS),
    *(INTS, PAIRS, types.Array(types.boolean, 1, "C")),
    *(INTS, INTS, INTS, INTS, INTS, PAIRS),
    *(NUMBERS, types.float32, types.float32),
    INTS,
    *ROOM,
    *(types.boolean, HALVES),
)


@compiled(SHARED)
def attend_shared(
    config: Any,
    heads: Any,
    stride: Any,
    shape: Any,
    firsts: Any,
    lasts: Any,
    blocks: Any,
    chains: Any,
    keys: Any,
    values: Any,
    lengths: Any,
    rooms: Any,
    starts: Any,
    positions: Any,
    window: Any,
    scale: Any,
    softcap: Any,
    counters: Any,
    halves: Any,
    floats: Any,
    sums: Any,
    tops: Any,
    totals: Any,
) -> None:
    """Writes the state of attention over the stretches that runs of tokens share: all jobs of `do_shared`."""
    num_jobs = len(blocks) * shape[0]
    for thread in prange(halves.shape[0]):
        tile_start(config)
        while True:
            job = take_next(counters, 0, num_jobs, thread, halves.shape[0])
            if job < 0:
                break
            do_shared(
                job,
                heads,
                stride,
                shape,
                firsts,
                lasts,
                blocks,
                chains,
                keys,
                values,
                lengths,
                rooms,
                starts,
                positions,
                window,
                scale,
                softcap,
                halves[thread],
                floats[thread],
                sums,
                tops,
                totals,
            )
        tile_release()


@compiled(OWN)
def attend_own(
    config: Any,
    heads: Any,
    stride: Any,
    shape: Any,
    firsts: Any,
    blocks: Any,
    keeps: Any,
    keys: Any,
    values: Any,
    rooms: Any,
    places: Any,
    range_starts: Any,
    ranges: Any,
    sinks: Any,
    scale: Any,
    softcap: Any,
    counters: Any,
    halves: Any,
    floats: Any,
    sums: Any,
    tops: Any,
    totals: Any,
    is_packed: Any,
    out: Any,
) -> None:
    """Keeps the tokens' keys and values, and writes the attention over everything: all jobs of `do_keep` and `do_own`."""
    for job in prange(len(keys) * shape[0]):
        do_keep(job, heads, stride, shape, firsts, keeps, keys, values, rooms, places)
    num_threads, num_jobs = halves.shape[0], len(blocks) * shape[0]
    for thread in prange(num_threads):
        tile_start(config)
        while True:
            job = take_next(counters, 0, num_jobs, thread, halves.shape[0])
            if job < 0:
                break
            do_own(
                job,
                heads,
                stride,
                shape,
                firsts,
                blocks,
                keeps,
                keys,
                values,
                rooms,
                places,
                range_starts,
                ranges,
                sinks,
                scale,
                softcap,
                halves[thread],
                floats[thread],
                sums,
                tops,
                totals,
                is_packed,
                out,
            )
        tile_release()
