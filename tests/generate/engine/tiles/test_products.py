"""Products in tiles against float64 products of the same bfloat16 numbers."""

from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # imports torch, and compiles

ROWS_OF = [1, 5, 16, 17, 31, 32, 33, 100, 600]  # on both sides of a tile, a block, and a chunk of rows
SIZES = [(32, 32), (96, 64), (320, 256), (64, 1056)]  # columns and inputs
ONCE: dict[str, Any] = {"rtol": 2**-8, "atol": 2e-5}  # half a bit of bfloat16, and the float32 sums
GUARD = 77.0


def drawn(num_rows, size, scale=1.0):
    """Inputs (T, C) and weights (N, C) whose products are of the size of `scale`."""
    import torch

    num_columns, depth = size
    torch.manual_seed(num_rows + num_columns)
    return (
        (torch.randn(num_rows, depth) * scale).bfloat16(),
        (torch.randn(num_columns, depth) * depth**-0.5).bfloat16(),
    )


def exact(hidden, weight):
    """The products (T, N), float64."""
    return hidden.double() @ weight.double().T


def multiply(kind, hidden, weight, *, bias=None, out=None, size=None, num_threads=2):
    """What the loop writes beside `out`: tokens, sums and greatest ones, (P, T) each."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.tiles.desk import bits
    from promptkit.generate.engine.tiles.products import multiply_weights
    from promptkit.generate.engine.tiles.teamwork import new_counters
    from promptkit.generate.engine.tiles.units import configuration, pack_left, pack_right

    nothing = hidden.new_empty(0)
    shape = (num_threads + 1, len(hidden))  # one thread's more than there are threads: a guard
    best, totals, tops = np.full(shape, 77), np.full(shape, GUARD, np.float32), np.full(shape, GUARD, np.float32)
    multiply_weights(
        kind,
        configuration(),
        *(array(pack_left(hidden)), array(pack_right(weight)), bits(nothing if bias is None else bias)),
        *(len(hidden), len(weight) if size is None else size, new_counters(1, num_threads)),
        torch.empty(num_threads, 1024).numpy(),
        *(bits(nothing if out is None else out), best[:-1], totals[:-1], tops[:-1]),
    )
    assert (best[-1] == 77).all()
    assert (totals[-1] == GUARD).all()
    assert (tops[-1] == GUARD).all()
    return best[:-1], totals[:-1], tops[:-1]


def guarded(num_rows, num_columns):
    """Room for rows, and four rows more that nobody may touch."""
    import torch

    return torch.full((num_rows + 4, num_columns), GUARD).bfloat16()


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_rows_are_the_products_rounded_once(num_rows):
    """For any number of threads, those without any columns to compute included; nothing beyond the rows is written."""
    import torch

    from promptkit.generate.engine.tiles.products import ROWS

    for number, size in enumerate(SIZES):
        hidden, weight = drawn(num_rows, size)
        out = guarded(num_rows, size[0])
        multiply(ROWS, hidden, weight, out=out, num_threads=1 + number)
        torch.testing.assert_close(out[:num_rows].double(), exact(hidden, weight), **ONCE)
        assert (out[num_rows:] == GUARD).all()


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_a_bias_is_added_before_the_rounding(num_rows):
    """One rounding in all: the model's own two may be as much as a bit apart from it, and further from the truth."""
    import torch

    from promptkit.generate.engine.tiles.products import ROWS

    for size in SIZES:
        hidden, weight = drawn(num_rows, size)
        bias = (torch.randn(size[0]) * 3).bfloat16()
        out = guarded(num_rows, size[0])
        multiply(ROWS, hidden, weight, bias=bias, out=out)
        torch.testing.assert_close(out[:num_rows].double(), exact(hidden, weight) + bias.double(), **ONCE)
        assert (out[num_rows:] == GUARD).all()


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_added_products_come_on_top_of_what_is_there(num_rows):
    """The residual stream, with and without a bias: sums are float32, and rounded as they are kept."""
    import torch

    from promptkit.generate.engine.tiles.products import ADDED

    for size in SIZES:
        hidden, weight = drawn(num_rows, size)
        for bias in (None, torch.randn(size[0]).bfloat16()):
            out = guarded(num_rows, size[0])
            out[:num_rows] = torch.randn(num_rows, size[0]).bfloat16() * 4
            wanted = out[:num_rows].double() + exact(hidden, weight)
            multiply(ADDED, hidden, weight, bias=bias, out=out)
            if bias is not None:
                wanted += bias.double()
            torch.testing.assert_close(out[:num_rows].double(), wanted, **ONCE)
            assert (out[num_rows:] == GUARD).all()


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_gated_products_are_silu_of_one_half_times_the_other(num_rows):
    """Far values too: an exponential that overflows would make NaN of them. The rows come packed, those added as they were."""
    import torch

    from promptkit.generate.engine.tiles.products import GATED

    for (half, depth), scale in zip([(32, 32), (96, 64), (160, 256), (64, 96)], [0.1, 1, 10, 300], strict=True):
        hidden, weight = drawn(num_rows, (2 * half, depth), scale)
        gate, up = weight[:half], weight[half:]
        num_tiles = -(-num_rows // 32) * 2
        out = torch.full((num_tiles + 1, half // 32, 16, 32), GUARD).bfloat16()
        both = torch.stack([each.view(-1, 16, depth) for each in (gate, up)], dim=1).flatten(0, 2)
        multiply(GATED, hidden, both, out=out, size=half)
        rows = out.transpose(1, 2).reshape(-1, half)
        wanted = torch.nn.functional.silu(exact(hidden, gate)) * exact(hidden, up)
        near = 2e-5 * scale * max(1.0, scale)  # the float32 sums, each times the other
        torch.testing.assert_close(rows[:num_rows].double(), wanted, rtol=2**-8, atol=near)
        assert (rows[num_rows:] == GUARD).all()


def likeliest(hidden, weight, num_threads):
    """The column and the product that all threads together find greatest in each row."""
    from promptkit.generate.engine.tiles.products import LIKELIEST

    best, _, tops = multiply(LIKELIEST, hidden, weight, num_threads=num_threads)
    top = tops.max(axis=0)
    return np.where(tops == top, best, len(weight)).min(axis=0), top


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_the_likeliest_column_is_the_first_of_equals(num_rows):
    """Small whole numbers make many equal products: in one tile, across tiles, across what threads take."""
    import torch

    torch.manual_seed(num_rows)
    for num_columns, num_threads in [(32, 1), (320, 2), (352, 3)]:
        hidden = torch.randint(-2, 3, (num_rows, 32)).bfloat16()
        weight = torch.randint(-1, 2, (num_columns, 32)).bfloat16()
        products = exact(hidden, weight)
        best, tops = likeliest(hidden, weight, num_threads)
        firsts = [row.index(max(row)) for row in products.tolist()]
        assert best.tolist() == firsts
        assert tops.tolist() == products.max(dim=1).values.tolist()


@pytest.mark.parametrize("place", [0, 15, 16, 31, 32, 200, 319])
def test_the_likeliest_column_may_stand_anywhere_and_below_zero(place):
    """All products negative, one of them the least so; of three equal ones the first."""
    import torch

    hidden, weight = torch.ones(40, 32).bfloat16(), -torch.ones(320, 32).bfloat16()
    weight[place:] *= 2
    weight[[place, min(place + 17, 319), 319]] = -0.25
    best, tops = likeliest(hidden, weight, 2)
    assert best.tolist() == [place] * 40
    assert tops.tolist() == [-8.0] * 40


@pytest.mark.parametrize("num_rows", ROWS_OF)
def test_totals_are_the_sums_of_exponentials_below_the_greatest(num_rows):
    """Each thread's own; together they give the log-sum-exp of a row, flat or with one peak."""
    import torch

    from promptkit.generate.engine.tiles.products import TOTALS

    for number, (size, scale) in enumerate(zip(SIZES, [0.1, 1, 8, 60], strict=True)):
        hidden, weight = drawn(num_rows, size, scale)
        products = exact(hidden, weight)
        _, totals, tops = multiply(TOTALS, hidden, weight, num_threads=1 + number)
        top = tops.max(axis=0).astype(np.float64)
        made = np.log((totals * np.exp(tops - top)).sum(axis=0)) + top
        torch.testing.assert_close(torch.from_numpy(made), products.logsumexp(dim=1), rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose(top, products.max(dim=1).values.numpy(), rtol=1e-5, atol=1e-5)
