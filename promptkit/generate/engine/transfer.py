"""Keys and values on their way from a slot to a stretch of its own, and from stretches to a slot or to another stretch.

What is written is written from the first place on. Tiles are copied as they are where that is possible.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import unflatten

from promptkit.generate.engine.attention import array
from promptkit.generate.engine.stretch import ROOM, HeadShape, Slots, Stretch, rounded
from promptkit.generate.engine.tree import Node

__all__ = ["Piece", "fill_slot", "fill_stretch", "taken_out"]

Pair = tuple[torch.Tensor, torch.Tensor]
TILED = 6  # dimensions of keys that are kept as tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The tokens [begin, end) of a stretch, counted from its own first one."""

    stretch: Stretch
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin


def taken_out(slots: Slots, slot: int, node: Node, parent: Stretch | None) -> Stretch:
    """A stretch of the node's tokens, which are the first of the slot, in memory that goes back to the system with it."""
    made = Stretch(node, parent)
    made.num_done = num = len(made)
    sources = {layer: slot_views(*pair, slot, num) for layer, pair in slots.layers.items()}
    block = new_block([each for pair in sources.values() for each in pair])
    for layer, pair in sources.items():
        keys, values = block.pop(0), block.pop(0)
        copy(keys, pair[0])
        copy(values, pair[1])
        is_tiles = slots.layers[layer][0].dim() == TILED
        made.keys[layer] = keys if is_tiles else keys.flatten(1, 2)[:, :num]
        made.values[layer] = values
    return made


def slot_views(keys: torch.Tensor, values: torch.Tensor, slot: int, num: int) -> Pair:
    """The first `num` tokens of a slot: tiles as a stretch has them, else keys (K, R / lanes, lanes, D) and values (K, n, E)."""
    if keys.dim() == TILED:
        room = rounded(num)
        return keys[slot : slot + 1, :, : room // 16], values[slot : slot + 1, :, : room // 32]
    return keys[slot, :, : -(-num // keys.shape[-1])].transpose(-1, -2), values[slot, :, :num]


def new_block(like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Room for copies of tensors of one dtype, one after another in one block."""
    dtype, device, total = like[0].dtype, like[0].device, sum(each.numel() for each in like)
    if device.type == "cpu":  # not from the heap, whose freed blocks stay with the process
        flat = torch.frombuffer(mmap.mmap(-1, total * dtype.itemsize), dtype=dtype)
    else:
        flat = torch.empty(total, dtype=dtype, device=device)
    parts = torch.split(flat, [each.numel() for each in like])
    return [part.view(each.shape) for part, each in zip(parts, like, strict=True)]


def copy(to: torch.Tensor, source: torch.Tensor) -> None:
    """Copies numbers, on a processor by one thread: threads that meet after each of so many small copies mostly wait."""
    if to.device.type == "cpu":
        array(to)[...] = array(source)
    else:
        to.copy_(source)


def fill_slot(slots: Slots, slot: int, pieces: Sequence[Piece]) -> None:
    """Writes the pieces, one after another, into the slot."""
    for layer, like in pieces[0].stretch.keys.items():
        keys, values = slots.layer(layer, shape_of(pieces[0].stretch, layer), like)
        if keys.dim() == TILED:
            write_tiles(keys[slot], values[slot], layer, pieces)
            continue
        new_keys, new_values = joined(layer, pieces)
        blocks = unflatten(new_keys, 1, (-1, keys.shape[-1])).transpose(-1, -2)
        copy(keys[slot, :, : blocks.shape[1]], blocks)
        copy(values[slot, :, : new_values.shape[1]], new_values)


def fill_stretch(stretch: Stretch, pieces: Sequence[Piece]) -> None:
    """Writes the pieces, one after another, into the stretch, whose first tokens they are."""
    num = sum(map(len, pieces))
    for layer, like in pieces[0].stretch.keys.items():
        if like.dim() == TILED:
            keys, values = stretch.tiles(layer, shape_of(pieces[0].stretch, layer), like)
            write_tiles(keys[0], values[0], layer, pieces)
        else:
            stretch.put(layer, 0, *(each[:, :num] for each in joined(layer, pieces)))
    stretch.num_done = num


def shape_of(stretch: Stretch, layer: int) -> HeadShape:
    """The shape of the heads whose keys and values a stretch has of a layer."""
    keys, values = stretch.keys[layer], stretch.values[layer]
    if keys.dim() == TILED:
        return HeadShape(num_heads=keys.shape[1], key_size=32 * keys.shape[3], value_size=16 * values.shape[3])
    return HeadShape.of(keys, values)


def joined(layer: int, pieces: Sequence[Piece]) -> Pair:
    """The pieces' keys (K, R, D) and values (K, R, E) of a layer; zeros fill up the last of the tokens."""
    shape, like = shape_of(pieces[0].stretch, layer), pieces[0].stretch.keys[layer]
    room = rounded(sum(map(len, pieces)))
    keys, values = (like.new_zeros(shape.num_heads, room, size) for size in (shape.key_size, shape.value_size))
    at = 0
    for each in pieces:
        end = at + len(each)
        for to, source in zip((keys, values), tokens_of(each, layer), strict=True):
            copy(to[:, at:end], source)
        at = end
    return keys, values


def tokens_of(piece: Piece, layer: int) -> Pair:
    """A piece's keys (K, t, D) and values (K, t, E) of a layer."""
    keys, values = piece.stretch.keys[layer], piece.stretch.values[layer]
    here = slice(piece.begin, piece.end)
    if keys.dim() != TILED:
        return keys[:, here], values[:, here]
    first, last = piece.begin // 32, -(-piece.end // 32)
    here = slice(piece.begin - 32 * first, piece.end - 32 * first)
    by_token = (
        unflatten(keys[0, :, 2 * first : 2 * last], -1, (16, 2)).permute(0, 1, 4, 2, 3, 5),
        unflatten(values[0, :, first:last], -1, (16, 2)).permute(0, 1, 3, 5, 2, 4),
    )
    num_heads, num = keys.shape[1], 32 * (last - first)
    new_keys, new_values = (each.new_empty(each.shape) for each in by_token)
    copy(new_keys, by_token[0])
    copy(new_values, by_token[1])
    return new_keys.view(num_heads, num, -1)[:, here], new_values.view(num_heads, num, -1)[:, here]


def write_tiles(keys: torch.Tensor, values: torch.Tensor, layer: int, pieces: Sequence[Piece]) -> None:
    """Writes the pieces as tiles of keys (K, R / 16, D / 32, 16, 32) and of values (K, R / 32, E / 16, 16, 32)."""
    first, num = pieces[0], rounded(sum(map(len, pieces)))
    here_keys, here_values = keys[:, : num // 16], values[:, : num // 32]
    if len(pieces) == 1 and first.begin % ROOM == 0:
        end = first.begin + num
        copy(here_keys, first.stretch.keys[layer][0, :, first.begin // 16 : end // 16])
        copy(here_values, first.stretch.values[layer][0, :, first.begin // 32 : end // 32])
        return
    new_keys, new_values = joined(layer, pieces)
    some_keys = unflatten(unflatten(new_keys, 2, (-1, 16, 2)), 1, (-1, 16))
    some_values = unflatten(unflatten(new_values, 2, (-1, 16)), 1, (-1, 16, 2))
    copy(unflatten(here_keys, -1, (16, 2)), some_keys.permute(0, 1, 3, 4, 2, 5))
    copy(unflatten(here_values, -1, (16, 2)), some_values.permute(0, 1, 4, 2, 5, 3))
