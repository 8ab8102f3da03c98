"""Attention on the processor's matrix units: over what rows share, once for all of them, and over each row's own tokens.

Both go block by block of 32 queries (B tokens of one pass times the G query heads that read the same keys): scores of up
to `PIECE` keys at once, their exponentials, and the values weighted by them, with the running greatest score and sum of
exponentials of each query (Milakov and Gimelshein 2018, section 3; Dao et al. 2022, section 3.1). The first loop leaves
that state, the second goes on from it: nothing is merged afterwards, and no key is copied or read for a row that does
not see it.

Keys are kept as tiles of the right side (n / 16, D / 32, 16, 32), a key a column; values as (n / 32, E / 16, 16, 32), a
pair of values a row. What is beyond the last kept token must be finite. Scores are in units of log 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types

from promptkit.generate.engine.kernels import LOWEST, tanh
from promptkit.generate.engine.tiles.products import LOG2E
from promptkit.generate.engine.tiles.units import (
    TILE,
    tile_clear,
    tile_load,
    tile_load_at,
    tile_multiply,
    tile_store,
)
from promptkit.generate.engine.tiles.vectors import (
    LANES,
    add,
    between,
    exp2,
    greater,
    greatest_lane,
    load,
    multiply,
    multiply_add,
    prefetch_at,
    splat,
    store,
    store_apart_at,
    store_pairs_at,
    sum_lanes,
    zero,
)

__all__ = [
    "PIECE",
    "QUERIES",
    "do_keep",
    "do_own",
    "do_shared",
    "floats_of_scratch",
    "halves_of_scratch",
]

QUERIES = 32  # queries of a block: two tiles
PIECE = 2048  # keys whose scores are held at once
WIDTH = PIECE + LANES  # of a row of scores: a power of two would put all rows into the same few lines of the cache
BYTES = 2 * TILE  # of a tile
AHEAD = 2  # blocks of keys or values that are asked for before they are needed
SEEN = np.float32(-1.0e38)  # scores above it are seen; `LOWEST` marks what is not

HALVES, INTS, NUMBERS = (types.Array(each, 1, "C") for each in (types.uint16, types.int64, types.float32))
PAIRS, TABLE = types.Array(types.int64, 2, "C"), types.Array(types.float32, 2, "C")
ROOM = (types.Array(types.uint16, 2, "C"), TABLE, NUMBERS, TABLE, TABLE)


def halves_of_scratch(depth: int) -> int:
    """The bfloat16 numbers that a thread needs: the queries, and the shares of a piece."""
    return 2 * depth * TILE + 2 * PIECE // 32 * TILE


def floats_of_scratch(value_size: int) -> int:
    """The float32 numbers that a thread needs: scores, sums, and two numbers of state a query."""
    return QUERIES * WIDTH + QUERIES * value_size + 2 * QUERIES


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def take_queries(
    heads: Any, offset: Any, stride: Any, group: Any, first: Any, num: Any, depth: Any, queries: Any
) -> None:
    """Packs the queries [first, first + num) of a run of tokens: the one of token t and member g begins at
    `offset` + t `stride` + 32 g `depth`.
    """
    for each in range(num):
        token, member = (first + each) // group, (first + each) % group
        source = offset + token * stride + member * depth * 32
        for d in range(depth):
            to = (each // 16 * depth + d) * TILE + each % 16 * 32
            store(queries, to, load(heads, source + d * 32))
            store(queries, to + LANES, load(heads, source + d * 32 + LANES))


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def score_keys(queries: Any, depth: Any, keys: Any, first: Any, last: Any, is_large: Any, scores: Any) -> None:
    """Writes the products of the queries with the keys of the blocks [first, last) of 32, from column 0 on."""
    for block in range(first, last):
        tile_clear(0)
        tile_clear(1)
        tile_clear(2)
        tile_clear(3)
        here = keys + block * 2 * depth * BYTES
        for line in range(0 if is_large else depth * 32):  # many queries read what few have brought near
            prefetch_at(here + 2 * depth * BYTES + line * 64)
        for d in range(depth):
            tile_load(4, queries, d * TILE, 64)
            tile_load_at(6, here + d * BYTES, 64)
            tile_load_at(7, here + (depth + d) * BYTES, 64)
            tile_multiply(0, 4, 6)
            tile_multiply(1, 4, 7)
            if is_large:
                tile_load(5, queries, (depth + d) * TILE, 64)
                tile_multiply(2, 5, 6)
                tile_multiply(3, 5, 7)
        column = (block - first) * 32
        tile_store(0, scores, column, WIDTH * 4)
        tile_store(1, scores, column + 16, WIDTH * 4)
        if is_large:
            tile_store(2, scores, 16 * WIDTH + column, WIDTH * 4)
            tile_store(3, scores, 16 * WIDTH + column + 16, WIDTH * 4)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def ask_ahead(address: Any, num_bytes: Any) -> None:
    """Asks for what lies from an address on, so that memory works while something else is computed."""
    for offset in range(0, num_bytes, 64):
        prefetch_at(address + offset)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def hide(scores: Any, row: Any, first: Any, last: Any) -> None:
    """Marks the columns [first, last) of a row of scores as not seen."""
    base = row * WIDTH
    column = first // LANES * LANES
    lowest = splat(LOWEST)
    while column < last:
        inner, outer = max(first - column, 0), min(last - column, LANES)
        store(scores, base + column, between(lowest, inner, outer, load(scores, base + column)))
        column += LANES


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def cap(scores: Any, row: Any, width: Any, scale: Any, softcap: Any) -> None:
    """Bends a row of products to softcap * tanh(product * scale / softcap)."""
    for column in range(width):
        number = scores[row * WIDTH + column]
        if number > SEEN:
            scores[row * WIDTH + column] = softcap * tanh(number * scale / softcap)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def take_shares(
    scores: Any, num: Any, width: Any, factor: Any, value_size: Any, shares: Any, sums: Any, tops: Any, totals: Any
) -> None:
    """Writes the exponentials of the first `width` scores, packed, and brings each query's state up to date."""
    blocks = PIECE // 32
    for each in range(num):
        base = each * WIDTH
        most, other_most = load(scores, base), load(scores, base + LANES)
        for column in range(32, width, 32):
            most = greater(most, load(scores, base + column))
            other_most = greater(other_most, load(scores, base + column + LANES))
        top = max(tops[each], greatest_lane(greater(most, other_most)) * factor)
        place = each // 16 * blocks * TILE + each % 16 * 32
        if top <= SEEN:
            for column in range(0, width, LANES):
                store(shares, place + column // 32 * TILE + column % 32, zero())
            continue
        if top > tops[each]:
            if tops[each] > SEEN:
                shrink = exp2(splat(np.float32(tops[each] - top)))
                totals[each] *= greatest_lane(shrink)
                for e in range(0, value_size, LANES):
                    store(sums, each * value_size + e, multiply(load(sums, each * value_size + e), shrink))
            tops[each] = top
        scale, shift = splat(factor), splat(-top)
        total = zero()
        for column in range(0, width, 32):
            one = exp2(multiply_add(load(scores, base + column), scale, shift))
            other = exp2(multiply_add(load(scores, base + column + LANES), scale, shift))
            total = add(total, add(one, other))
            store(shares, place + column // 32 * TILE, one)
            store(shares, place + column // 32 * TILE + LANES, other)
        totals[each] += sum_lanes(total)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def add_values(shares: Any, values: Any, first: Any, last: Any, value_size: Any, is_large: Any, sums: Any) -> None:
    """Adds the values of the blocks [first, last) of 32, weighted by the shares from block 0 on, to the sums."""
    blocks = PIECE // 32
    columns = value_size // 16
    for column in range(0, columns, 2):
        tile_load(0, sums, column * 16, value_size * 4)
        tile_load(1, sums, column * 16 + 16, value_size * 4)
        if is_large:
            tile_load(2, sums, 16 * value_size + column * 16, value_size * 4)
            tile_load(3, sums, 16 * value_size + column * 16 + 16, value_size * 4)
        for block in range(first, last):
            here = values + (block * columns + column) * BYTES
            for line in range(0 if is_large else 32):
                prefetch_at(here + columns * BYTES + line * 64)
            tile_load_at(6, here, 64)
            tile_load_at(7, here + BYTES, 64)
            tile_load(4, shares, (block - first) * TILE, 64)
            tile_multiply(0, 4, 6)
            tile_multiply(1, 4, 7)
            if is_large:
                tile_load(5, shares, (blocks + block - first) * TILE, 64)
                tile_multiply(2, 5, 6)
                tile_multiply(3, 5, 7)
        tile_store(0, sums, column * 16, value_size * 4)
        tile_store(1, sums, column * 16 + 16, value_size * 4)
        if is_large:
            tile_store(2, sums, 16 * value_size + column * 16, value_size * 4)
            tile_store(3, sums, 16 * value_size + column * 16 + 16, value_size * 4)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def room_of(halves: Any, floats: Any, depth: Any, value_size: Any) -> Any:
    """A thread's room: for queries, shares, scores, sums, tops and totals."""
    sums = QUERIES * WIDTH
    tops = sums + QUERIES * value_size
    totals = tops + QUERIES
    split = 2 * depth * TILE
    return halves[:split], halves[split:], floats[:sums], floats[sums:tops], floats[tops:totals], floats[totals:]


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def start_state(sums: Any, tops: Any, totals: Any, value_size: Any) -> None:
    """The state of queries that have seen nothing yet."""
    for each in range(QUERIES):
        tops[each] = LOWEST
        totals[each] = np.float32(0.0)
    for place in range(0, QUERIES * value_size, LANES):
        store(sums, place, zero())


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def oldest_seen(positions: Any, window: Any, first: Any, last: Any, start: Any) -> Any:
    """The first place of a stretch from the position `start` on that any of the tokens [first, last) sees."""
    if window == 0:
        return np.int64(0)
    oldest = positions[first]
    for token in range(first + 1, last):
        oldest = min(oldest, positions[token])
    return max(np.int64(0), oldest - window + 1 - start)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def hide_unseen(scores: Any, row: Any, begin: Any, end: Any, ranges: Any, first: Any, last: Any) -> None:
    """Marks, among the scores of the places [begin, end), what lies in none of the ranges [first, last) as not seen."""
    done = begin
    for number in range(first, last):
        if ranges[number, 0] > done:
            hide(scores, row, done - begin, min(ranges[number, 0], end) - begin)
        done = max(done, min(ranges[number, 1], end))
    if done < end:
        hide(scores, row, done - begin, end - begin)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def do_shared(
    job: Any,
    heads: Any,  # flat: the tokens' rows (T, ...), each with its query heads (K, G, D) first
    stride: Any,  # of those rows
    shape: Any,  # (4,) int64: K, G, D, E
    firsts: Any,  # (g,) int64: runs of tokens that see the same stretches begin here ...
    lasts: Any,  # (g,) int64: ... and end here
    blocks: Any,  # (j, 2) int64: the jobs, each a run and which of its blocks of queries
    chains: Any,  # (g + 1,) int64: where each run's stretches begin in what follows
    keys: Any,  # (c,) int64: the addresses of the stretches' keys (K, n / 16, D / 32, 16, 32)
    values: Any,  # (c,) int64: those of their values (K, n / 32, E / 16, 16, 32)
    lengths: Any,  # (c,) int64: how many tokens of each are seen
    rooms: Any,  # (c,) int64: for how many tokens, a multiple of 32, each has room
    starts: Any,  # (c,) int64: the positions of their first tokens
    positions: Any,  # (T,) int64
    window: Any,  # how far back a token sees; 0 for all the way
    scale: Any,
    softcap: Any,  # 0 for none
    halves: Any,  # (...) uint16: the thread's own room
    floats: Any,  # (...) float32
    sums: Any,  # (T, K G, E) float32, written: the weighted values, not yet divided
    tops: Any,  # (T, K G) float32, written: the greatest score
    totals: Any,  # (T, K G) float32, written: the sum of exponentials
) -> None:
    """Does one of the jobs that write the state of attention over the stretches that runs of tokens share."""
    num_heads, group, size, value_size = shape[0], shape[1], shape[2], shape[3]
    depth = size // 32
    factor = np.float32(LOG2E if softcap > 0 else scale * LOG2E)
    queries, shares, scores, own, own_tops, own_totals = room_of(halves, floats, depth, value_size)
    run, block, head = blocks[job // num_heads, 0], blocks[job // num_heads, 1], job % num_heads
    begins, first = firsts[run], block * QUERIES
    num = min(QUERIES, (lasts[run] - begins) * group - first)
    first_token, last_token = begins + first // group, begins + (first + num - 1) // group + 1
    take_queries(heads, begins * stride + head * group * size, stride, group, first, num, depth, queries)
    start_state(own, own_tops, own_totals, value_size)
    for link in range(chains[run], chains[run + 1]):
        length, start = lengths[link], starts[link]
        own_keys = keys[link] + head * rooms[link] * size * 2
        own_values = values[link] + head * rooms[link] * value_size * 2
        begin = oldest_seen(positions, window, first_token, last_token, start) // 32 * 32
        while begin < length:
            end = min(begin + PIECE, (length + 31) // 32 * 32)
            score_keys(queries, depth, own_keys, begin // 32, end // 32, num > 16, scores)
            for each in range(num):
                token = begins + (first + each) // group
                oldest = positions[token] - window + 1 - start
                if length < end:
                    hide(scores, each, length - begin, end - begin)
                if window > 0 and oldest > begin:
                    hide(scores, each, 0, min(oldest, end) - begin)
                if softcap > 0:
                    cap(scores, each, end - begin, scale, softcap)
            take_shares(scores, num, end - begin, factor, value_size, shares, own, own_tops, own_totals)
            add_values(shares, own_values, begin // 32, end // 32, value_size, num > 16, own)
            begin = end
    for each in range(num):
        token, number = begins + (first + each) // group, head * group + (first + each) % group
        tops[token, number] = own_tops[each]
        totals[token, number] = own_totals[each]
        for e in range(0, value_size, LANES):
            place = (token * num_heads * group + number) * value_size + e
            store(sums, place, load(own, each * value_size + e))


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def keep_tokens(
    heads: Any, stride: Any, shape: Any, head: Any, first: Any, last: Any, places: Any, keys: Any, values: Any
) -> None:
    """Keeps one head's keys and values of the tokens [first, last) in its room."""
    size, value_size = shape[2], shape[3]
    depth, columns = size // 32, value_size // 16
    for token in range(first, last):
        place = places[token]
        key = token * stride + shape[4] + head * size
        value = token * stride + shape[5] + head * value_size
        here = keys + place // 16 * depth * BYTES + place % 16 * 4
        for d in range(depth):
            store_pairs_at(heads, key + d * 32, here + d * BYTES)
        there = values + place // 32 * columns * BYTES + place % 32 // 2 * 64 + place % 2 * 2
        for e in range(columns):
            store_apart_at(heads, value + e * 16, there + e * BYTES)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def finish(
    own: Any, each: Any, total: Any, value_size: Any, token: Any, column: Any, row_size: Any, is_packed: Any, out: Any
) -> None:
    """Writes a query's weighted values, divided by the sum of their weights, from `column` of the token's row on."""
    share = splat(np.float32(1.0) / total)
    for e in range(0, value_size, LANES):
        at = column + e
        place = token * row_size + at
        if is_packed:
            place = ((token // 16 * (row_size // 32) + at // 32) * 16 + token % 16) * 32 + at % 32
        store(out, place, multiply(load(own, each * value_size + e), share))


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def do_keep(
    job: Any,
    heads: Any,
    stride: Any,
    shape: Any,
    firsts: Any,
    keeps: Any,
    keys: Any,
    values: Any,
    rooms: Any,
    places: Any,
) -> None:
    """Keeps one head's keys and values of a part, where that is not done with the part's one job."""
    part, head = job // shape[0], job % shape[0]
    if not keeps[part]:
        own_keys = keys[part] + head * rooms[part] * shape[2] * 2
        own_values = values[part] + head * rooms[part] * shape[3] * 2
        keep_tokens(heads, stride, shape, head, firsts[part], firsts[part + 1], places, own_keys, own_values)


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def do_own(
    job: Any,
    heads: Any,  # flat: the tokens' rows (T, ...): query heads (K, G, D), at `places[1]` keys (K, D), at [2] values
    stride: Any,  # of those rows
    shape: Any,  # (6,) int64: K, G, D, E, where in a row the keys begin, where the values
    firsts: Any,  # (J + 1,) int64: where each part's tokens begin
    blocks: Any,  # (j, 2) int64: the jobs, each a part and which of its blocks of queries
    keeps: Any,  # (J,) bool: whether the part's keys and values are kept by its one job, and not before all jobs
    keys: Any,  # (J,) int64: the addresses of the parts' room for keys (K, R / 16, D / 32, 16, 32)
    values: Any,  # (J,) int64: and for values (K, R / 32, E / 16, 16, 32)
    rooms: Any,  # (J,) int64: R
    places: Any,  # (T,) int64: where in its room a token is kept
    range_starts: Any,  # (T + 1,) int64: where a token's ranges begin
    ranges: Any,  # (N, 2) int64: the places [from, to) that a token sees, in rising order
    sinks: Any,  # (K G,) float32: scores that take a share and give nothing; LOWEST where there are none
    scale: Any,
    softcap: Any,  # 0 for none
    halves: Any,  # (...) uint16: the thread's own room
    floats: Any,  # (...) float32
    sums: Any,  # (T, K G, E) float32: the state of attention over what lies before; see `do_shared`
    tops: Any,  # (T, K G) float32: LOWEST where there is nothing
    totals: Any,  # (T, K G) float32
    is_packed: Any,  # whether `out` is a left side of tiles, or rows
    out: Any,  # flat, written: attention (T, K G E)
) -> None:
    """Does one of the jobs that write the attention over everything before and in the tokens' own room.

    It keeps the keys and values of its part where `keeps` says so.
    """
    num_heads, group, size, value_size = shape[0], shape[1], shape[2], shape[3]
    depth = size // 32
    factor = np.float32(LOG2E if softcap > 0 else scale * LOG2E)
    row_size = num_heads * group * value_size
    queries, shares, scores, own, own_tops, own_totals = room_of(halves, floats, depth, value_size)
    part, block, head = blocks[job // num_heads, 0], blocks[job // num_heads, 1], job % num_heads
    begins, ends, first = firsts[part], firsts[part + 1], block * QUERIES
    own_keys = keys[part] + head * rooms[part] * size * 2
    own_values = values[part] + head * rooms[part] * value_size * 2
    if keeps[part]:
        keep_tokens(heads, stride, shape, head, begins, ends, places, own_keys, own_values)
    num = min(QUERIES, (ends - begins) * group - first)
    take_queries(heads, begins * stride + head * group * size, stride, group, first, num, depth, queries)
    start_state(own, own_tops, own_totals, value_size)
    low, high = rooms[part], np.int64(0)
    for each in range(num):
        token, number = begins + (first + each) // group, head * group + (first + each) % group
        low = min(low, ranges[range_starts[token], 0])
        high = max(high, ranges[range_starts[token + 1] - 1, 1])
        if tops[token, number] > SEEN:
            own_tops[each], own_totals[each] = tops[token, number], totals[token, number]
            for e in range(0, value_size, LANES):
                place = (token * num_heads * group + number) * value_size + e
                store(own, each * value_size + e, load(sums, place))
    begin = low // 32 * 32
    while begin < high:
        end = min(begin + PIECE, (high + 31) // 32 * 32)
        score_keys(queries, depth, own_keys, begin // 32, end // 32, num > 16, scores)
        if num <= 16:
            ask_ahead(own_values + begin * value_size * 2, AHEAD * 32 * value_size * 2)
        for each in range(num):
            token = begins + (first + each) // group
            hide_unseen(scores, each, begin, end, ranges, range_starts[token], range_starts[token + 1])
            if softcap > 0:
                cap(scores, each, end - begin, scale, softcap)
        take_shares(scores, num, end - begin, factor, value_size, shares, own, own_tops, own_totals)
        add_values(shares, own_values, begin // 32, end // 32, value_size, num > 16, own)
        begin = end
    following = job + 1  # most likely this thread's next
    if num <= 16 and following < len(blocks) * num_heads:
        ahead = blocks[following // num_heads, 0]
        ask_ahead(keys[ahead] + following % num_heads * rooms[ahead] * size * 2, AHEAD * 32 * size * 2)
    for each in range(num):
        token, number = begins + (first + each) // group, head * group + (first + each) % group
        total = own_totals[each]
        if sinks[number] > SEEN:
            total += np.exp2(sinks[number] * LOG2E - own_tops[each])
        finish(own, each, total, value_size, token, number * value_size, row_size, is_packed, out)
