"""All decoder blocks of the usual kind in one call: between its steps nothing waits for Python.

A block is ten phases, each cut into jobs that the threads take as they come: see `teamwork`.
"""

from __future__ import annotations

from typing import Any

from numba import njit, prange, types

from promptkit.generate.engine.kernels import compiled
from promptkit.generate.engine.tiles.attention import (
    HALVES,
    INTS,
    NUMBERS,
    PAIRS,
    ROOM,
    TABLE,
    do_keep,
    do_own,
    do_shared,
)
from promptkit.generate.engine.tiles.products import ADDED, GATED, ROWS, do_product, num_products
from promptkit.generate.engine.tiles.rows import norm, rotation
from promptkit.generate.engine.tiles.teamwork import has_done, take_next, wait_for
from promptkit.generate.engine.tiles.units import tile_release, tile_start

__all__ = ["PHASES", "run_layers"]

PHASES = 10  # of a block
FEW_ROWS = 8  # normed or turned in one job

CONFIG = types.Array(types.uint8, 1, "C")
ROW_TABLE, LEFT, WEIGHTS = (types.Array(types.uint16, ndim, "C") for ndim in (2, 4, 6))
SIGNATURE = types.void(
    CONFIG,
    *(ROW_TABLE, ROW_TABLE, ROW_TABLE),
    *(types.Array(types.uint16, 3, "C"), types.float32),
    *(WEIGHTS, ROW_TABLE, WEIGHTS, ROW_TABLE, WEIGHTS, WEIGHTS),
    *(LEFT, HALVES, LEFT, LEFT),
    *(INTS, INTS, INTS, types.float32),
    *(INTS, INTS, PAIRS, INTS, PAIRS, PAIRS, INTS, INTS, INTS, INTS),
    *(INTS, PAIRS, types.Array(types.boolean, 1, "C"), PAIRS, PAIRS, INTS, INTS, INTS),
    types.Array(types.int64, 3, "C"),
    *(NUMBERS, INTS),
    *ROOM,
    TABLE,
)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def do_layers(
    thread: Any,
    hidden: Any,
    cos: Any,
    sin: Any,
    norms: Any,
    epsilon: Any,
    to_heads: Any,
    heads_bias: Any,
    from_heads: Any,
    from_bias: Any,
    to_gates: Any,
    from_gates: Any,
    normed: Any,
    rows: Any,
    mixed: Any,
    gated: Any,
    shape: Any,
    windows: Any,
    which: Any,
    scale: Any,
    run_firsts: Any,
    run_lasts: Any,
    run_blocks: Any,
    chains: Any,
    shared_keys: Any,
    shared_values: Any,
    lengths: Any,
    shared_rooms: Any,
    starts: Any,
    positions: Any,
    firsts: Any,
    blocks: Any,
    keeps: Any,
    own_keys: Any,
    own_values: Any,
    own_rooms: Any,
    places: Any,
    range_starts: Any,
    ranges: Any,
    sinks: Any,
    counters: Any,
    halves: Any,
    floats: Any,
    sums: Any,
    tops: Any,
    totals: Any,
    block_sums: Any,
) -> None:
    """One thread's part of `run_layers`."""
    num_rows, size = hidden.shape
    stride, gates, num_threads = len(rows) // num_rows, gated.shape[1] * 32, halves.shape[0]
    flat, flat_normed = hidden.reshape(num_rows * size), normed.reshape(normed.size)
    flat_mixed, flat_gated = mixed.reshape(mixed.size), gated.reshape(gated.size)
    mine, own_halves, own_floats = block_sums[thread], halves[thread], floats[thread]
    nothing, none = own_floats[:0], shape[:0]
    row_jobs = (num_rows + FEW_ROWS - 1) // FEW_ROWS
    keep_jobs, shared_jobs, own_jobs = len(firsts) - 1, len(run_blocks), len(blocks)
    if not keeps.all():
        keep_jobs *= shape[0]
    else:
        keep_jobs = 0
    for layer in range(len(norms)):
        phase = layer * PHASES
        num_jobs = row_jobs
        job = take_next(counters, phase, num_jobs, thread, num_threads)
        while job >= 0:
            first = job * FEW_ROWS
            norm(hidden, norms[layer, 0], epsilon, first, min(first + FEW_ROWS, num_rows), flat_normed)
            has_done(counters, phase, num_threads)
            job = take_next(counters, phase, num_jobs, thread, num_threads)
        wait_for(counters, phase, num_jobs, num_threads)
        num_jobs = num_products(to_heads[layer], num_rows, num_threads)
        job = take_next(counters, phase + 1, num_jobs, thread, num_threads)
        while job >= 0:
            do_product(
                job,
                ROWS,
                normed,
                to_heads[layer],
                heads_bias[layer],
                num_rows,
                stride,
                num_threads,
                mine,
                rows,
                none,
                nothing,
                nothing,
            )
            has_done(counters, phase + 1, num_threads)
            job = take_next(counters, phase + 1, num_jobs, thread, num_threads)
        wait_for(counters, phase + 1, num_jobs, num_threads)
        num_jobs = row_jobs
        job = take_next(counters, phase + 2, num_jobs, thread, num_threads)
        while job >= 0:
            first = job * FEW_ROWS
            rotation(rows, stride, shape, cos, sin, first, min(first + FEW_ROWS, num_rows))
            has_done(counters, phase + 2, num_threads)
            job = take_next(counters, phase + 2, num_jobs, thread, num_threads)
        wait_for(counters, phase + 2, num_jobs, num_threads)
        num_jobs = keep_jobs
        job = take_next(counters, phase + 3, num_jobs, thread, num_threads)
        while job >= 0:
            do_keep(job, rows, stride, shape, firsts, keeps, own_keys[layer], own_values[layer], own_rooms, places)
            has_done(counters, phase + 3, num_threads)
            job = take_next(counters, phase + 3, num_jobs, thread, num_threads)
        wait_for(counters, phase + 3, num_jobs, num_threads)
        num_jobs = shared_jobs * shape[0]
        job = take_next(counters, phase + 4, num_jobs, thread, num_threads)
        while job >= 0:
            do_shared(
                job, rows, stride, shape, run_firsts, run_lasts, run_blocks, chains, shared_keys[layer],
                shared_values[layer], lengths, shared_rooms, starts, positions, windows[layer], scale, 0.0, own_halves,
                own_floats, sums, tops, totals,
            )  # fmt: skip
            has_done(counters, phase + 4, num_threads)
            job = take_next(counters, phase + 4, num_jobs, thread, num_threads)
        wait_for(counters, phase + 4, num_jobs, num_threads)
        num_jobs = own_jobs * shape[0]
        job = take_next(counters, phase + 5, num_jobs, thread, num_threads)
        while job >= 0:
            do_own(
                job, rows, stride, shape, firsts, blocks, keeps, own_keys[layer], own_values[layer],
                own_rooms, places, range_starts, ranges[which[layer]], sinks, scale, 0.0, own_halves, own_floats, sums,
                tops, totals, True, flat_mixed,
            )  # fmt: skip
            has_done(counters, phase + 5, num_threads)
            job = take_next(counters, phase + 5, num_jobs, thread, num_threads)
        wait_for(counters, phase + 5, num_jobs, num_threads)
        num_jobs = num_products(from_heads[layer], num_rows, num_threads)
        job = take_next(counters, phase + 6, num_jobs, thread, num_threads)
        while job >= 0:
            do_product(
                job,
                ADDED,
                mixed,
                from_heads[layer],
                from_bias[layer],
                num_rows,
                size,
                num_threads,
                mine,
                flat,
                none,
                nothing,
                nothing,
            )
            has_done(counters, phase + 6, num_threads)
            job = take_next(counters, phase + 6, num_jobs, thread, num_threads)
        wait_for(counters, phase + 6, num_jobs, num_threads)
        num_jobs = row_jobs
        job = take_next(counters, phase + 7, num_jobs, thread, num_threads)
        while job >= 0:
            first = job * FEW_ROWS
            norm(hidden, norms[layer, 1], epsilon, first, min(first + FEW_ROWS, num_rows), flat_normed)
            has_done(counters, phase + 7, num_threads)
            job = take_next(counters, phase + 7, num_jobs, thread, num_threads)
        wait_for(counters, phase + 7, num_jobs, num_threads)
        num_jobs = num_products(to_gates[layer], num_rows, num_threads)
        job = take_next(counters, phase + 8, num_jobs, thread, num_threads)
        while job >= 0:
            do_product(
                job,
                GATED,
                normed,
                to_gates[layer],
                from_bias[layer][:0],
                num_rows,
                gates,
                num_threads,
                mine,
                flat_gated,
                none,
                nothing,
                nothing,
            )
            has_done(counters, phase + 8, num_threads)
            job = take_next(counters, phase + 8, num_jobs, thread, num_threads)
        wait_for(counters, phase + 8, num_jobs, num_threads)
        num_jobs = num_products(from_gates[layer], num_rows, num_threads)
        job = take_next(counters, phase + 9, num_jobs, thread, num_threads)
        while job >= 0:
            do_product(
                job,
                ADDED,
                gated,
                from_gates[layer],
                from_bias[layer][:0],
                num_rows,
                size,
                num_threads,
                mine,
                flat,
                none,
                nothing,
                nothing,
            )
            has_done(counters, phase + 9, num_threads)
            job = take_next(counters, phase + 9, num_jobs, thread, num_threads)
        wait_for(counters, phase + 9, num_jobs, num_threads)


@compiled(SIGNATURE)
def run_layers(
    config: Any,
    hidden: Any,  # (T, C), read and written
    cos: Any,  # (T, R)
    sin: Any,
    norms: Any,  # (L, 2, C): the weights of each block's two norms
    epsilon: Any,
    to_heads: Any,  # (L, N / 32, C / 32, 2, 16, 32), as are all weights, with their own sizes
    heads_bias: Any,  # (L, N), or (L, 0) where there is none
    from_heads: Any,
    from_bias: Any,  # (L, C), or (L, 0)
    to_gates: Any,
    from_gates: Any,
    normed: Any,  # a left side of C columns: room for what blocks hand on inside
    rows: Any,  # flat (T, N)
    mixed: Any,  # a left side of K G E columns
    gated: Any,  # a left side of I columns
    shape: Any,  # (6,) int64: see `do_own`
    windows: Any,  # (L,) int64: how far back a token sees; 0 for all the way
    which: Any,  # (L,) int64: the place of its window's ranges
    scale: Any,
    run_firsts: Any,  # what `do_shared` takes, with addresses for each layer
    run_lasts: Any,
    run_blocks: Any,
    chains: Any,
    shared_keys: Any,  # (L, c)
    shared_values: Any,  # (L, c)
    lengths: Any,
    shared_rooms: Any,
    starts: Any,
    positions: Any,
    firsts: Any,  # what `do_own` takes, with addresses for each layer
    blocks: Any,
    keeps: Any,
    own_keys: Any,  # (L, J)
    own_values: Any,  # (L, J)
    own_rooms: Any,
    places: Any,
    range_starts: Any,
    ranges: Any,  # (W, N, 2): for each window
    sinks: Any,
    counters: Any,  # int64, zero, of PHASES for each layer: see `teamwork`
    halves: Any,
    floats: Any,
    sums: Any,
    tops: Any,
    totals: Any,
    block_sums: Any,  # (P, 1024) float32
) -> None:
    """Replaces the hidden states by what all blocks make of them, and keeps the tokens' keys and values."""
    for thread in prange(halves.shape[0]):
        tile_start(config)
        do_layers(
            thread,
            hidden,
            cos,
            sin,
            norms,
            epsilon,
            to_heads,
            heads_bias,
            from_heads,
            from_bias,
            to_gates,
            from_gates,
            normed,
            rows,
            mixed,
            gated,
            shape,
            windows,
            which,
            scale,
            run_firsts,
            run_lasts,
            run_blocks,
            chains,
            shared_keys,
            shared_values,
            lengths,
            shared_rooms,
            starts,
            positions,
            firsts,
            blocks,
            keeps,
            own_keys,
            own_values,
            own_rooms,
            places,
            range_starts,
            ranges,
            sinks,
            counters,
            halves,
            floats,
            sums,
            tops,
            totals,
            block_sums,
        )
        tile_release()
