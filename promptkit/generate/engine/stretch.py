"""Where keys and values are kept: once for each shared stretch, and in slots for what is each row's own."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch

from promptkit.generate.engine.draft import Seen
from promptkit.generate.engine.pages import LARGE_PAGE, Arena, map_in_large_pages
from promptkit.generate.engine.tree import Node

__all__ = [
    "FLAT",
    "LANES",
    "ROOM",
    "HeadShape",
    "Scratch",
    "Slots",
    "Stretch",
    "rounded",
    "takes_tiles",
    "zeros_in_large_pages",
]

ROOM = 32  # tokens: rooms are made for multiples of so many
FLAT = 3  # dimensions of a stretch's keys that are not kept as tiles
DEPTH = 32  # sizes of heads that are computed in tiles are multiples of it
LANES = 16  # keys of neighbours lie side by side in a processor's slot, as many as one register holds; see `kernels`


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadShape:
    """A layer's key-value heads: how many (K), the size of their keys (D) and of their values (E)."""

    num_heads: int
    key_size: int
    value_size: int

    @classmethod
    def of(cls, keys: torch.Tensor, values: torch.Tensor) -> HeadShape:
        """The shape of keys (K, T, D) and values (K, T, E)."""
        return cls(num_heads=keys.shape[0], key_size=keys.shape[2], value_size=values.shape[2])


def rounded(num_tokens: int) -> int:
    """The tokens for which room is made where so many are kept."""
    return -(-num_tokens // ROOM) * ROOM


def takes_tiles(shape: HeadShape, like: torch.Tensor) -> bool:
    """Whether attention to heads of this shape, in the dtype and on the device of `like`, is computed in tiles."""
    if like.dtype != torch.bfloat16 or like.device.type != "cpu" or shape.key_size % DEPTH or shape.value_size % DEPTH:
        return False
    from promptkit.generate.engine.tiles.units import has_tiles  # noqa: PLC0415 - brings the compiler

    return has_tiles()


def new_tiles(
    num: int, room: int, shape: HeadShape, like: torch.Tensor, arena: Arena | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys (S, K, R / 16, D / 32, 16, 32) and values (S, K, R / 32, E / 16, 16, 32) of a layer, all finite."""
    heads = (num, shape.num_heads)
    keys = zeros_in_large_pages((*heads, room // 16, shape.key_size // 32, 16, 32), like.dtype, arena)
    return keys, zeros_in_large_pages((*heads, room // 32, shape.value_size // 16, 16, 32), like.dtype, arena)


def zeros_in_large_pages(shape: Sequence[int], dtype: torch.dtype, arena: Arena | None = None) -> torch.Tensor:
    """Zeros of that shape, in large pages where the system has them, which it maps when they are first touched.

    Of an arena it is what was there, where the arena has as much left: zeros, or what an earlier use left.
    """
    num_bytes = prod(shape) * dtype.itemsize
    given = arena.take(num_bytes) if arena else None
    if given is not None:
        return torch.frombuffer(given, dtype=dtype).view(*shape)
    if num_bytes < LARGE_PAGE or sys.platform != "linux":
        return torch.zeros(*shape, dtype=dtype)
    memory = mmap.mmap(-1, num_bytes + LARGE_PAGE)  # kept by the tensor, and given back with it
    flat = torch.frombuffer(memory, dtype=torch.uint8)
    first = -flat.data_ptr() % LARGE_PAGE
    numbers = flat[first : first + num_bytes].view(dtype).view(*shape)
    map_in_large_pages(numbers.data_ptr(), num_bytes)
    return numbers


class Stretch:
    """The keys (K, n, D) and values (K, n, E) of a node's tokens, layer by layer; the first `num_done` are computed."""

    def __init__(self, node: Node, parent: Stretch | None) -> None:
        self.node = node
        self.parent = parent
        self.room = rounded(len(node.token_ids))  # tokens of the room that its tiles lie in
        self.lender: Stretch | None = None  # whose keys and values they are, if not its own
        self.num_done = 0
        self.keys: dict[int, torch.Tensor] = {}
        self.values: dict[int, torch.Tensor] = {}

    @property
    def start(self) -> int:
        """The position of its first token."""
        return self.node.start

    @property
    def end(self) -> int:
        """The position after its last token."""
        return self.node.end

    @cached_property
    def seen(self) -> Seen:
        """Its tokens, and those above it, to look up what may come next."""
        return Seen(token for each in self.node.chain() for token in each.token_ids)

    def __len__(self) -> int:
        return len(self.node.token_ids)

    def chain(self) -> tuple[Stretch, ...]:
        """The stretches from the root down to this one."""
        stretches: list[Stretch] = []
        stretch: Stretch | None = self
        while stretch is not None:
            stretches.append(stretch)
            stretch = stretch.parent
        return tuple(reversed(stretches))

    @property
    def num_bytes(self) -> int:
        """The memory of its keys and values."""
        return sum(each.nbytes for kept in (self.keys, self.values) for each in kept.values())

    def can_lend(self, begin: int) -> bool:
        """Whether its tokens from `begin` on can be read where they lie: tiles hold whole runs of them."""
        return begin % ROOM == 0 or all(each.dim() == FLAT for each in self.keys.values())

    def lent(self, node: Node, parent: Stretch | None, begin: int) -> Stretch:
        """The stretch of a node whose tokens are computed, and are this one's from `begin` on, where they lie."""
        made = Stretch(node, parent)
        made.lender, made.room, made.num_done = self.lender or self, self.room, len(made)
        end = begin + len(made)
        for layer, keys in self.keys.items():
            values = self.values[layer]
            if keys.dim() == FLAT:
                made.keys[layer], made.values[layer] = keys[:, begin:end], values[:, begin:end]
            else:
                made.keys[layer], made.values[layer] = keys[:, :, begin // 16 :], values[:, :, begin // 32 :]
        return made

    def tiles(self, layer: int, shape: HeadShape, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Room for a layer's keys and values, as tiles; made on first use. The address says it all: see `tiles.attention`."""
        if layer not in self.keys:
            self.keys[layer], self.values[layer] = new_tiles(1, self.room, shape, like)
        return self.keys[layer], self.values[layer]

    def flat(self, layer: int, shape: HeadShape, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Room for a layer's keys (K, n, D) and values (K, n, E); made on first use."""
        if layer not in self.keys:
            self.keys[layer] = like.new_empty(shape.num_heads, len(self), shape.key_size)
            self.values[layer] = like.new_empty(shape.num_heads, len(self), shape.value_size)
        return self.keys[layer], self.values[layer]

    def put(self, layer: int, begin: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Keeps keys (K, t, D) and values (K, t, E) of its tokens from `begin` on."""
        kept_keys, kept_values = self.flat(layer, HeadShape.of(keys, values), keys)
        end = begin + keys.shape[1]
        kept_keys[:, begin:end] = keys
        kept_values[:, begin:end] = values


class Slots:
    """Room for the own keys and values of rows in progress: `num` slots of `room` tokens each, layer by layer.

    Keys are (S, K, R / lanes, D, lanes), values (S, K, R, E). A slot that is free may hold anything.
    """

    is_kept = True  # what is stored is read by later passes

    def __init__(self, num: int, room: int, arena: Arena | None = None, *, lanes: int = LANES) -> None:
        self.num = num
        self.lanes = lanes
        self._arena = arena
        self.room = rounded(room)
        self.free = list(range(num - 1, -1, -1))
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def layer(self, number: int, shape: HeadShape, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A layer's keys and values, made on first use with the dtype and device of `like`."""
        if number not in self.layers:
            self.layers[number] = self.make(shape, like)
        return self.layers[number]

    def num_bytes(self, num_tokens: int) -> int:
        """What so many tokens of one slot take in all layers, as they are kept."""
        whole = sum(each.nbytes for pair in self.layers.values() for each in pair)
        return whole // (self.num * self.room) * rounded(num_tokens)

    def make(self, shape: HeadShape, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """New keys and values of one layer."""
        if self.lanes == LANES and takes_tiles(shape, like):
            return new_tiles(self.num, self.room, shape, like, self._arena)
        shapes = (
            (self.num, shape.num_heads, self.room // self.lanes, shape.key_size, self.lanes),
            (self.num, shape.num_heads, self.room, shape.value_size),
        )
        if like.device.type == "cpu":
            keys, values = (zeros_in_large_pages(each, like.dtype, self._arena) for each in shapes)
        else:  # batched products there multiply what is unused by zero: it must be finite
            keys, values = (like.new_zeros(each) for each in shapes)
        return keys, values


class Scratch(Slots):
    """Slots whose keys and values nobody needs after the layer that made them: all layers use the same room."""

    is_kept = False

    def __init__(self, num: int, room: int, *, lanes: int = LANES) -> None:
        super().__init__(num, room, lanes=lanes)
        self._by_shape: dict[HeadShape, tuple[torch.Tensor, torch.Tensor]] = {}

    def layer(self, number: int, shape: HeadShape, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values for any layer of this shape."""
        if shape not in self._by_shape:
            self._by_shape[shape] = self.make(shape, like)
        return self._by_shape[shape]
