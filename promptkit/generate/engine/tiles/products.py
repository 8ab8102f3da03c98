"""Products with a model's weights on the processor's matrix units, each with what is done to its sums at once.

The left side comes packed as tiles (rows / 16, C / 32, 16, 32), rows padded to a multiple of 32; the weights as
`units.pack_right` lays them out (N / 32, C / 32, 2, 16, 32). Sums are float32 and are rounded once, at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange, types

from promptkit.generate.engine.kernels import LOWEST, compiled
from promptkit.generate.engine.tiles.teamwork import take_next
from promptkit.generate.engine.tiles.units import (
    TILE,
    tile_clear,
    tile_load,
    tile_multiply,
    tile_release,
    tile_start,
    tile_store,
    tile_stream,
)
from promptkit.generate.engine.tiles.vectors import (
    LANES,
    add,
    divide,
    exp2,
    greater,
    greatest_lane,
    load,
    multiply,
    positive_or,
    prefetch,
    splat,
    store,
    subtract,
    sum_lanes,
    zero,
)

__all__ = [
    "ADDED",
    "BLOCK",
    "GATED",
    "LIKELIEST",
    "LOG2E",
    "ROWS",
    "TOTALS",
    "do_product",
    "multiply_weights",
    "num_products",
]

FEW = 128  # rows for which reading the weights takes longer than multiplying with them
BLOCK = 32  # rows and columns that are summed together: two tiles by two
CHUNK = 640  # rows, at most, for which a thread goes through its weights: what it reads of them stays near
RUNS = 4  # jobs of a product for each thread
ROWS, ADDED, GATED, LIKELIEST, TOTALS = range(5)
ONE, TABLE = types.Array(types.uint16, 1, "C"), types.Array(types.float32, 2, "C")
SIGNATURE = types.void(
    types.int64,
    types.Array(types.uint8, 1, "C"),
    types.Array(types.uint16, 4, "C"),
    types.Array(types.uint16, 5, "C"),
    ONE,
    *(types.int64, types.int64),
    types.Array(types.int64, 1, "C"),
    TABLE,
    ONE,
    types.Array(types.int64, 2, "C"),
    *(TABLE, TABLE),
)
LOG2E = np.float32(1.4426950408889634)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def sum_block(
    left: Any, weight: Any, depth: Any, row: Any, column: Any, num_rows: Any, asks_ahead: Any, sums: Any
) -> None:
    """Writes the products of the rows [row, row + 32) with the block of columns `column` to `sums` (32, 32).

    With `asks_ahead` the next block of columns is asked for: memory then works while this one is computed.
    """
    step = depth * TILE
    here = row // 16 * step
    there = column * depth * 2 * TILE
    tile_clear(0)
    tile_clear(1)
    tile_clear(2)
    tile_clear(3)
    is_large = num_rows > 16
    for d in range(depth):
        tile_load(6, weight, there + d * 2 * TILE, 64)
        tile_load(7, weight, there + d * 2 * TILE + TILE, 64)
        tile_stream(4, left, here + d * TILE, 64)
        if asks_ahead:
            for line in range(32):
                prefetch(weight, there + (depth + d) * 2 * TILE + line * 32)
        tile_multiply(0, 4, 6)
        tile_multiply(1, 4, 7)
        if is_large:
            tile_stream(5, left, here + step + d * TILE, 64)
            tile_multiply(2, 5, 6)
            tile_multiply(3, 5, 7)
    if is_large:
        tile_store(2, sums, 16 * BLOCK, BLOCK * 4)
        tile_store(3, sums, 16 * BLOCK + 16, BLOCK * 4)
    tile_store(0, sums, 0, BLOCK * 4)
    tile_store(1, sums, 16, BLOCK * 4)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def keep_rows(sums: Any, bias: Any, out: Any, size: Any, row: Any, block: Any, num: Any, is_added: Any) -> None:
    """Writes a block's sums, with the bias where it has any length, to rows of `size`; or adds them to what is there."""
    for part in range(2):
        column = block * BLOCK + part * LANES
        always = load(bias, column) if len(bias) else zero()
        for each in range(num):
            place = (row + each) * size + column
            total = add(load(sums, each * BLOCK + part * LANES), always)
            store(out, place, add(load(out, place), total) if is_added else total)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def keep_gated(sums: Any, out: Any, size: Any, row: Any, block: Any, num: Any) -> None:
    """Writes silu(x) * y, packed as a left side of rows of `size`. Shazeer 2020, section 2.

    A block of columns has sixteen of x and the same sixteen of y.
    """
    one, slope = splat(np.float32(1.0)), splat(-LOG2E)
    step = size // BLOCK * TILE
    place = row // 16 * step + block // 2 * TILE + block % 2 * LANES
    for each in range(num):
        x, y = load(sums, each * BLOCK), load(sums, each * BLOCK + LANES)
        # exp(-|x|) does not overflow, and serves both signs
        share = exp2(multiply(greater(x, subtract(zero(), x)), slope))
        sigmoid = divide(positive_or(x, one, share), add(one, share))
        store(out, place + each // 16 * step + each % 16 * BLOCK, multiply(multiply(x, sigmoid), y))


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def keep_likeliest(sums: Any, best: Any, tops: Any, row: Any, block: Any, num: Any) -> None:
    """Keeps each row's greatest product so far, and its column, the first of equals."""
    for each in range(num):
        top = greatest_lane(greater(load(sums, each * BLOCK), load(sums, each * BLOCK + LANES)))
        before = tops[row + each]
        if top > before or (top == before and block * BLOCK < best[row + each]):  # blocks come in any order
            tops[row + each] = top
            column = 0
            while sums[each * BLOCK + column] != top:
                column += 1
            best[row + each] = block * BLOCK + column


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def keep_total(sums: Any, totals: Any, tops: Any, row: Any, num: Any) -> None:
    """Keeps each row's greatest product so far, and the sum of exp(product - greatest)."""
    slope = splat(LOG2E)
    for each in range(num):
        first, second = load(sums, each * BLOCK), load(sums, each * BLOCK + LANES)
        top = greatest_lane(greater(first, second))
        before = tops[row + each]
        if top > before:
            totals[row + each] *= np.exp2((before - top) * LOG2E)
            tops[row + each] = top
        else:
            top = before
        shift = splat(top)
        shares = exp2(multiply(subtract(first, shift), slope))
        shares = add(shares, exp2(multiply(subtract(second, shift), slope)))
        totals[row + each] += sum_lanes(shares)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def rows_at_once(num_rows: Any, num_threads: Any) -> Any:
    """The rows of a chunk: all of a few, which share each reading of the weights, or equal shares of a thread's part."""
    if num_rows <= FEW:
        return num_rows
    num_chunks = num_threads * ((num_rows + num_threads * CHUNK - 1) // (num_threads * CHUNK))
    return ((num_rows + num_chunks - 1) // num_chunks + BLOCK - 1) // BLOCK * BLOCK


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def num_products(weight: Any, num_rows: Any, num_threads: Any) -> Any:
    """How many jobs a product is cut into: runs of blocks of columns, for a chunk of rows each."""
    span = max(1, weight.shape[0] // (num_threads * RUNS))
    rows = rows_at_once(num_rows, num_threads)
    return ((weight.shape[0] + span - 1) // span) * ((num_rows + rows - 1) // rows)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def do_product(
    job: Any,
    kind: Any,
    left: Any,
    weight: Any,
    bias: Any,
    num_rows: Any,
    size: Any,
    num_threads: Any,
    sums: Any,
    out: Any,
    best: Any,
    totals: Any,
    tops: Any,
) -> None:
    """Does one job of `multiply_weights`; `sums`, `best`, `totals` and `tops` are the thread's own."""
    depth, num_blocks = weight.shape[1], weight.shape[0]
    span = max(1, num_blocks // (num_threads * RUNS))
    num_runs = (num_blocks + span - 1) // span
    rows = rows_at_once(num_rows, num_threads)
    chunk, first = job // num_runs * rows, job % num_runs * span
    for block in range(first, min(first + span, num_blocks)):
        for row in range(chunk, min(num_rows, chunk + rows), BLOCK):
            num = min(BLOCK, num_rows - row)
            sum_block(left, weight, depth, row, block, num, row == chunk and num_rows <= FEW, sums)
            if kind <= ADDED:
                keep_rows(sums, bias, out, size, row, block, num, kind == ADDED)
            elif kind == GATED:
                keep_gated(sums, out, size, row, block, num)
            elif kind == LIKELIEST:
                keep_likeliest(sums, best, tops, row, block, num)
            else:
                keep_total(sums, totals, tops, row, num)


@compiled(SIGNATURE)
def multiply_weights(
    kind: Any,  # ROWS, ADDED, GATED, LIKELIEST or TOTALS
    config: Any,
    left: Any,  # (L, C / 32, 16, 32)
    weight: Any,  # (N / 32, C / 32, 2, 16, 32)
    bias: Any,  # (N,), or of no length
    num_rows: Any,
    size: Any,  # of a row of `out`
    counters: Any,  # int64, zero: see `teamwork`
    sums: Any,  # (P, 1024) float32: room for a block, each thread's own
    out: Any,  # flat: what ROWS, ADDED and GATED write
    best: Any,  # (P, T) int64: what LIKELIEST writes
    totals: Any,  # (P, T) float32: what TOTALS writes
    tops: Any,  # (P, T) float32: what LIKELIEST and TOTALS write
) -> None:
    """Multiplies the left side with the weights, and does with the sums what `kind` says."""
    num_threads = sums.shape[0]
    num_jobs = num_products(weight, num_rows, num_threads)
    for thread in prange(num_threads):
        tile_start(config)
        for each in range(tops.shape[1]):
            best[thread, each] = -1
            tops[thread, each] = LOWEST
            totals[thread, each] = np.float32(0.0)
        while True:
            job = take_next(counters, 0, num_jobs, thread, num_threads)
            if job < 0:
                break
            do_product(
                job, kind, left, weight, bias, num_rows, size, num_threads, sums[thread], out, best[thread],
                totals[thread], tops[thread],
            )  # fmt: skip
        tile_release()
