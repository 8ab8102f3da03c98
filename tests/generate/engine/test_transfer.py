"""Keys and values that are copied stay what they are, number for number, wherever they begin and however they lie."""

import random

import pytest

from promptkit.generate.engine.stretch import HeadShape, Slots, Stretch, takes_tiles
from promptkit.generate.engine.transfer import Piece, fill_slot, fill_stretch, taken_out, tokens_of
from promptkit.generate.engine.tree import Node

SHAPES = {
    "float32": HeadShape(num_heads=2, key_size=12, value_size=8),
    "bfloat16": HeadShape(num_heads=3, key_size=64, value_size=32),  # tiles, where the processor has them
}


def node(num, start=0):
    return Node(parent=None, start=start, token_ids=tuple(range(num)), num_rows=1)


def filled(num, dtype, seed):
    """A stretch of random keys and values of two layers, in whichever layout it is kept here."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    shape, like = SHAPES[dtype], torch.zeros(1, dtype=getattr(torch, dtype))
    stretch = Stretch(node(num), None)
    for layer in range(2):
        if takes_tiles(shape, like):
            for each in stretch.tiles(layer, shape, like):
                each.copy_(torch.randn(each.shape, generator=draw))
        else:
            sizes = [(shape.num_heads, num, size) for size in (shape.key_size, shape.value_size)]
            stretch.put(layer, 0, *(torch.randn(each, generator=draw).to(like.dtype) for each in sizes))
    return stretch


def read(pieces, layer):
    import torch

    pairs = [tokens_of(each, layer) for each in pieces]
    return [torch.cat(each, dim=1) for each in zip(*pairs, strict=True)]


@pytest.mark.parametrize("dtype", SHAPES)
@pytest.mark.parametrize("seed", range(8))
def test_what_goes_through_a_slot_and_a_stretch_comes_back(dtype, seed):
    """Pieces of several stretches, cut anywhere, as one row's tokens."""
    import torch

    draw = random.Random(seed)
    pieces = []
    for number in range(draw.randint(1, 3)):
        num = draw.randint(1, 90)
        begin = draw.choice([0, draw.randrange(num)])
        piece = Piece(stretch=filled(num, dtype, 10 * seed + number), begin=begin, end=draw.randint(begin + 1, num))
        pieces.append(piece)
    total = sum(map(len, pieces))
    slots = Slots(3, total + draw.randint(1, 40))
    fill_slot(slots, 1, pieces)
    begin = draw.randrange(total)
    out = taken_out(slots, 1, node(total, start=5), None)
    again = Stretch(node(total - begin + 3), None)
    fill_stretch(again, [Piece(stretch=out, begin=begin, end=total)])
    assert (out.num_done, again.num_done) == (total, total - begin)
    for layer in range(2):
        for one, other, part in zip(
            read(pieces, layer),
            tokens_of(Piece(stretch=out, begin=0, end=total), layer),
            tokens_of(Piece(stretch=again, begin=0, end=total - begin), layer),
            strict=True,
        ):
            assert torch.equal(one, other)
            assert torch.equal(one[:, begin:], part)


@pytest.mark.parametrize("dtype", SHAPES)
def test_a_stretch_that_is_lent_is_read_where_it_lies(dtype):
    """From whole runs of tiles on, and from anywhere where there are none."""
    import torch

    whole = filled(80, dtype, 1)
    assert whole.can_lend(32)
    part = whole.lent(node(40, start=32), None, 32)
    for one, other in zip(
        tokens_of(Piece(stretch=whole, begin=35, end=60), 0),
        tokens_of(Piece(stretch=part, begin=3, end=28), 0),
        strict=True,
    ):
        assert torch.equal(one, other)
    assert part.keys[1].untyped_storage().data_ptr() == whole.keys[1].untyped_storage().data_ptr()
    assert (part.room, part.num_done, part.lender) == (whole.room, 40, whole)
