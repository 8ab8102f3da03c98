"""The last product: finer than its dtype where options are scored."""

import pytest

pytestmark = pytest.mark.slow


def test_two_rounded_products_are_as_good_as_a_float32_one():
    """bfloat16 has eight bits; options tie in it. The remainder of a rounded product is a second product."""
    import torch
    from torch import nn

    from promptkit.generate.engine.blocks import Head, can_pack

    if not can_pack():
        pytest.skip("this processor has no bfloat16 products to take apart")
    torch.manual_seed(0)
    linear = nn.Linear(64, 1000, bias=False).bfloat16()
    hidden = (torch.randn(300, 64) * 8).bfloat16()
    exact = hidden.double() @ linear.weight.detach().double().T
    with torch.inference_mode():
        head = Head(linear)
        assert float((head.precise(hidden).double() - exact).abs().max()) < 2e-5 * float(exact.abs().max())
        rows, tokens = [0, 0, 17, 255, 256, 299], [5, 999, 0, 3, 4, 500]
        shares = head.log_shares(hidden, rows, tokens)
    wanted = exact.log_softmax(-1)
    for share, row, token in zip(shares, rows, tokens, strict=True):
        assert share == pytest.approx(float(wanted[row, token]), abs=1e-4)
