"""How rows and weights are laid out as tiles; what a processor must have."""

import pytest

pytestmark = pytest.mark.slow  # imports torch


def test_the_right_side_has_pairs_of_inputs_in_a_row_and_two_tiles_of_columns_together():
    """Place by place: weights (N, C) at [block, d, half, pair, 2 column + which]."""
    import torch

    from promptkit.generate.engine.tiles.units import pack_right

    weight = torch.arange(64 * 96).view(64, 96)
    tiles = pack_right(weight)
    assert tiles.shape == (2, 3, 2, 16, 32)
    assert tiles.is_contiguous()
    for column, depth in [(0, 0), (1, 0), (0, 1), (15, 31), (16, 32), (33, 95), (63, 50)]:
        here = tiles[column // 32, depth // 32, column % 32 // 16, depth % 32 // 2, column % 16 * 2 + depth % 2]
        assert here == weight[column, depth]


@pytest.mark.parametrize("num", [1, 16, 17, 32, 33, 70])
def test_the_left_side_is_made_of_whole_pairs_of_tiles(num):
    """What is added is zero: products with it must be finite."""
    import torch

    from promptkit.generate.engine.tiles.units import pack_left

    rows = torch.randn(num, 64)
    tiles = pack_left(rows)
    assert tiles.shape == (-(-num // 32) * 2, 2, 16, 32)
    assert tiles.is_contiguous()
    flat = tiles.transpose(1, 2).reshape(-1, 64)
    assert torch.equal(flat[:num], rows)
    assert not flat[num:].any()


@pytest.mark.parametrize("flags", [set(), {"amx_bf16"}, {"amx_tile", "avx512f"}])
def test_there_are_no_tiles_without_the_processors_flags(flags, monkeypatch):
    """Both kinds of instructions are used: matrix units, and vectors of 512 bits."""
    from promptkit.generate.engine.tiles import units

    monkeypatch.setattr("promptkit.generate.hardware.processor_flags", lambda: flags)
    assert not units.has_tiles.__wrapped__()


def test_there_are_no_tiles_on_other_systems(monkeypatch):
    """The permission is asked for by a call that Linux has."""
    from promptkit.generate.engine.tiles import units

    monkeypatch.setattr("sys.platform", "darwin")
    assert not units.has_tiles.__wrapped__()
