"""The card's programs as functions of tensors, launched by Triton."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from promptkit.generate.engine.attention import Heads, Settings
from promptkit.generate.engine.card.readings import Cut

__all__ = ["HOLDER", "Kernels", "Partials", "TritonKernels"]

HOLDER = 5  # numbers that say where a holder's keys and values lie; see `programs`
MOST_ROWS = {2: 64, 4: 32}  # query heads of a piece, by the size of a number
STEP_ROWS, STEP_KEYS, MOST_KEYS = 32, 256, 4096
BLOCK = 32_768  # numbers of a block of keys, over the square of a number's size: float32 takes more registers

Partials = tuple[torch.Tensor, torch.Tensor]  # what lines found (P, K, G, E) and their log-sum-exp (P, K, G), float32


class Kernels(Protocol):
    """What a card computes of attention. `holders` (S, HOLDER), `homes`, `pieces` and lines are as in `Readings`, int64."""

    def cut(self, group: int, dtype: torch.dtype, *, is_large: bool) -> Cut:
        """How large pieces are at the most, where a key is read by so many query heads. A large pass has many of them."""
        ...

    def put(self, heads: Heads, holders: torch.Tensor, homes: torch.Tensor) -> None:
        """Puts new keys and values where they are kept; a token with a holder below zero is left out."""
        ...

    def read(  # noqa: PLR0913, PLR0917 - what attention is
        self,
        settings: Settings,
        heads: Heads,
        holders: torch.Tensor,
        pieces: torch.Tensor,
        most_tokens: int,
        positions: torch.Tensor,
        partials: Partials,
    ) -> None:
        """Fills the lines of all pieces, of at most so many tokens; a piece without keys is left out."""
        ...

    def merge(
        self, settings: Settings, partials: Partials, line_starts: torch.Tensor, lines: torch.Tensor, out: torch.Tensor
    ) -> None:
        """Fills `out` (T, K, G, E) from each token's lines, with zeros for tokens without any."""
        ...


class TritonKernels:
    """The programs of `programs`, compiled for the card when they are first used.

    Triton multiplies numbers of two bytes by units that cards have since Ampere. For older ones they are widened: by float32
    nothing spills, while half precision took 3 to 10 KB of spilled registers a thread.
    """

    def __init__(self, *, has_units: bool = True) -> None:
        from promptkit.generate.engine.card import programs  # noqa: PLC0415 - brings Triton

        self._programs: Any = programs
        self._has_units = has_units

    def cut(self, group: int, dtype: torch.dtype, *, is_large: bool) -> Cut:
        """See `Kernels`. Small passes are cut into more pieces, so that all of a card's processors have some."""
        num_bytes = torch.float32.itemsize if self._is_widened(dtype) else dtype.itemsize
        rows = MOST_ROWS[num_bytes] if is_large else STEP_ROWS
        return Cut(num_tokens=max(1, rows // group), num_keys=MOST_KEYS if is_large else STEP_KEYS)

    def put(self, heads: Heads, holders: torch.Tensor, homes: torch.Tensor) -> None:
        """See `Kernels`."""
        keys, values = (whole(each) for each in (heads.keys, heads.values))
        num_heads, num, size = keys.shape
        self._programs.put_tokens[num, num_heads](
            keys,
            values,
            holders,
            homes,
            keys.stride(0),
            keys.stride(1),
            values.stride(0),
            values.stride(1),
            **put_constants(size, values.shape[2], keys.dtype),
        )

    def read(  # noqa: PLR0913, PLR0917 - see `Kernels`
        self,
        settings: Settings,
        heads: Heads,
        holders: torch.Tensor,
        pieces: torch.Tensor,
        most_tokens: int,
        positions: torch.Tensor,
        partials: Partials,
    ) -> None:
        """See `Kernels`."""
        query = whole(heads.query)
        _, num_heads, group, size = query.shape
        self._programs.read_piece[len(pieces), num_heads](
            query,
            holders,
            pieces,
            positions,
            *partials,
            float(settings.scale),
            float(settings.softcap or 0.0),
            int(settings.window or 0),
            query.stride(0),
            query.stride(1),
            query.stride(2),
            **read_constants(
                settings,
                most_tokens,
                (group, size, heads.values.shape[2]),
                query.dtype,
                is_widened=self._is_widened(query.dtype),
            ),
        )

    def merge(
        self, settings: Settings, partials: Partials, line_starts: torch.Tensor, lines: torch.Tensor, out: torch.Tensor
    ) -> None:
        """See `Kernels`."""
        num, num_heads, group, value_size = out.shape
        self._programs.merge_lines[num, num_heads](
            *partials,
            line_starts,
            lines,
            partials[1] if settings.sinks is None else settings.sinks.contiguous(),
            out,
            **merge_constants(settings, group, value_size),
        )

    def _is_widened(self, dtype: torch.dtype) -> bool:
        return not self._has_units and dtype != torch.float32


def put_constants(size: int, value_size: int, dtype: torch.dtype) -> dict[str, Any]:
    """What `put_tokens` is compiled for."""
    return {
        "SIZE": size,
        "VALUE_SIZE": value_size,
        "WIDTH": width(size),
        "VALUE_WIDTH": width(value_size),
        "KIND": kind(dtype),
        "num_warps": 1,
    }


def read_constants(
    settings: Settings, most_tokens: int, sizes: tuple[int, int, int], dtype: torch.dtype, *, is_widened: bool = False
) -> dict[str, Any]:
    """What `read_piece` is compiled for, with sizes (G, D, E). Where `is_widened`, numbers are multiplied as float32."""
    group, size, value_size = sizes
    num_bytes = torch.float32.itemsize if is_widened else dtype.itemsize
    widest = max(width(size), width(value_size))
    return {
        "GROUP": group,
        "SIZE": size,
        "VALUE_SIZE": value_size,
        "ROWS": width(most_tokens * group),
        "KEYS": min(64, max(16, BLOCK // num_bytes**2 // widest)),
        "WIDTH": width(size),
        "VALUE_WIDTH": width(value_size),
        "HAS_SOFTCAP": settings.softcap is not None,
        "HAS_WINDOW": settings.window is not None,
        "IS_ALIGNED": size * dtype.itemsize % 16 == value_size * dtype.itemsize % 16 == 0,
        "IS_WIDENED": is_widened,
        "KIND": kind(dtype),
        "num_warps": 4,
        "num_stages": 2,
    }


def merge_constants(settings: Settings, group: int, value_size: int) -> dict[str, Any]:
    """What `merge_lines` is compiled for."""
    return {
        "GROUP": group,
        "VALUE_SIZE": value_size,
        "MEMBERS": 1 << (group - 1).bit_length(),
        "VALUE_WIDTH": width(value_size),
        "HAS_SINKS": settings.sinks is not None,
        "num_warps": 1,
    }


def width(num: int) -> int:
    """The numbers that a program holds where so many are wanted: a power of two, and no fewer than a product takes."""
    return max(16, 1 << (num - 1).bit_length())


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor, its last dimension's numbers side by side."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def kind(dtype: torch.dtype) -> Any:
    """The dtype as the programs name it."""
    import triton.language as tl  # noqa: PLC0415 - loaded by now

    return {torch.float32: tl.float32, torch.bfloat16: tl.bfloat16, torch.float16: tl.float16}[dtype]
