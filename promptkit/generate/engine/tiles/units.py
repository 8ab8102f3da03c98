"""The processor's matrix units: tiles of 16 rows of 64 bytes, multiplied in bfloat16 and summed in float32 (Intel AMX).

Eight tiles, by number. A tile of the left side holds 16 rows of 32 numbers; one of the right side 16 pairs of rows of 16
columns, the two rows of a pair side by side; one of sums 16 rows of 16 numbers. Rows should begin at multiples of 64
bytes: each that does not takes several times as long to load.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from promptkit.generate.engine.tiles.vectors import call, pointer
from promptkit.generate.hardware import has_matrix_units

__all__ = [
    "COLUMNS",
    "DEPTH",
    "PAIR",
    "TILE",
    "configuration",
    "has_tiles",
    "pack_left",
    "pack_right",
    "tile_clear",
    "tile_load",
    "tile_load_at",
    "tile_multiply",
    "tile_release",
    "tile_start",
    "tile_store",
    "tile_stream",
]

TILE = 512  # bfloat16 numbers of a tile
ROWS = 16
COLUMNS = 16  # of a tile of the right side
DEPTH = 32  # numbers of a row of the left side: what one product sums over
PAIR = 2

PERMISSION_CALL, REQUEST_PERMISSION, TILE_DATA = 158, 0x1023, 18  # arch_prctl of Linux on x86-64

BYTE, LONG = ir.IntType(8), ir.IntType(64)
ADDRESS = BYTE.as_pointer()


@functools.cache
def has_tiles() -> bool:
    """Whether the processor has such units and the system lets this process use them."""
    if not has_matrix_units():
        return False
    return bool(ctypes.CDLL(None).syscall(PERMISSION_CALL, REQUEST_PERMISSION, TILE_DATA) == 0)


@functools.cache
def configuration() -> Any:
    """What `tile_start` takes: eight tiles of 16 rows of 64 bytes."""
    config = np.zeros(64, np.uint8)
    config[0] = 1
    config[16:32:2] = 64
    config[48:56] = ROWS
    return config


def are_known(*numbers: Any) -> bool:
    """Whether the numbers of tiles stand in the code itself, as they must."""
    return all(isinstance(each, types.IntegerLiteral) for each in numbers)


def number_of(tile: Any) -> Any:
    """A tile's number, as the instruction has it."""
    return ir.Constant(BYTE, tile.literal_value)


def command(context: Any, builder: Any, name: str, arguments: Sequence[Any]) -> Any:
    """Has the processor do something with its tiles."""
    call(builder, f"llvm.x86.{name}", ir.VoidType(), arguments)
    return context.get_dummy_value()


@intrinsic  # type: ignore[untyped-decorator]
def tile_start(_context: Any, config: Any) -> Any:
    """Sets the tiles up in this thread, all zero."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[0], args[0], ir.Constant(LONG, 0), BYTE)
        return command(context, builder, "ldtilecfg", [place])

    return types.none(config), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_release(_context: Any) -> Any:
    """Gives the tiles of this thread back."""

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        return command(context, builder, "tilerelease", [])

    return types.none(), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_clear(_context: Any, tile: Any) -> Any:
    """Sets a tile to zero."""
    if not are_known(tile):
        return None

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        return command(context, builder, "tilezero", [number_of(tile)])

    return types.none(types.literal(tile.literal_value)), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_load(_context: Any, tile: Any, array: Any, _offset: Any, _stride: Any) -> Any:
    """Loads a tile from an array's flat memory: from the element at `offset` on, rows `stride` bytes apart."""
    if not are_known(tile):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[1], args[1], args[2], BYTE)
        return command(context, builder, "tileloadd64", [number_of(tile), place, args[3]])

    return types.none(types.literal(tile.literal_value), array, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_load_at(_context: Any, tile: Any, _address: Any, _stride: Any) -> Any:
    """Loads a tile from an address, rows `stride` bytes apart."""
    if not are_known(tile):
        return None

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        place = builder.inttoptr(args[1], ADDRESS)
        return command(context, builder, "tileloadd64", [number_of(tile), place, args[2]])

    return types.none(types.literal(tile.literal_value), types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_stream(_context: Any, tile: Any, array: Any, _offset: Any, _stride: Any) -> Any:
    """`tile_load` for what will not be needed again soon: it does not push other things out of the nearest cache."""
    if not are_known(tile):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[1], args[1], args[2], BYTE)
        return command(context, builder, "tileloaddt164", [number_of(tile), place, args[3]])

    return types.none(types.literal(tile.literal_value), array, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_store(_context: Any, tile: Any, array: Any, _offset: Any, _stride: Any) -> Any:
    """Writes a tile of sums to an array's flat memory; see `tile_load`."""
    if not are_known(tile):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[1], args[1], args[2], BYTE)
        return command(context, builder, "tilestored64", [number_of(tile), place, args[3]])

    return types.none(types.literal(tile.literal_value), array, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def tile_multiply(_context: Any, sums: Any, left: Any, right: Any) -> Any:
    """Adds the product of two tiles to a tile of sums."""
    if not are_known(sums, left, right):
        return None
    numbers = (sums, left, right)

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        return command(context, builder, "tdpbf16ps", [number_of(each) for each in numbers])

    return types.none(*[types.literal(each.literal_value) for each in numbers]), generate


def pack_right(weight: torch.Tensor) -> torch.Tensor:
    """Weights (N, C), laid out as tiles of the right side (N / 32, C / 32, 2, 16, 32): two tiles of columns together."""
    num, depth = weight.shape
    pairs = weight.view(num // 32, 2, COLUMNS, depth // DEPTH, DEPTH // PAIR, PAIR)
    return pairs.permute(0, 3, 1, 4, 2, 5).contiguous().view(num // 32, depth // DEPTH, 2, DEPTH // PAIR, DEPTH)


def pack_left(rows: torch.Tensor) -> torch.Tensor:
    """Rows (T, C), laid out as tiles of the left side (2 ceil(T / 32), C / 32, 16, 32); what is added is zero."""
    num, depth = rows.shape
    padded = rows.new_zeros(-(-num // 32) * 32, depth)
    padded[:num] = rows
    return padded.view(-1, ROWS, depth // DEPTH, DEPTH).transpose(1, 2).contiguous()
