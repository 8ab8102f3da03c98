"""The programs that run on a card: keys and values put where they are kept, runs of keys read, lines merged.

A holder is five numbers in `holders`: the addresses of its keys and values, and how many elements of each lie between one
slot and the next. Between heads lie as many tokens in both, its fifth number; a token's key (D) and value (E) are whole
runs of numbers. Dot products are summed in float32, and of float32 they are not rounded before.

Triton compiles a program anew for an address that is a multiple of 16 and for one that is not. Where a table of whole numbers
begins says nothing about how keys are read, and differs from pass to pass: programs are not to be told.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["merge_lines", "put_tokens", "read_piece"]


@triton.jit(do_not_specialize_on_alignment=["holders", "homes"])
def put_tokens(
    keys,  # (K, T, D), `key_head` and `key_token` apart
    values,  # (K, T, E)
    holders,  # (S, 5)
    homes,  # (T, 3): holder, slot, place; a holder below zero for none
    key_head,
    key_token,
    value_head,
    value_token,
    SIZE: tl.constexpr,
    VALUE_SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    VALUE_WIDTH: tl.constexpr,
    KIND: tl.constexpr,
) -> None:
    """Puts one token's key and value of one head where they are kept."""
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1).to(tl.int64)
    holder = tl.load(homes + token * 3)
    if holder < 0:
        return
    slot = tl.load(homes + token * 3 + 1)
    place = tl.load(homes + token * 3 + 2)
    row = holders + holder * 5
    kept_keys = tl.load(row).to(tl.pointer_type(KIND))
    kept_values = tl.load(row + 1).to(tl.pointer_type(KIND))
    line = head * tl.load(row + 4) + place
    each = tl.arange(0, WIDTH)
    key = tl.load(keys + head * key_head + token * key_token + each, mask=each < SIZE)
    tl.store(kept_keys + slot * tl.load(row + 2) + line * SIZE + each, key, mask=each < SIZE)
    each = tl.arange(0, VALUE_WIDTH)
    value = tl.load(values + head * value_head + token * value_token + each, mask=each < VALUE_SIZE)
    tl.store(kept_values + slot * tl.load(row + 3) + line * VALUE_SIZE + each, value, mask=each < VALUE_SIZE)


@triton.jit(do_not_specialize_on_alignment=["holders", "pieces", "positions"])
def read_piece(
    queries,  # (T, K, G, D)
    holders,  # (S, 5)
    pieces,  # (N, 8): holder, slot, place, keys, position of the first key, first token, tokens, first line
    positions,  # (T,)
    out,  # (P, K, G, E), float32
    lse,  # (P, K, G), float32
    scale,
    softcap,
    window,
    query_token,
    query_head,
    query_member,
    GROUP: tl.constexpr,
    SIZE: tl.constexpr,
    VALUE_SIZE: tl.constexpr,
    ROWS: tl.constexpr,
    KEYS: tl.constexpr,
    WIDTH: tl.constexpr,
    VALUE_WIDTH: tl.constexpr,
    HAS_SOFTCAP: tl.constexpr,
    HAS_WINDOW: tl.constexpr,
    IS_ALIGNED: tl.constexpr,
    IS_WIDENED: tl.constexpr,
    KIND: tl.constexpr,
) -> None:
    """The attention of one piece's tokens over its keys, for the query heads of one key-value head.

    The softmax goes on from block to block of keys. Milakov and Gimelshein 2018, section 3; Dao et al. 2022, algorithm 1.
    """
    piece = pieces + tl.program_id(0).to(tl.int64) * 8
    head = tl.program_id(1).to(tl.int64)
    num_heads = tl.num_programs(1)
    num = tl.load(piece + 3)
    if num <= 0:
        return
    row = holders + tl.load(piece) * 5
    slot = tl.load(piece + 1)
    place = tl.load(piece + 2)
    begins_at = tl.load(piece + 4)
    first = tl.load(piece + 5)
    num_tokens = tl.load(piece + 6)
    first_line = tl.load(piece + 7)
    start = head * tl.load(row + 4) + place
    keys = tl.load(row).to(tl.pointer_type(KIND)) + slot * tl.load(row + 2) + start * SIZE
    values = tl.load(row + 1).to(tl.pointer_type(KIND)) + slot * tl.load(row + 3) + start * VALUE_SIZE
    if IS_ALIGNED:
        keys = tl.multiple_of(keys, 16)
        values = tl.multiple_of(values, 16)

    member = tl.arange(0, ROWS)  # the rows are the tokens' query heads: (token, member of the group)
    token = first + member // GROUP
    is_row = member < num_tokens * GROUP
    depth = tl.arange(0, WIDTH)
    value_depth = tl.arange(0, VALUE_WIDTH)
    query_at = token * query_token + head * query_head + (member % GROUP) * query_member
    query = tl.load(
        queries + query_at[:, None] + depth[None, :], mask=is_row[:, None] & (depth < SIZE)[None, :], other=0.0
    )
    if IS_WIDENED:
        query = query.to(tl.float32)
    position = tl.load(positions + token, mask=is_row, other=-1)

    low = num * 0
    if HAS_WINDOW:  # blocks that no row sees are passed over
        oldest = tl.min(tl.where(is_row, position, 1 << 40), axis=0) - window + 1 - begins_at
        low = tl.maximum(oldest, 0) // KEYS * KEYS
    top = tl.full([ROWS], -float("inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    mixed = tl.zeros([ROWS, VALUE_WIDTH], tl.float32)
    for begin in range(low, num, KEYS):
        here = begin + tl.arange(0, KEYS)
        key = tl.load(
            keys + here[None, :] * SIZE + depth[:, None],
            mask=(here < num)[None, :] & (depth < SIZE)[:, None],
            other=0.0,
        )
        if IS_WIDENED:
            key = key.to(tl.float32)
        score = tl.dot(query, key, input_precision="ieee") * scale
        if HAS_SOFTCAP:
            score = softcap * (1.0 - 2.0 / (tl.exp(score / softcap * 2.0) + 1.0))
        key_position = begins_at + here
        seen = (here < num)[None, :] & (key_position[None, :] <= position[:, None])
        if HAS_WINDOW:
            seen = seen & (key_position[None, :] > position[:, None] - window)
        score = tl.where(seen, score, -float("inf"))
        higher = tl.maximum(top, tl.max(score, axis=1))
        finite = tl.where(higher == -float("inf"), 0.0, higher)
        share = tl.exp(score - finite[:, None])
        kept = tl.exp(top - finite)
        total = total * kept + tl.sum(share, axis=1)
        value = tl.load(
            values + here[:, None] * VALUE_SIZE + value_depth[None, :],
            mask=(here < num)[:, None] & (value_depth < VALUE_SIZE)[None, :],
            other=0.0,
        )
        if IS_WIDENED:
            value = value.to(tl.float32)
        mixed = mixed * kept[:, None] + tl.dot(share.to(value.dtype), value, input_precision="ieee")
        top = higher

    is_seen = total > 0.0
    divisor = tl.where(is_seen, total, 1.0)
    line = ((first_line + member // GROUP) * num_heads + head) * GROUP + member % GROUP
    tl.store(lse + line, tl.where(is_seen, top + tl.log(divisor), -float("inf")), mask=is_row)
    tl.store(
        out + line[:, None] * VALUE_SIZE + value_depth[None, :],
        mixed / divisor[:, None],
        mask=is_row[:, None] & (value_depth < VALUE_SIZE)[None, :],
    )


@triton.jit(do_not_specialize_on_alignment=["line_starts", "lines"])
def merge_lines(
    parts,  # (P, K, G, E), float32
    lse,  # (P, K, G), float32
    line_starts,  # (T + 1,)
    lines,
    sinks,  # (K, G), float32
    out,  # (T, K, G, E)
    GROUP: tl.constexpr,
    VALUE_SIZE: tl.constexpr,
    MEMBERS: tl.constexpr,
    VALUE_WIDTH: tl.constexpr,
    HAS_SINKS: tl.constexpr,
) -> None:
    """The attention of one token's query heads of one key-value head, from all its lines; zeros where it has none."""
    token = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1).to(tl.int64)
    num_heads = tl.num_programs(1)
    member = tl.arange(0, MEMBERS)
    is_member = member < GROUP
    depth = tl.arange(0, VALUE_WIDTH)
    is_there = is_member[:, None] & (depth < VALUE_SIZE)[None, :]
    top = tl.full([MEMBERS], -float("inf"), tl.float32)
    total = tl.zeros([MEMBERS], tl.float32)
    if HAS_SINKS:  # a sink is a line of zeros
        top = tl.load(sinks + head * GROUP + member, mask=is_member, other=0.0)
        total = tl.full([MEMBERS], 1.0, tl.float32)
    mixed = tl.zeros([MEMBERS, VALUE_WIDTH], tl.float32)
    for number in range(tl.load(line_starts + token), tl.load(line_starts + token + 1)):
        at = (tl.load(lines + number) * num_heads + head) * GROUP + member
        level = tl.load(lse + at, mask=is_member, other=-float("inf"))
        part = tl.load(parts + at[:, None] * VALUE_SIZE + depth[None, :], mask=is_there, other=0.0)
        higher = tl.maximum(top, level)
        finite = tl.where(higher == -float("inf"), 0.0, higher)
        kept = tl.exp(top - finite)
        share = tl.exp(level - finite)
        total = total * kept + share
        mixed = mixed * kept[:, None] + part * share[:, None]
        top = higher
    mixed = mixed / tl.where(total > 0.0, total, 1.0)[:, None]
    at = (token * num_heads + head) * GROUP + member
    tl.store(out + at[:, None] * VALUE_SIZE + depth[None, :], mixed.to(out.dtype.element_ty), mask=is_there)
