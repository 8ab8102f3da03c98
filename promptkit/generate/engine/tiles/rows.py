"""What lies between the products of a block, row by row: the norm, packed for the next product, and the rotation.

`shape` is that of `do_own`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from promptkit.generate.engine.tiles.units import TILE
from promptkit.generate.engine.tiles.vectors import (
    LANES,
    add,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    subtract,
    sum_lanes,
    zero,
)

__all__ = ["norm", "rotation"]


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def norm(hidden: Any, weight: Any, epsilon: Any, first: Any, last: Any, left: Any) -> None:
    """Writes the RMS norm of the rows [first, last) of the hidden states (T, C), packed as a left side (rows / 16, C / 32, 16, 32).

    Zhang and Sennrich 2019, section 3; rounded after the division by the root mean square, and after the product with
    `weight` (C,), as transformers' modules do.
    """
    size = hidden.shape[1]
    step = size // 32 * TILE
    for row in range(first, last):
        total = zero()
        for c in range(0, size, LANES):
            numbers = load(hidden, row * size + c)
            total = multiply_add(numbers, numbers, total)
        factor = splat(np.float32(1.0 / np.sqrt(sum_lanes(total) / np.float32(size) + epsilon)))
        place = row // 16 * step + row % 16 * 32
        for c in range(0, size, LANES):
            there = place + c // 32 * TILE + c % 32
            store(left, there, multiply(load(hidden, row * size + c), factor))
            store(left, there, multiply(load(left, there), load(weight, c)))


@njit(fastmath=True, boundscheck=False)  # type: ignore[untyped-decorator]
def rotation(rows: Any, stride: Any, shape: Any, cos: Any, sin: Any, first: Any, last: Any) -> None:
    """Turns the query and key heads of the rows [first, last) (T, stride) by their positions' angles (T, R), R <= D.

    Rotary embeddings, Su et al. 2021, section 3.2.2, with the halves of a head paired.
    """
    turned, size = cos.shape[1], shape[2]
    half, num_heads = turned // 2, shape[0] * shape[1] + shape[0]
    for row in range(first, last):
        for d in range(0, half, LANES):
            angle = row * turned + d
            cos_one, cos_other = load(cos, angle), load(cos, angle + half)
            sin_one, sin_other = load(sin, angle), load(sin, angle + half)
            for head in range(num_heads):
                place = row * stride + head * size + d
                one, other = load(rows, place), load(rows, place + half)
                store(rows, place, subtract(multiply(one, cos_one), multiply(other, sin_one)))
                store(rows, place + half, add(multiply(other, cos_other), multiply(one, sin_other)))
