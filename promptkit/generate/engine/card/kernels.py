"""The card's programs as functions of tensors, launched by Triton."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from promptkit.generate.engine.attention import Heads, Settings
from promptkit.generate.engine.card.readings import Cut

__all__ = ["HOLDER", "Kernels", "Partials", "TritonKernels"]

HOLDER = 5  # numbers that say where a holder's keys and values lie; see `programs`
MOST_ROWS = {2: 64, 4: 32}  # query heads of a piece, by the size of a number
STEP_TOKENS = 1024  # a pass of fewer tokens is cut small enough to keep a card's processors busy
STEP_ROWS, STEP_KEYS, MOST_KEYS = 32, 256, 4096
WIDE = 128  # numbers of a head, beyond which fewer keys are held at once

Partials = tuple[torch.Tensor, torch.Tensor]  # what lines found (P, K, G, E) and their log-sum-exp (P, K, G), float32


class Kernels(Protocol):
    """What a card computes of attention. `holders` (S, HOLDER), `homes`, `pieces` and lines are as in `Readings`, int64."""

    def cut(self, num_tokens: int, group: int, dtype: torch.dtype) -> Cut:
        """How large pieces are at the most in a pass of so many tokens."""
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
    """The programs of `programs`, compiled for the card when they are first used."""

    def __init__(self) -> None:
        from promptkit.generate.engine.card import programs  # noqa: PLC0415 - brings Triton

        self._programs: Any = programs

    def cut(self, num_tokens: int, group: int, dtype: torch.dtype) -> Cut:
        """See `Kernels`."""
        is_step = num_tokens < STEP_TOKENS
        most = min(MOST_ROWS[dtype.itemsize], STEP_ROWS if is_step else 64)
        return Cut(num_tokens=max(1, most // group), num_keys=STEP_KEYS if is_step else MOST_KEYS)

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
            SIZE=size,
            VALUE_SIZE=values.shape[2],
            WIDTH=width(size),
            VALUE_WIDTH=width(values.shape[2]),
            KIND=kind(keys.dtype),
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
        value_size = heads.values.shape[2]
        widest = max(width(size), width(value_size))
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
            GROUP=group,
            SIZE=size,
            VALUE_SIZE=value_size,
            ROWS=width(most_tokens * group),
            KEYS=64 if widest <= WIDE and query.dtype.itemsize == 2 else 32,
            WIDTH=width(size),
            VALUE_WIDTH=width(value_size),
            HAS_SOFTCAP=settings.softcap is not None,
            HAS_WINDOW=settings.window is not None,
            IS_ALIGNED=size * query.dtype.itemsize % 16 == value_size * query.dtype.itemsize % 16 == 0,
            KIND=kind(query.dtype),
            num_warps=4,
            num_stages=2,
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
            GROUP=group,
            VALUE_SIZE=value_size,
            MEMBERS=1 << (group - 1).bit_length(),
            VALUE_WIDTH=width(value_size),
            HAS_SINKS=settings.sinks is not None,
            num_warps=1,
        )


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
