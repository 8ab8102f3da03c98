"""Attention in place: over each shared stretch once for all rows below it, over its own tokens row by row, merged.

softmax over a union of stretches follows from the softmax over each and its log-sum-exp (Milakov and Gimelshein 2018,
section 3; Juravsky et al. 2024, section 3.1, for shared prefixes), so that no key is copied and none is read twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from promptkit.generate.engine.layout import Fresh, Grow, Own, Pass
from promptkit.generate.engine.stretch import HeadShape, takes_tiles

__all__ = [
    "KEYWORD",
    "NAME",
    "Heads",
    "Settings",
    "array",
    "attend",
    "attend_packed",
    "merge",
    "partial_attention",
    "register",
]

NAME = "promptkit"  # of this attention, in transformers' interface
KEYWORD = "promptkit_pass"  # of the argument that carries the pass through a model's modules to its attention

Partial = tuple[torch.Tensor, torch.Tensor]  # attention (T, K, G, E) and its log-sum-exp (T, K, G), float32


def register() -> None:
    """Makes the attention known to transformers under `NAME`."""
    from transformers import AttentionInterface  # noqa: PLC0415 - slow to import, and only wanted here

    AttentionInterface.register(NAME, attend)


@dataclass(frozen=True, slots=True)
class Heads:
    """The packed tokens' queries (T, K, G, D), new keys (K, T, D) and new values (K, T, E) in one layer."""

    query: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor

    def part(self, first: int, last: int) -> Heads:
        """Those of the tokens [first, last)."""
        return Heads(self.query[first:last], self.keys[:, first:last], self.values[:, first:last])

    def new_output(self) -> torch.Tensor:
        """Room for the attention (T, K, G, E)."""
        return self.query.new_empty(*self.query.shape[:3], self.values.shape[-1])


def attend(  # noqa: PLR0913, PLR0917 - the signature is transformers'
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # noqa: ARG001 - the pass says who sees whom
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """Attention (1, T, H, E) of the packed queries (1, H, T, D), with new keys (1, K, T, D) and values (1, K, T, E)."""
    forward: Pass = rest[KEYWORD]
    _, num_heads, num, size = query.shape
    num_kept = key.shape[1]
    group = num_heads // num_kept
    settings = Settings(
        layer=module.layer_idx,
        scale=size**-0.5 if scaling is None else float(scaling),
        window=sliding_window,
        softcap=softcap,
        sinks=None if s_aux is None else s_aux.detach().float().view(num_kept, group),
    )
    heads = Heads(query[0].transpose(0, 1).reshape(num, num_kept, group, size), key[0], value[0])
    return attend_packed(forward, settings, heads).reshape(1, num, num_heads, -1), None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a layer's attention is told beside queries, keys and values. `sinks` (K, G) take a share and give nothing."""

    layer: int
    scale: float
    window: int | None = None
    softcap: float | None = None
    sinks: torch.Tensor | None = None


def attend_packed(forward: Pass, settings: Settings, heads: Heads) -> torch.Tensor:
    """Attention (T, K, G, E) of the packed tokens, over all that the pass says they see."""
    if forward.card is not None:
        return forward.card.attend(forward, settings, heads)
    if takes_tiles(HeadShape.of(heads.keys, heads.values), heads.query):
        return attend_by_tiles(forward, settings, heads)
    before = over_stretches(forward, settings, heads)
    own, fresh = forward.own, forward.fresh
    if own is not None and not forward.grow and fresh is None:
        return attend_slots(own, settings, heads, before)
    out = heads.new_output()
    for grow in forward.grow:
        here = slice(grow.first, grow.last)
        out[here] = attend_grown(grow, settings, heads.part(grow.first, grow.last), part_of(before, here))
    if fresh is not None:
        here = slice(fresh.first, own.first if own is not None else len(forward))
        out[here] = attend_fresh(fresh, settings, heads.part(here.start, here.stop), part_of(before, here))
    if own is not None:
        here = slice(own.first, len(forward))
        out[here] = attend_slots(own, settings, heads.part(here.start, here.stop), part_of(before, here))
    return out


def attend_by_tiles(forward: Pass, settings: Settings, heads: Heads) -> torch.Tensor:
    """`attend_packed` on the processor's matrix units."""
    from promptkit.generate.engine.tiles.desk import attend_tiles, row_shape  # noqa: PLC0415 - brings the compiler

    _, num_kept, group, size = heads.query.shape
    out = heads.new_output()
    kept = (each.transpose(0, 1).flatten(1) for each in (heads.keys, heads.values))
    rows = torch.cat([heads.query.flatten(1), *kept], dim=1)
    attend_tiles(forward, settings, row_shape(num_kept, group, size, out.shape[-1]), rows, out)
    return out


def part_of(partial: Partial | None, here: slice) -> Partial | None:
    """The part of a partial attention that belongs to these tokens."""
    return None if partial is None else (partial[0][here], partial[1][here])


def over_stretches(forward: Pass, settings: Settings, heads: Heads) -> Partial | None:
    """The attention over all stretches that come before; None where there are none."""
    query = heads.query
    if not forward.over:
        return None
    only = forward.over[0] if len(forward.over) == 1 else None
    if only is not None and only.first == 0 and only.last == len(forward):
        return over_stretch(forward, only, settings, query)
    out = heads.new_output().zero_()
    lse = torch.full(query.shape[:3], -math.inf, device=query.device)
    for over in forward.over:
        here = slice(over.first, over.last)
        partial = over_stretch(forward, over, settings, query[here])
        out[here], lse[here] = merge((out[here], lse[here]), partial)
    return out, lse


def over_stretch(forward: Pass, over: Any, settings: Settings, query: torch.Tensor) -> Partial:
    """The attention of queries (t, K, G, D) over one stretch."""
    keys = over.stretch.keys[settings.layer][:, : over.length]
    values = over.stretch.values[settings.layer][:, : over.length]
    mask = forward.window_mask(over, settings.window)
    return partial_attention(query, keys, values, settings.scale, softcap=settings.softcap, mask=mask)


def attend_grown(grow: Grow, settings: Settings, heads: Heads, before: Partial | None) -> torch.Tensor:
    """Attention (t, K, G, E) of new tokens of a stretch, whose keys and values it keeps."""
    query, keys, values = heads.query, heads.keys, heads.values
    grow.stretch.put(settings.layer, grow.begin, keys, values)
    num = len(query)
    mask = None
    if settings.window is not None and settings.window < num:
        place = torch.arange(num, device=query.device)
        mask = (place[None, :] <= place[:, None]) & (place[None, :] > place[:, None] - settings.window)
    partial = partial_attention(
        query, keys, values, settings.scale, softcap=settings.softcap, mask=mask, is_causal=mask is None
    )
    if before is not None:
        partial = merge(before, partial)
    out, lse = partial
    if settings.sinks is not None:
        out = out * torch.sigmoid(lse - settings.sinks)[..., None].to(out.dtype)
    return out


def attend_fresh(fresh: Fresh, settings: Settings, heads: Heads, before: Partial | None) -> torch.Tensor:
    """Attention (t, K, G, E) of the first tokens of slots over what comes before and over one another."""
    _, num_heads, group, size = heads.query.shape
    length = fresh.length
    padded_keys, padded_values = (
        each[:, fresh.token_of].view(num_heads, -1, length, each.shape[-1]).transpose(0, 1)
        for each in (heads.keys, heads.values)
    )  # (J, K, n, D)
    if fresh.storage.is_kept:
        store(fresh, settings.layer, heads)
    padded = heads.query[fresh.token_of].view(-1, length, num_heads, group, size)
    rows = padded.transpose(1, 2).flatten(2, 3)  # (J, K, n G, D)
    mask = fresh.mask(settings.window, group, rows.dtype)
    out, lse = attend_rows(rows, padded_keys, padded_values, settings, mask)
    shape = (-1, num_heads, length, group)
    out = out.reshape(*shape, out.shape[-1]).transpose(1, 2).flatten(0, 1)[fresh.place_of]
    lse = lse.reshape(shape).transpose(1, 2).flatten(0, 1)[fresh.place_of]
    if before is not None:
        out, lse = merge(before, (out, lse))
    if settings.sinks is not None:
        out = out * torch.sigmoid(lse - settings.sinks)[..., None].to(out.dtype)
    return out


def store(fresh: Fresh, layer: int, heads: Heads) -> None:
    """Keeps the tokens' keys and values in their slots."""
    kept_keys, kept_values = fresh.storage.layer(layer, HeadShape.of(heads.keys, heads.values), heads.keys)
    if is_compiled_for(heads):
        from promptkit.generate.engine.kernels import compiled_store  # noqa: PLC0415 - brings the compiler

        compiled_store(kind(heads.keys))(
            array(heads.keys), array(heads.values), array(kept_keys), array(kept_values), fresh.slots, fresh.starts
        )
        return
    counts, lanes = np.diff(fresh.starts), kept_keys.shape[-1]
    slot = torch.from_numpy(np.repeat(fresh.slots, counts)).to(heads.keys.device)
    place = torch.from_numpy(np.arange(len(slot)) - np.repeat(fresh.starts[:-1], counts)).to(heads.keys.device)
    kept_keys[slot, :, place // lanes, :, place % lanes] = heads.keys.transpose(0, 1)
    kept_values[slot, :, place] = heads.values.transpose(0, 1)


def is_compiled_for(heads: Heads) -> bool:
    """Whether the compiled loops take these heads."""
    query = heads.query
    is_known = query.dtype in (torch.float32, torch.bfloat16)
    return query.device.type == "cpu" and is_known and query.shape[-1] % 4 == 0


def kind(tensor: torch.Tensor) -> str:
    """The dtype of the array that stands for a tensor in compiled loops."""
    return "uint16" if tensor.dtype == torch.bfloat16 else "float32"


def attend_rows(
    rows: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, settings: Settings, mask: torch.Tensor
) -> Partial:
    """Attention (J, K, m, E) of rows of queries (J, K, m, D) over their keys (J, K, n, D); log-sum-exp (J, K, m)."""
    if settings.softcap is None and rows.device.type == "cpu" and keys.shape[-1] == values.shape[-1]:
        kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001 - see `flash_attention`
        out, lse = kernel(rows, keys, values, 0.0, False, attn_mask=mask, scale=settings.scale)
        return out, lse
    scores = torch.matmul(rows, keys.transpose(-1, -2)).float() * settings.scale
    if settings.softcap is not None:
        scores = settings.softcap * torch.tanh(scores / settings.softcap)
    scores = scores + mask.float()
    lse = scores.logsumexp(dim=-1)
    return torch.matmul(torch.exp(scores - lse[..., None]).to(values.dtype), values), lse


def merge(one: Partial, other: Partial) -> Partial:
    """The attention over both of two stretches, from the attention over each."""
    lse = torch.logaddexp(one[1], other[1])
    finite = torch.where(lse == -math.inf, 0.0, lse)
    shares = [torch.exp(each[1] - finite)[..., None] for each in (one, other)]
    out = one[0].float() * shares[0] + other[0].float() * shares[1]
    return out.to(one[0].dtype), lse


def partial_attention(  # noqa: PLR0913 - what attention is
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scale: float,
    *,
    softcap: float | None = None,
    mask: torch.Tensor | None = None,
    is_causal: bool = False,
) -> Partial:
    """The attention of queries (t, K, G, D) over keys (K, n, D) and values (K, n, E), and its log-sum-exp.

    `mask` (t, n) is True where a query sees a key. A query that sees nothing gets zeros, and -inf.
    """
    is_plain = softcap is None and mask is None and keys.shape[-1] == values.shape[-1]
    if is_plain and query.device.type == "cpu":
        return flash_attention(query, keys, values, scale, is_causal=is_causal)
    if is_causal:
        mask = torch.ones(len(query), keys.shape[1], dtype=torch.bool, device=query.device).tril()
    heads = query.permute(1, 2, 0, 3)  # (K, G, t, D)
    scores = torch.matmul(heads, keys[:, None].transpose(-1, -2)).float() * scale
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    lse = scores.logsumexp(dim=-1)
    shares = torch.exp(scores - torch.where(lse == -math.inf, 0.0, lse)[..., None])
    out = torch.matmul(shares.to(values.dtype), values[:, None])
    return out.permute(2, 0, 1, 3), lse.permute(2, 0, 1)


def flash_attention(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, *, is_causal: bool
) -> Partial:
    """`partial_attention` by torch's own fused kernel for processors, which gives the log-sum-exp too."""
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001 - the public one keeps the log-sum-exp to itself
    num, num_heads, group, size = query.shape
    if is_causal:  # the group's members stand beside one another as a batch that reads the same keys
        each = query.permute(2, 1, 0, 3)
        out, lse = kernel(
            each,
            keys.expand(group, -1, -1, -1),
            values.expand(group, -1, -1, -1),
            0.0,
            True,
            scale=scale,
        )
        return out.permute(2, 1, 0, 3), lse.permute(2, 1, 0)
    flat = query.transpose(0, 1).reshape(1, num_heads, num * group, size)
    out, lse = kernel(flat, keys[None], values[None], 0.0, False, scale=scale)
    return (
        out.view(num_heads, num, group, -1).transpose(0, 1),
        lse.view(num_heads, num, group).transpose(0, 1),
    )


def attend_slots(own: Own, settings: Settings, heads: Heads, before: Partial | None) -> torch.Tensor:
    """Attention (t, K, G, E) of slots' tokens over what comes before and over their own slot, which keeps them."""
    if is_compiled_for(heads):
        return compiled_slots(own, settings, heads, before)
    return batched_slots(own, settings, heads, before)


def array(tensor: torch.Tensor) -> Any:
    """The tensor's numbers as an array that compiled loops can read; bfloat16 as its bits."""
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def compiled_slots(own: Own, settings: Settings, heads: Heads, before: Partial | None) -> torch.Tensor:
    """`attend_slots` by compiled loops: each row reads its own keys and values once, and no more than it has."""
    from promptkit.generate.engine.kernels import compiled_attention  # noqa: PLC0415 - brings the compiler

    query, keys, values = heads.query, heads.keys, heads.values
    kept_keys, kept_values = own.storage.layer(settings.layer, HeadShape.of(keys, values), keys)
    num, num_heads, group, _ = query.shape
    out = heads.new_output()
    if before is None:
        before = (
            out.new_empty(1, 1, 1, 1).expand_as(out),
            torch.full((1, 1, 1), -math.inf).expand(num, num_heads, group),
        )
    sinks = settings.sinks if settings.sinks is not None else torch.full((num_heads, group), -math.inf)
    compiled_attention(kind(query))(
        array(query),
        array(keys.transpose(0, 1)),
        array(values.transpose(0, 1)),
        array(kept_keys),
        array(kept_values),
        own.slots,
        own.starts,
        own.places,
        own.range_starts,
        own.ranges(settings.window),
        array(before[0]),
        array(before[1]),
        array(sinks),
        np.float32(settings.scale),
        np.float32(settings.softcap or 0.0),
        np.int64(own.max_tokens * group),
        array(out),
    )
    return out


def batched_slots(own: Own, settings: Settings, heads: Heads, before: Partial | None) -> torch.Tensor:
    """`attend_slots` by padded products, for cards and for what the compiled loops do not take."""
    query, keys, values = heads.query, heads.keys, heads.values
    kept_keys, kept_values = own.storage.layer(settings.layer, HeadShape.of(keys, values), keys)
    device = query.device
    counts = np.diff(own.starts)
    row = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(device)
    column = torch.from_numpy(np.arange(len(row)) - np.repeat(own.starts[:-1], counts)).to(device)
    slot = torch.from_numpy(own.slots).to(device)
    place = torch.from_numpy(own.places).to(device)
    lanes = kept_keys.shape[-1]
    kept_keys[slot[row], :, place // lanes, :, place % lanes] = keys.transpose(0, 1)
    kept_values[slot[row], :, place] = values.transpose(0, 1)
    ranges = own.ranges(settings.window)
    length = int(ranges[:, 1].max())
    seen = torch.zeros(len(row), length, dtype=torch.bool)
    for token in range(len(row)):
        for start, end in ranges[own.range_starts[token] : own.range_starts[token + 1]]:
            seen[token, start:end] = True
    all_keys = kept_keys[slot].transpose(-1, -2).flatten(2, 3)[:, :, :length]  # (J, K, n, D)
    all_values = kept_values[slot][:, :, :length]
    padded = query.new_zeros(len(counts), own.max_tokens, *query.shape[1:])
    padded[row, column] = query
    rows = padded.permute(0, 2, 3, 1, 4)  # (J, K, G, t, D)
    scores = torch.matmul(rows, all_keys[:, :, None].transpose(-1, -2)).float() * settings.scale
    if settings.softcap is not None:
        scores = settings.softcap * torch.tanh(scores / settings.softcap)
    scores = scores.permute(0, 3, 1, 2, 4)[row, column]  # (T, K, G, n)
    scores = scores.masked_fill(~seen.to(device)[:, None, None], -math.inf)
    lse = scores.logsumexp(dim=-1)
    shares = torch.exp(scores - lse[..., None]).to(values.dtype)
    spread = shares.new_zeros(len(counts), own.max_tokens, *shares.shape[1:])
    spread[row, column] = shares
    mixed = torch.matmul(spread.permute(0, 2, 3, 1, 4), all_values[:, :, None])
    out = mixed.permute(0, 3, 1, 2, 4)[row, column]
    if before is not None:
        out, lse = merge(before, (out, lse))
    if settings.sinks is not None:
        out = out * torch.sigmoid(lse - settings.sinks)[..., None].to(out.dtype)
    return out
