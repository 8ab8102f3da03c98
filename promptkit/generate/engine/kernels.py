"""Loops over a row's own keys and values, compiled for the processor at hand.

A step of decoding reads every live row's own keys and values once. Rows differ in length, and a padded batch would read
the longest for all. Arrays of bfloat16 come as `uint16` views; all sums are float32.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.core.errors import TypingError
from numba.core.event import Listener, install_listener
from numba.extending import intrinsic, overload

__all__ = ["compiled_argmax", "compiled_attention", "compiled_block", "compiled_store", "compiled_sums"]

log = logging.getLogger(__name__)

LOWEST = np.float32(-3.0e38)
LANES = 16  # as in `stretch`; float32 numbers of one AVX-512 register, or of two AVX2 ones
LINE = 32  # numbers of two bytes in a cache line
AHEAD = 2  # blocks asked for before they are needed: the processor itself does not look beyond a page
TURNS = 64  # shares of the work, handed out to the threads


@intrinsic  # type: ignore[untyped-decorator]
def float_of_bits(_context: Any, _bits: Any) -> Any:
    """The float32 that these 32 bits spell."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), generate


@intrinsic  # type: ignore[untyped-decorator]
def bits_of_float(_context: Any, _number: Any) -> Any:
    """The 32 bits that spell this float32."""

    def generate(_ctx: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.uint32(types.float32), generate


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(_context: Any, array: Any, _offset: Any) -> Any:
    """Asks for the cache line that holds the array's element at `offset`, counted in its flat memory."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        numbers = [ir.Constant(ir.IntType(32), number) for number in (0, 2, 1)]  # to read, into the second level, data
        kind = ir.FunctionType(ir.VoidType(), [place.type, *(number.type for number in numbers)])
        builder.call(builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind), [place, *numbers])
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


def widened(number: Any) -> Any:
    """The float32 value of an array's element: itself, or bfloat16 in the bits of a `uint16`."""
    raise NotImplementedError  # compiled code only


def narrowed(number: Any, like: Any) -> Any:
    """A float32 number as an element of an array of the type of `like`, rounded to the nearest, ties to even."""
    raise NotImplementedError


@overload(widened, inline="always")  # type: ignore[untyped-decorator]
def _widened(number: Any) -> Any:
    if number == types.uint16:

        def of_bfloat16(number: Any) -> Any:
            return float_of_bits(np.uint32(number) << np.uint32(16))

        return of_bfloat16
    if number != types.float32:
        raise TypingError("float32, or bfloat16 as uint16")

    def same(number: Any) -> Any:
        return number

    return same


@overload(narrowed, inline="always")  # type: ignore[untyped-decorator]
def _narrowed(number: Any, like: Any) -> Any:
    if like == types.uint16:

        def to_bfloat16(number: Any, like: Any) -> Any:
            bits = bits_of_float(np.float32(number))
            return np.uint16((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16))

        return to_bfloat16

    def same(number: Any, like: Any) -> Any:
        return np.float32(number)

    return same


@njit(fastmath={"contract", "nnan", "ninf", "nsz"})  # type: ignore[untyped-decorator]
def exp(x: Any) -> Any:
    """e to the power of x <= 0, to 5e-7 of its value, without a branch: loops over it become vector code.

    The C library's function is not used: which one a process finds, and so the last bit, is not always the same.
    Argument reduction by Cody and Waite, polynomial from the Cephes library's `expf`.
    """
    x = max(x, np.float32(-87.0))
    whole = np.floor(x * np.float32(1.44269504088896341) + np.float32(0.5))
    rest = x - whole * np.float32(0.693359375) - whole * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * rest + np.float32(1.3981999507e-3)
    p = p * rest + np.float32(8.3334519073e-3)
    p = p * rest + np.float32(4.1665795894e-2)
    p = p * rest + np.float32(1.6666665459e-1)
    p = p * rest + np.float32(5.0000001201e-1)
    p = p * rest * rest + rest + np.float32(1.0)
    return p * float_of_bits(np.uint32(np.int32(whole) + np.int32(127)) << np.uint32(23))


@njit(fastmath={"contract", "nnan", "ninf", "nsz"})  # type: ignore[untyped-decorator]
def tanh(x: Any) -> Any:
    """The hyperbolic tangent, to 1e-7."""
    small = exp(np.float32(-2.0) * abs(x))
    size = (np.float32(1.0) - small) / (np.float32(1.0) + small)
    return size if x >= 0 else -size


# In the loops below an index that is read from an array is never counted from: numbers that might be negative would be
# wrapped around at each access, and the loop would not become vector code.


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def greatest(numbers: Any, lanes: Any) -> Any:
    """The greatest of the numbers (N,), float32. A single running maximum would not become vector code."""
    for lane in range(LANES):
        lanes[lane] = LOWEST
    num_blocks = len(numbers) // LANES
    for block in range(num_blocks):
        for lane in range(LANES):
            number = widened(numbers[block * LANES + lane])
            lanes[lane] = number if number > lanes[lane] else lanes[lane]
    top = LOWEST
    for lane in range(LANES):
        top = max(top, lanes[lane])
    for place in range(num_blocks * LANES, len(numbers)):
        top = max(top, widened(numbers[place]))
    return top


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def exponentiate(scores: Any, top: Any) -> Any:
    """The sum of exp(scores - top) over scores (N,), which are replaced by them."""
    total = np.float32(0.0)
    for place in range(len(scores)):
        share = exp(scores[place] - top)
        scores[place] = share
        total += share
    return total


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def store_tokens(
    first: Any, last: Any, slot: Any, head: Any, new_keys: Any, new_values: Any, places: Any, keys: Any, values: Any
) -> None:
    """Puts the keys and values of the tokens [first, last) into their slot."""
    size, value_size = new_keys.shape[2], new_values.shape[2]
    for token in range(first, last):
        block, lane = places[token] // LANES, places[token] % LANES
        for d in range(size):
            keys[slot, head, block, d, lane] = new_keys[token, head, d]
        for d in range(value_size):
            values[slot, head, places[token], d] = new_values[token, head, d]


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def multiply_keys(factors: Any, stored: Any, num_queries: Any, first: Any, last: Any, scores: Any) -> None:
    """Writes the products of the queries (Q, D) with the keys (R / LANES, D, LANES) of the blocks [first, last)."""
    for block in range(last):
        if block < first:
            continue
        here = block * LANES
        for offset in range(0, stored.shape[1] * LANES, LINE):
            prefetch(stored, (block + AHEAD) * stored.shape[1] * LANES + offset)
        for each in range(num_queries):
            for lane in range(LANES):
                scores[each, here + lane] = np.float32(0.0)
        for d in range(0, stored.shape[1], 4):
            for each in range(num_queries):
                f0, f1, f2, f3 = factors[each, d], factors[each, d + 1], factors[each, d + 2], factors[each, d + 3]
                for lane in range(LANES):
                    scores[each, here + lane] += (
                        f0 * widened(stored[block, d, lane])
                        + f1 * widened(stored[block, d + 1, lane])
                        + f2 * widened(stored[block, d + 2, lane])
                        + f3 * widened(stored[block, d + 3, lane])
                    )


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def multiply_values(shares: Any, stored: Any, num_queries: Any, low: Any, high: Any, sums: Any) -> None:
    """Writes the sums of the values (R, E) before `high`, weighted by each query's shares (Q, R), 0 before `low`."""
    size = stored.shape[1]
    for each in range(num_queries):
        for d in range(size):
            sums[each, d] = np.float32(0.0)
    fours = high // 4
    for four in range(fours):
        place = four * 4
        if place + 4 <= low:
            continue
        for offset in range(0, size * 4, LINE):
            prefetch(stored, (place + AHEAD * LANES) * size + offset)
        for each in range(num_queries):
            s0, s1, s2, s3 = (
                shares[each, place],
                shares[each, place + 1],
                shares[each, place + 2],
                shares[each, place + 3],
            )
            for d in range(size):
                sums[each, d] += (
                    s0 * widened(stored[place, d])
                    + s1 * widened(stored[place + 1, d])
                    + s2 * widened(stored[place + 2, d])
                    + s3 * widened(stored[place + 3, d])
                )
    for place in range(fours * 4, high):
        for each in range(num_queries):
            share = shares[each, place]
            for d in range(size):
                sums[each, d] += share * widened(stored[place, d])


def attend_own(
    query: Any,  # (T, K, G, D), any strides
    new_keys: Any,  # (T, K, D), any strides
    new_values: Any,  # (T, K, E), any strides
    keys: Any,  # (S, K, R / LANES, D, LANES): keys of neighbours lie side by side, one vector register a block and d
    values: Any,  # (S, K, R, E)
    slots: Any,  # (J,) int64: the slots of this pass
    starts: Any,  # (J + 1,) int64: where each slot's tokens begin among the T
    places: Any,  # (T,) int64: where in its slot a token's key and value go
    range_starts: Any,  # (T + 1,) int64: where a token's ranges begin
    ranges: Any,  # (N, 2) int64: the places [from, to) that a token attends to, in rising order
    base: Any,  # (T, K, G, E): attention over what lies before, any strides
    base_lse: Any,  # (T, K, G) float32: its log-sum-exp; -inf where there is nothing
    sinks: Any,  # (K, G) float32: logits that take a share and give nothing; -inf where there are none
    scale: Any,
    softcap: Any,  # 0 for none
    max_queries: Any,  # of one slot in this pass
    out: Any,  # (T, K, G, E), written
) -> None:
    """Stores the tokens' keys and values, and writes the attention over everything before and in their slots."""
    num_heads, group, size, value_size = query.shape[1], query.shape[2], query.shape[3], out.shape[3]
    room = values.shape[2]
    num_jobs = len(slots) * num_heads
    rounds = (num_jobs + TURNS - 1) // TURNS
    for turn in prange(TURNS):
        scores = np.empty((max_queries, room), np.float32)
        factors = np.empty((max_queries, size), np.float32)
        sums = np.empty((max_queries, value_size), np.float32)
        tops = np.empty(max_queries, np.float32)
        totals = np.empty(max_queries, np.float32)
        lanes = np.empty(LANES, np.float32)
        for again in range(rounds):
            job = again * TURNS + turn  # neighbours, alike in length, go to different threads
            if job >= num_jobs:
                continue
            row, head = job // num_heads, job % num_heads
            slot, first, last = slots[row], starts[row], starts[row + 1]
            low, high = ranges[range_starts[first], 0], np.int64(0)
            for each in range(range_starts[first], range_starts[last]):
                low = min(low, ranges[each, 0])
                high = max(high, ranges[each, 1])
            num_queries = (last - first) * group
            for token in range(first, last):
                for member in range(group):
                    each = (token - first) * group + member
                    for d in range(size):
                        factors[each, d] = widened(query[token, head, member, d]) * scale
            # what was there is read first: writing to lines that are not in the cache yet would wait for each of them
            first_block, last_block = low // LANES, (high + LANES - 1) // LANES
            multiply_keys(factors, keys[slot, head], num_queries, first_block, last_block, scores)
            store_tokens(first, last, slot, head, new_keys, new_values, places, keys, values)
            first_block = max(first_block, places[first] // LANES)
            multiply_keys(factors, keys[slot, head], num_queries, first_block, last_block, scores)
            for each in range(num_queries):
                token = first + each // group
                if softcap > 0:
                    for place in range(low, high):
                        scores[each, place] = softcap * tanh(scores[each, place] / softcap)
                top = LOWEST
                for number in range(range_starts[token], range_starts[token + 1]):
                    top = max(top, greatest(scores[each, ranges[number, 0] : ranges[number, 1]], lanes))
                total = np.float32(0.0)
                done = low // 4 * 4
                for number in range(range_starts[token], range_starts[token + 1]):
                    scores[each, done : ranges[number, 0]] = np.float32(0.0)  # between ranges nothing weighs
                    total += exponentiate(scores[each, ranges[number, 0] : ranges[number, 1]], top)
                    done = ranges[number, 1]
                scores[each, done:high] = np.float32(0.0)
                totals[each] = total
                tops[each] = top
            multiply_values(scores, values[slot, head], num_queries, low, high, sums)
            for each in range(num_queries):
                token, member = first + each // group, each % group
                before = base_lse[token, head, member]
                sink = sinks[head, member]
                highest = max(tops[each], before, sink)
                own_share = exp(tops[each] - highest)
                before_share = exp(before - highest) if before > LOWEST else np.float32(0.0)
                whole = totals[each] * own_share + before_share
                if sink > LOWEST:
                    whole += exp(sink - highest)
                own_share /= whole
                before_share /= whole
                if before > LOWEST:
                    for d in range(value_size):
                        sums[each, d] = sums[each, d] * own_share + widened(base[token, head, member, d]) * before_share
                else:
                    for d in range(value_size):
                        sums[each, d] *= own_share
                for d in range(value_size):
                    out[token, head, member, d] = narrowed(sums[each, d], out[token, head, member, d])


def store_first(new_keys: Any, new_values: Any, keys: Any, values: Any, slots: Any, starts: Any) -> None:
    """Puts keys (K, T, D) and values (K, T, E) of the first tokens of slots (J,) into them; `starts` as in `attend_own`."""
    num_heads, size, value_size = new_keys.shape[0], new_keys.shape[2], new_values.shape[2]
    for job in prange(len(slots) * num_heads):
        row, head = job // num_heads, job % num_heads
        kept_keys, kept_values = keys[slots[row], head], values[slots[row], head]
        own_keys = new_keys[head, starts[row] : starts[row + 1]]
        own_values = new_values[head, starts[row] : starts[row + 1]]
        for place in range(own_keys.shape[0]):
            block, lane = place // LANES, place % LANES
            for d in range(size):
                kept_keys[block, d, lane] = own_keys[place, d]
            for d in range(value_size):
                kept_values[place, d] = own_values[place, d]


def argmax_rows(logits: Any, best: Any, margins: Any) -> None:
    """Writes each row's greatest element's index, the first of equals, and its lead over the next (B,).

    `logits` (B, V).
    """
    block = 512
    size = logits.shape[1]
    for row in prange(logits.shape[0]):
        lanes = np.empty(LANES, np.float32)
        top, second, start_of_top = LOWEST, LOWEST, 0
        for start in range(0, size, block):
            highest = greatest(logits[row, start : min(start + block, size)], lanes)
            if highest > top:
                top, second, start_of_top = highest, top, start
            elif highest > second:
                second = highest
        place = -1
        for each in range(start_of_top, min(start_of_top + block, size)):
            value = widened(logits[row, each])
            if value == top and place < 0:
                place = each
            elif value > second:
                second = value
        best[row] = place
        margins[row] = top - second


def add_and_norm(hidden: Any, added: Any, weight: Any, epsilon: Any, has_added: Any, normed: Any) -> None:
    """Adds `added` (T, C) to `hidden` (T, C) where there is any, and writes the RMS norm of the sum.

    Zhang and Sennrich 2019, section 3; rounded to the arrays' dtype after the sum, after the division by the root mean
    square, and after the product with `weight` (C,), as transformers' modules do.
    """
    size = hidden.shape[1]
    for token in prange(hidden.shape[0]):
        total = np.float32(0.0)
        if has_added:
            for c in range(size):
                hidden[token, c] = narrowed(widened(hidden[token, c]) + widened(added[token, c]), hidden[token, c])
        for c in range(size):
            number = widened(hidden[token, c])
            total += number * number
        factor = np.float32(1.0) / np.float32(np.sqrt(total / np.float32(size) + epsilon))
        for c in range(size):
            scaled = narrowed(widened(hidden[token, c]) * factor, hidden[token, c])
            normed[token, c] = narrowed(widened(scaled) * widened(weight[c]), hidden[token, c])


def rotate(tensor: Any, cos: Any, sin: Any, num_heads: Any) -> None:
    """Turns the first `num_heads` heads of `tensor` (T, N, D) by their positions' angles, cos and sin (T, R), R <= D.

    Rotary embeddings, Su et al. 2021, section 3.2.2, with the halves of a head paired.
    """
    half = cos.shape[1] // 2
    for token in prange(tensor.shape[0]):
        for head in range(num_heads):
            for d in range(half):
                one, other = widened(tensor[token, head, d]), widened(tensor[token, head, d + half])
                tensor[token, head, d] = narrowed(
                    one * widened(cos[token, d]) - other * widened(sin[token, d]), tensor[token, head, d]
                )
                tensor[token, head, d + half] = narrowed(
                    other * widened(cos[token, d + half]) + one * widened(sin[token, d + half]), tensor[token, head, d]
                )


def gate(both: Any, out: Any) -> None:
    """Writes silu(x) * y for the halves x, y of `both` (T, 2 I). Shazeer 2020, section 2."""
    size = out.shape[1]
    for token in prange(out.shape[0]):
        for c in range(size):
            x = widened(both[token, c])
            # exp(-|x|) does not overflow, and serves both signs
            share = exp(-abs(x))
            sigmoid = (np.float32(1.0) if x >= 0 else share) / (np.float32(1.0) + share)
            out[token, c] = narrowed(x * sigmoid * widened(both[token, size + c]), out[token, c])


def sum_exponentials(rounded: Any, rest: Any, tops: Any, totals: Any) -> None:
    """Writes each row's greatest number and the sum of exp(number - greatest), for numbers rounded + rest (B, V).

    The greatest is that of the rounded ones, which is near enough to keep the sum in range.
    """
    for row in prange(rounded.shape[0]):
        lanes = np.empty(LANES, np.float32)
        top = greatest(rounded[row], lanes)
        total = np.float32(0.0)
        for place in range(rounded.shape[1]):
            total += exp(widened(rounded[row, place]) + widened(rest[row, place]) - top)
        tops[row] = top
        totals[row] = total


@functools.cache
def sources() -> str:
    """A fingerprint of the engine's files. numba looks at a function's own file to tell whether what it kept is still
    right, and loops are made of several.
    """
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


class Compiling(Listener):  # type: ignore[misc]
    """Says, when the first loop is compiled and not read from disk, why a run waits."""

    def on_start(self, _event: Any) -> None:
        """Is told that a compilation begins."""
        say_compiling()

    def on_end(self, _event: Any) -> None:
        """Is told that it has ended."""


@functools.cache
def say_compiling() -> None:
    """Nothing; said once in a process."""
    log.info("compiling loops for this processor: some 20 seconds, once for each version of promptkit")


def compiled(signature: Any, *, is_parallel: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """What makes machine code of a function with that signature, kept on disk for the next process."""

    def make(function: Callable[..., None]) -> Callable[..., None]:
        function.__qualname__ += f"_{sources()}"  # names the file in which it is kept
        kept = njit(signature, parallel=is_parallel, fastmath=True, boundscheck=False, cache=True, nogil=True)
        with install_listener("numba:compile", Compiling()):
            return kept(function)  # type: ignore[no-any-return]

    return make


@functools.cache
def compiled_attention(dtype: str) -> Callable[..., None]:
    """`attend_own` for arrays of "float32", or of "uint16" that spell bfloat16."""
    number = getattr(types, dtype)
    query, tokens = types.Array(number, 4, "A"), types.Array(number, 3, "A")
    lse = types.Array(types.float32, 3, "A")
    ints = types.Array(types.int64, 1, "C")
    signature = types.void(
        query,
        tokens,
        tokens,
        types.Array(number, 5, "C"),
        types.Array(number, 4, "C"),
        *(ints, ints, ints, ints),
        types.Array(types.int64, 2, "C"),
        query,
        lse,
        types.Array(types.float32, 2, "C"),
        types.float32,
        types.float32,
        types.int64,
        types.Array(number, 4, "C"),
    )
    return compiled(signature)(attend_own)


@functools.cache
def compiled_argmax(dtype: str) -> Callable[..., None]:
    """`argmax_rows` for arrays of "float32", or of "uint16" that spell bfloat16."""
    logits = types.Array(getattr(types, dtype), 2, "C")
    signature = types.void(logits, types.Array(types.int64, 1, "C"), types.Array(types.float32, 1, "C"))
    return compiled(signature)(argmax_rows)


@functools.cache
def compiled_block(dtype: str) -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
    """`add_and_norm`, `rotate` and `gate` for arrays of "float32", or of "uint16" that spell bfloat16."""
    number = getattr(types, dtype)
    one, two, three = (types.Array(number, ndim, "C") for ndim in (1, 2, 3))
    return (
        compiled(types.void(two, two, one, types.float32, types.boolean, two))(add_and_norm),
        compiled(types.void(three, two, two, types.int64))(rotate),
        compiled(types.void(two, two))(gate),
    )


@functools.cache
def compiled_store(dtype: str) -> Callable[..., None]:
    """`store_first` for arrays of "float32", or of "uint16" that spell bfloat16."""
    number = getattr(types, dtype)
    tokens, ints = types.Array(number, 3, "A"), types.Array(types.int64, 1, "C")
    kept_keys, kept_values = types.Array(number, 5, "C"), types.Array(number, 4, "C")
    return compiled(types.void(tokens, tokens, kept_keys, kept_values, ints, ints))(store_first)


@functools.cache
def compiled_sums(dtype: str) -> Callable[..., None]:
    """`sum_exponentials` for arrays of "float32", or of "uint16" that spell bfloat16."""
    numbers, floats = types.Array(getattr(types, dtype), 2, "C"), types.Array(types.float32, 1, "C")
    return compiled(types.void(numbers, numbers, floats, floats))(sum_exponentials)
