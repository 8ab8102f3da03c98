"""All decoder blocks of the usual kind in one call: between its steps nothing waits for Python."""

from __future__ import annotations

from typing import Any

from numba import types

from promptkit.generate.engine.kernels import compiled
from promptkit.generate.engine.tiles.attention import (
    HALVES,
    INTS,
    NUMBERS,
    PAIRS,
    ROOM,
    TABLE,
    attend_own,
    attend_shared,
)
from promptkit.generate.engine.tiles.products import ADDED, GATED, ROWS, multiply_weights
from promptkit.generate.engine.tiles.rows import norm, rotation

__all__ = ["run_layers"]

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
    *(NUMBERS, PAIRS),
    *ROOM,
    *(TABLE, PAIRS),
)


@compiled(SIGNATURE, is_parallel=False)
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
    shape: Any,  # (6,) int64: see `attend_own`
    windows: Any,  # (L,) int64: how far back a token sees; 0 for all the way
    which: Any,  # (L,) int64: the place of its window's ranges
    scale: Any,
    run_firsts: Any,  # what `attend_shared` takes, with addresses for each layer
    run_lasts: Any,
    run_blocks: Any,
    chains: Any,
    shared_keys: Any,  # (L, c)
    shared_values: Any,  # (L, c)
    lengths: Any,
    shared_rooms: Any,
    starts: Any,
    positions: Any,
    firsts: Any,  # what `attend_own` takes, with addresses for each layer
    blocks: Any,
    keeps: Any,
    own_keys: Any,  # (L, J)
    own_values: Any,  # (L, J)
    own_rooms: Any,
    places: Any,
    range_starts: Any,
    ranges: Any,  # (W, N, 2): for each window
    sinks: Any,
    counters: Any,  # (2 L, 1) int64, zero
    halves: Any,
    floats: Any,
    sums: Any,
    tops: Any,
    totals: Any,
    block_sums: Any,  # (P, 1024) float32
    nothing: Any,  # (1, 0) int64
) -> None:
    """Replaces the hidden states by what all blocks make of them, and keeps the tokens' keys and values."""
    num_rows, size = hidden.shape
    flat = hidden.reshape(num_rows * size)
    stride = len(rows) // num_rows
    gates = gated.shape[1] * 32
    turned = shape[0] * shape[1] + shape[0]
    flat_normed, flat_mixed = normed.reshape(normed.size), mixed.reshape(mixed.size)
    flat_gated = gated.reshape(gated.size)
    no_table = tops[:0]
    for layer in range(len(norms)):
        norm(hidden, norms[layer, 0], epsilon, flat_normed)
        multiply_weights(
            ROWS, config, normed, to_heads[layer], heads_bias[layer], num_rows, stride, block_sums, rows, nothing,
            no_table, no_table,
        )  # fmt: skip
        rotation(rows, stride, shape[2], turned, cos, sin)
        if len(run_firsts):
            attend_shared(
                config, rows, stride, shape, run_firsts, run_lasts, run_blocks, chains, shared_keys[layer],
                shared_values[layer], lengths, shared_rooms, starts, positions, windows[layer], scale, 0.0,
                counters[2 * layer], halves, floats, sums, tops, totals,
            )  # fmt: skip
        attend_own(
            config, rows, stride, shape, firsts, blocks, keeps, own_keys[layer], own_values[layer], own_rooms, places,
            range_starts, ranges[which[layer]], sinks, scale, 0.0, counters[2 * layer + 1], halves, floats, sums, tops,
            totals, True, flat_mixed,
        )  # fmt: skip
        multiply_weights(
            ADDED, config, mixed, from_heads[layer], from_bias[layer], num_rows, size, block_sums, flat, nothing,
            no_table, no_table,
        )  # fmt: skip
        norm(hidden, norms[layer, 1], epsilon, flat_normed)
        multiply_weights(
            GATED, config, normed, to_gates[layer], from_bias[layer][:0], num_rows, gates, block_sums, flat_gated,
            nothing, no_table, no_table,
        )  # fmt: skip
        multiply_weights(
            ADDED, config, gated, from_gates[layer], from_bias[layer][:0], num_rows, size, block_sums, flat, nothing,
            no_table, no_table,
        )  # fmt: skip
