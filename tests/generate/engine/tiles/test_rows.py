"""The norm and the rotation between products, against transformers' own."""

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # imports torch, and compiles

CLOSE: dict[str, Any] = {"rtol": 2**-6, "atol": 2**-7}  # as `test_kernels` allows in bfloat16
GUARD = 77.0


def unpacked(tiles, num_columns):
    """The rows of a left side."""
    return tiles.view(-1, num_columns // 32, 16, 32).transpose(1, 2).reshape(-1, num_columns)


@pytest.mark.parametrize("num_rows", [1, 7, 16, 33])
@pytest.mark.parametrize("size", [32, 96, 480])
def test_the_norm_is_the_models_own(size, num_rows):
    """Rounded where the module rounds; small and large rows; packed for the next product, and nothing beyond."""
    import torch
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.tiles.desk import bits
    from promptkit.generate.engine.tiles.rows import norm

    torch.manual_seed(size)
    module = LlamaRMSNorm(size, eps=1e-5).bfloat16()
    module.weight.data = torch.randn(size).bfloat16()
    hidden = (torch.randn(num_rows, size) * 10.0 ** torch.randint(-4, 4, (num_rows, 1))).bfloat16()
    before = hidden.clone()
    left = torch.full((-(-num_rows // 32) * 2, size // 32, 16, 32), GUARD).bfloat16()
    norm(array(hidden), bits(module.weight.data), np.float32(1e-5), 0, num_rows, bits(left))
    rows = unpacked(left, size)
    assert torch.equal(hidden, before)
    torch.testing.assert_close(rows[:num_rows], module(hidden).detach(), **CLOSE)
    assert (rows[num_rows:] == GUARD).all()


@pytest.mark.parametrize("num_rows", [1, 9, 33])
@pytest.mark.parametrize("size", [32, 64, 96, 128])
def test_the_rotation_is_the_models_own(size, num_rows):
    """Queries and keys stand before the values in a row; the values must stay as they are."""
    import torch
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.tiles.desk import bits, row_shape
    from promptkit.generate.engine.tiles.rows import rotation

    torch.manual_seed(size)
    heads = torch.randn(num_rows, 8, size).bfloat16()  # four of queries, two of keys, two of values
    angles = torch.rand(num_rows, size // 2) * 6
    cos, sin = (torch.cat([each(angles)] * 2, dim=-1).bfloat16() for each in (torch.cos, torch.sin))
    query, keys = (heads[None, :, part].transpose(1, 2) for part in (slice(4), slice(4, 6)))
    wanted = [each[0].transpose(0, 1) for each in apply_rotary_pos_emb(query, keys, cos[None], sin[None])]
    turned = heads.clone()
    rotation(bits(turned), 8 * size, row_shape(2, 2, size, size).numbers, array(cos), array(sin), 0, num_rows)
    torch.testing.assert_close(turned[:, :6], torch.cat(wanted, dim=1), **CLOSE)
    assert torch.equal(turned[:, 6:], heads[:, 6:])


def test_the_rotation_leaves_what_lies_beyond_the_angles():
    """Some models turn a part of each head alone."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.tiles.desk import bits, row_shape
    from promptkit.generate.engine.tiles.rows import rotation

    torch.manual_seed(0)
    heads, angles = torch.randn(5, 3, 64).bfloat16(), torch.rand(5, 16) * 6
    cos, sin = (torch.cat([each(angles)] * 2, dim=-1).bfloat16() for each in (torch.cos, torch.sin))
    one, other = heads[..., :16].double(), heads[..., 16:32].double()
    wanted = [
        one * cos[:, None, :16].double() - other * sin[:, None, :16].double(),
        other * cos[:, None, 16:].double() + one * sin[:, None, 16:].double(),
    ]
    turned = heads.clone()
    rotation(bits(turned), 3 * 64, row_shape(1, 1, 64, 64).numbers, array(cos), array(sin), 0, 5)
    torch.testing.assert_close(turned[:, :2, :32].double(), torch.cat(wanted, dim=-1)[:, :2], rtol=2**-8, atol=1e-6)
    assert torch.equal(turned[:, :2, 32:], heads[:, :2, 32:])
    assert torch.equal(turned[:, 2], heads[:, 2])


def test_rows_outside_of_a_job_stay_as_they_are():
    """Threads share the rows among them: a job has the rows [first, last), and touches no other."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.tiles.desk import bits, row_shape
    from promptkit.generate.engine.tiles.rows import norm, rotation

    torch.manual_seed(0)
    hidden, weight = torch.randn(40, 64).bfloat16(), torch.randn(64).bfloat16()
    whole, pieces, one = (torch.full((4, 2, 16, 32), GUARD).bfloat16() for _ in range(3))
    norm(array(hidden), bits(weight), np.float32(1e-5), 0, 40, bits(whole))
    for first, last in [(0, 8), (8, 9), (9, 33), (33, 40)]:
        norm(array(hidden), bits(weight), np.float32(1e-5), first, last, bits(pieces))
    assert torch.equal(pieces, whole)
    norm(array(hidden), bits(weight), np.float32(1e-5), 15, 17, bits(one))
    assert (unpacked(one, 64) != GUARD).any(dim=1).nonzero().view(-1).tolist() == [15, 16]
    rows, angles = torch.randn(9, 3 * 32).bfloat16(), torch.rand(9, 32)
    cos, sin = angles.cos().bfloat16(), angles.sin().bfloat16()
    turned = rows.clone()
    rotation(bits(turned), 3 * 32, row_shape(1, 1, 32, 32).numbers, array(cos), array(sin), 3, 5)
    assert (turned != rows).any(dim=1).nonzero().view(-1).tolist() == [3, 4]
