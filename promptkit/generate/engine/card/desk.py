"""What a card's programs read of a pass, laid out in the card's memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch

from promptkit.generate.engine.attention import Heads
from promptkit.generate.engine.card.kernels import HOLDER
from promptkit.generate.engine.card.readings import FIELDS, Holder, Readings
from promptkit.generate.engine.layout import Ints
from promptkit.generate.engine.stretch import HeadShape, Stretch

__all__ = ["DESK", "Desk", "Frame", "Size", "address"]

DESK = "desk"  # of a pass, among what it keeps


@dataclass(slots=True, kw_only=True)
class Desk:
    """A pass's readings as tensors (see `Readings`), and a table (S, HOLDER) of its holders for each layer.

    Tables are made as layers ask for them, since a layer's first pass makes the room that they tell of.
    """

    most_tokens: int
    positions: torch.Tensor
    homes: torch.Tensor
    pieces: torch.Tensor
    line_starts: torch.Tensor
    lines: torch.Tensor
    holders: Sequence[Holder] = ()
    tables: dict[int, torch.Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, readings: Readings, positions: torch.Tensor) -> Self:
        """The desk of one pass, on the device of its positions (T,)."""
        arrays = (readings.homes, readings.pieces, readings.line_starts, readings.lines)
        flat = sent(np.concatenate([each.reshape(-1) for each in arrays]), positions.device)
        parts = torch.split(flat, [each.size for each in arrays])
        homes, pieces, line_starts, lines = (part.view(each.shape) for part, each in zip(parts, arrays, strict=True))
        return cls(
            most_tokens=readings.most_tokens,
            positions=positions,
            homes=homes,
            pieces=pieces,
            line_starts=line_starts,
            lines=lines,
            holders=readings.holders,
        )

    def table(self, layer: int, heads: Heads) -> torch.Tensor:
        """Where the holders have a layer's keys and values (S, HOLDER)."""
        if layer not in self.tables:
            rows = [address(each, layer, heads) for each in self.holders]
            self.tables[layer] = sent(np.array(rows, np.int64), self.positions.device)
        return self.tables[layer]


def sent(numbers: Ints, device: torch.device) -> torch.Tensor:
    """The numbers on a device. Nobody waits for a card, which is busy with the layers before: that goes by pinned memory."""
    here = torch.from_numpy(numbers)
    return here.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else here.to(device)


def address(holder: Holder, layer: int, heads: Heads | None = None) -> tuple[int, ...]:
    """Where a holder has a layer's keys and values, as `programs` takes it; room is made where `heads` say for what."""
    if heads is not None:
        shape = HeadShape.of(heads.keys, heads.values)
        keys, values = (
            holder.flat(layer, shape, heads.keys)
            if isinstance(holder, Stretch)
            else holder.layer(layer, shape, heads.keys)
        )
    else:
        kept = (holder.keys[layer], holder.values[layer]) if isinstance(holder, Stretch) else holder.layers[layer]
        keys, values = kept
    if isinstance(holder, Stretch):
        return keys.data_ptr(), values.data_ptr(), 0, 0, keys.stride(0) // keys.shape[-1]
    size = keys.shape[3]  # (S, K, R, D, 1): see `Slots`
    return keys.data_ptr(), values.data_ptr(), keys.stride(0), values.stride(0), keys.stride(1) // size


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much one frame takes: tokens, pieces of so many tokens and lines of a pass, and holders."""

    num_tokens: int
    most_tokens: int
    num_pieces: int
    num_lines: int
    num_holders: int


class Frame:
    """A desk of a fixed size at a fixed address, filled anew for each pass: what a captured step reads.

    What is left over reads nothing and is put nowhere.
    """

    def __init__(self, size: Size, layers: Sequence[int], device: torch.device) -> None:
        self.size = size
        shapes = {
            "token_ids": (size.num_tokens,),
            "positions": (size.num_tokens,),
            "homes": (size.num_tokens, 3),
            "pieces": (size.num_pieces, FIELDS),
            "line_starts": (size.num_tokens + 1,),
            "lines": (size.num_lines,),
            "tables": (len(layers), size.num_holders, HOLDER),
        }
        counts = [int(np.prod(each)) for each in shapes.values()]
        self._host = torch.zeros(sum(counts), dtype=torch.int64, pin_memory=device.type == "cuda")
        self._there = torch.zeros(sum(counts), dtype=torch.int64, device=device)
        here, there = (
            {name: part.view(shapes[name]) for name, part in zip(shapes, torch.split(each, counts), strict=True)}
            for each in (self._host, self._there)
        )
        self._arrays: dict[str, Ints] = {name: part.numpy() for name, part in here.items()}
        self.token_ids = there["token_ids"]
        self.desk = Desk(
            most_tokens=size.most_tokens,
            positions=there["positions"],
            homes=there["homes"],
            pieces=there["pieces"],
            line_starts=there["line_starts"],
            lines=there["lines"],
            tables=dict(zip(layers, there["tables"], strict=True)),
        )

    def fill(
        self, token_ids: Sequence[int], positions: Sequence[int], readings: Readings, tables: Sequence[Ints]
    ) -> None:
        """Lays a pass out; `tables` (L, HOLDER) say of each of its holders where it has what.

        The copy goes on by itself: whoever fills the frame again has waited for what was computed from it.
        """
        arrays, num = self._arrays, len(token_ids)
        self._host.zero_()
        arrays["token_ids"][:num] = token_ids
        arrays["positions"][:num] = positions
        arrays["homes"][:num] = readings.homes
        arrays["homes"][num:, 0] = -1
        arrays["pieces"][: len(readings.pieces)] = readings.pieces
        arrays["line_starts"][: num + 1] = readings.line_starts
        arrays["line_starts"][num + 1 :] = readings.line_starts[-1]
        arrays["lines"][: len(readings.lines)] = readings.lines
        for number, table in enumerate(tables):
            arrays["tables"][:, number] = table
        self._there.copy_(self._host, non_blocking=True)
