"""Sixteen numbers at once against torch, on every processor."""

import functools
import math
import struct
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports torch, and compiles


@functools.cache
def moving() -> Any:
    """Small loops over what is loaded and stored, as the package's own loops are compiled."""
    from types import SimpleNamespace

    from numba import njit

    from promptkit.generate.engine.tiles import vectors as v

    loop = njit(fastmath=True, boundscheck=False)

    @loop
    def copy(source, to):
        for place in range(0, len(source), 16):
            v.store(to, place, v.load(source, place))

    @loop
    def lanes_between(one, first, last, other, to):
        v.store(to, 0, v.between(v.load(one, 0), first, last, v.load(other, 0)))

    @loop
    def ask(numbers, offset, address):
        v.prefetch(numbers, offset)
        v.prefetch_at(address)

    @loop
    def scatter(numbers, apart, pairs):
        v.store_apart_at(numbers, 0, apart)
        v.store_pairs_at(numbers, 0, pairs)

    return SimpleNamespace(copy=copy, lanes_between=lanes_between, ask=ask, scatter=scatter)


@functools.cache
def computing() -> Any:
    """The same over what is computed."""
    from types import SimpleNamespace

    from numba import njit

    from promptkit.generate.engine.tiles import vectors as v

    loop = njit(fastmath=True, boundscheck=False)

    @loop
    def power(numbers, to):
        for place in range(0, len(numbers), 16):
            v.store(to, place, v.exp2(v.load(numbers, place)))

    @loop
    def fold(numbers):
        return v.sum_lanes(v.load(numbers, 0)), v.greatest_lane(v.load(numbers, 0))

    @loop
    def arithmetic(one, other, third, to):
        x, y, z = v.load(one, 0), v.load(other, 0), v.load(third, 0)
        results = (v.add(x, y), v.subtract(x, y), v.multiply(x, y), v.divide(x, y), v.greater(x, y))
        place = 0
        for each in results:
            v.store(to, place, each)
            place += 16
        v.store(to, 80, v.multiply_add(x, y, z))
        v.store(to, 96, v.positive_or(x, y, z))
        v.store(to, 112, v.splat(one[3]))
        v.store(to, 128, v.zero())

    return SimpleNamespace(power=power, fold=fold, arithmetic=arithmetic)


def awkward():
    """Float32 numbers (n,) of every size: random bits that are no NaN, ties, both zeros, the greatest, infinity."""
    draw = np.random.default_rng(0)
    bits = draw.integers(0, 2**32, 40_000, dtype=np.uint32)
    halfway = (bits[:8000] & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    beside = np.concatenate([halfway - np.uint32(1), halfway, halfway + np.uint32(1)])
    numbers = np.concatenate([bits, beside]).view(np.float32)
    edges = [0.0, -0.0, 3.4e38, -3.4e38, 3.3895314e38, 3.3961775e38, 1.1754944e-38, -1.1754944e-38, math.inf, -math.inf]
    numbers = np.concatenate([np.array(edges, np.float32), numbers[~np.isnan(numbers)]])
    is_normal = (np.abs(numbers) >= np.finfo(np.float32).tiny) | (numbers == 0)
    numbers = numbers[is_normal]
    return numbers[: len(numbers) // 16 * 16].copy()


def test_what_is_stored_as_bfloat16_is_rounded_as_torch_rounds():
    """To the nearest, ties to even, beyond the greatest to infinity: or the engine's numbers would drift from a model's."""
    import torch

    numbers = awkward()
    made = np.zeros(len(numbers), np.uint16)
    moving().copy(numbers, made)
    assert np.array_equal(made, torch.from_numpy(numbers).bfloat16().view(torch.uint16).numpy())


def test_what_is_too_small_for_a_normal_number_is_rounded_or_zero():
    """Processors with an instruction for the rounding take numbers below 1.2e-38 for zero; the sign stays."""
    import torch

    small = np.arange(1, 0x00800000, 52_439, dtype=np.uint32)
    numbers = np.concatenate([small, small | np.uint32(0x80000000)]).view(np.float32)
    numbers = numbers[: len(numbers) // 16 * 16].copy()
    made = np.zeros(len(numbers), np.uint16)
    moving().copy(numbers, made)
    rounded = torch.from_numpy(numbers).bfloat16().view(torch.uint16).numpy()
    assert np.all((made == rounded) | (made == rounded & 0x8000))


def test_every_bfloat16_number_is_loaded_as_it_is():
    """All 65,536 of them, infinities and the smallest included; a NaN stays one."""
    import torch

    halves = np.arange(2**16, dtype=np.uint16)
    made = np.zeros(len(halves), np.float32)
    moving().copy(halves, made)
    wanted = torch.from_numpy(halves).view(torch.bfloat16).float().numpy()
    assert np.array_equal(made, wanted, equal_nan=True)
    assert np.array_equal(np.signbit(made), np.signbit(wanted))


def test_float32_numbers_are_copied_bit_by_bit():
    """Loads and stores compute nothing, from any offset on."""
    numbers = awkward()
    made = np.zeros(len(numbers) + 1, np.float32)
    moving().copy(numbers, made[1:])
    assert np.array_equal(made[1:].view(np.uint32), numbers.view(np.uint32))
    assert made[0] == 0


def test_exp2_is_right_to_the_error_that_it_states():
    """2.2e-7 of the value over [-126, 0]: at whole numbers, between them, and on both sides of the halves."""
    draw = np.random.default_rng(0)
    halves = np.arange(-252, 1, dtype=np.float32) / 2
    near = [np.nextafter(halves, np.float32(way)) for way in (-200, 0)]
    small = -(2.0 ** -draw.uniform(0, 140, 1600))
    parts = [halves, *near, -126 * draw.random(160_000), small, np.array([-0.0, -1e-45])]
    numbers = np.clip(np.concatenate(parts).astype(np.float32), -126, 0)
    numbers = numbers[: len(numbers) // 16 * 16].copy()
    made = np.zeros(len(numbers), np.float32)
    computing().power(numbers, made)
    wanted = np.exp2(numbers.astype(np.float64))
    assert np.abs(made / wanted - 1).max() < 2.2e-7


def test_exp2_of_what_is_far_below_is_the_smallest_normal_number():
    """Scores that are not seen are so far below: they must neither wrap around nor become NaN."""
    below = [-126.00001, -126.5, -127, -128, -149, -150, -1e3, -1e10, -3e38, -3.4028235e38, -math.inf]
    numbers = np.array([*below, -126, -126, -126, -126, -126], np.float32)
    made = np.zeros(16, np.float32)
    computing().power(numbers, made)
    assert len(set(made.tolist())) == 1
    assert made[0] == pytest.approx(2.0**-126, rel=2.2e-7, abs=0)


@pytest.mark.parametrize(("first", "last"), [(0, 16), (0, 0), (3, 9), (15, 16), (16, 16), (9, 3), (-5, 4), (7, 99)])
def test_between_takes_the_lanes_that_it_is_told(first, last):
    """And no lane where the last comes before the first; bounds may lie outside."""
    one, other = np.arange(16, dtype=np.float32), -np.arange(16, dtype=np.float32) - 100
    made = np.zeros(16, np.float32)
    moving().lanes_between(one, first, last, other, made)
    assert made.tolist() == [one[lane] if first <= lane < last else other[lane] for lane in range(16)]


def test_sums_and_maxima_are_over_all_lanes():
    """Whole numbers sum exactly in any order; the greatest may stand in any lane, among negative ones too."""
    for lane in range(16):
        numbers = np.arange(-40, -24, dtype=np.float32)
        numbers[lane] = -3 - lane
        total, greatest = computing().fold(numbers)
        assert (total, greatest) == (numbers.sum(), -3 - lane)
    lowest = np.full(16, -3e38, np.float32)
    assert computing().fold(lowest)[1] == np.float32(-3e38)


def test_arithmetic_is_lane_by_lane():
    """One rounding a step, as the processor's; a fused step may round once where two were said."""
    draw = np.random.default_rng(0)
    one, other, third = (draw.normal(size=16).astype(np.float32) for _ in range(3))
    one[4], one[5] = 0.0, -0.0
    made = np.zeros(9 * 16, np.float32)
    computing().arithmetic(one, other, third, made)
    rows = made.reshape(9, 16)
    exact = [one + other, one - other, one * other, one / other, np.maximum(one, other)]
    np.testing.assert_allclose(rows[:5], exact, rtol=2**-23, atol=0)
    fused = one.astype(np.float64) * other + third
    np.testing.assert_allclose(rows[5], fused, rtol=1e-6, atol=1e-7)
    assert np.array_equal(rows[6], np.where(one >= 0, other, third))
    assert np.array_equal(rows[7], np.full(16, one[3]))
    assert not rows[8].any()


def test_asking_ahead_is_harmless_at_any_address():
    """The loops ask beyond the end of what they read; it must neither fault nor change a number."""
    numbers = np.arange(16, dtype=np.float32)
    for offset in (0, 15, 10**6, -(10**6)):
        moving().ask(numbers, offset, 64)
    moving().ask(numbers, 0, 2**62)
    assert numbers.tolist() == list(range(16))


def test_numbers_are_stored_apart_and_in_pairs_and_nothing_between():
    """A key goes into sixteen cache lines, a pair of numbers in each; a value beside its neighbour's."""
    numbers = np.arange(1, 33, dtype=np.uint16)
    apart, pairs = np.zeros(64, np.uint16), np.zeros(32 * 16 + 32, np.uint16)
    moving().scatter(numbers, apart.ctypes.data, pairs.ctypes.data)
    assert apart[: 2 * 16 : 2].tolist() == numbers[:16].tolist()
    apart[: 2 * 16 : 2] = 0
    assert not apart.any()
    lines = pairs.reshape(-1, 32)
    assert lines[:16, :2].tolist() == numbers.reshape(16, 2).tolist()
    assert not lines[:, 2:].any()
    assert not lines[16:].any()


def test_whole_is_where_a_sum_keeps_no_fraction():
    """The constant that `exp2` finds whole parts with: its last bits spell the whole number that was added."""
    from promptkit.generate.engine.tiles.vectors import WHOLE

    for whole in (-126, -1, 0):
        (bits,) = struct.unpack("<i", struct.pack("<f", np.float32(WHOLE + np.float32(whole + 0.3))))
        (zero,) = struct.unpack("<i", struct.pack("<f", WHOLE))
        assert bits - zero == whole
