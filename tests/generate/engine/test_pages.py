"""Memory for slots, mapped ahead of its use: nobody gets what another has, and what is not there is made as before."""

import pytest

from promptkit.generate.engine.pages import LARGE_PAGE, Arena


@pytest.fixture
def arena():
    made = Arena(3 * LARGE_PAGE)
    yield made
    made.stop()


def taken(arena: Arena, num_bytes: int) -> memoryview:
    piece = arena.take(num_bytes)
    assert piece is not None
    return piece


def test_pieces_begin_with_cache_lines_and_do_not_overlap(arena):
    """Tiles that begin elsewhere take several times as long to load."""
    first, second = taken(arena, 100), taken(arena, 1000)
    first[:] = b"\1" * 100
    second[:] = b"\2" * 1000
    assert bytes(first) == b"\1" * 100
    assert arena.first % 64 == (-arena.address) % 64
    third = taken(arena, 1)
    assert bytes(third) == b"\0"
    assert bytes(second) == b"\2" * 1000


def test_where_no_more_is_left_nothing_is_given(arena):
    """Slots then make memory of their own."""
    assert arena.take(3 * LARGE_PAGE - 63) is not None
    assert arena.take(1) is None


def test_what_is_taken_back_is_given_again(arena):
    """The next slots of a run may be as large as the last."""
    taken(arena, 3 * LARGE_PAGE)[:3] = b"abc"
    arena.clear()
    assert bytes(taken(arena, 3)) == b"abc"


def test_all_of_it_is_zero_once_it_is_mapped():
    """The last pages too, where the size is no whole number of them."""
    made = Arena(LARGE_PAGE + 5)
    made.stop()
    assert not any(taken(made, LARGE_PAGE + 5))


@pytest.mark.slow
def test_tensors_are_taken_from_the_arena_as_long_as_it_lasts(arena):
    """Two of three large pages; the second tensor does not fit any more."""
    import torch

    from promptkit.generate.engine.stretch import zeros_in_large_pages

    shape = (2, LARGE_PAGE // 2)
    one = zeros_in_large_pages(shape, torch.bfloat16, arena)
    other = zeros_in_large_pages(shape, torch.bfloat16, arena)
    lies_in = [arena.address <= each.data_ptr() < arena.address + 4 * LARGE_PAGE for each in (one, other)]
    assert lies_in == [True, False]
    for each in (one, other):
        assert each.shape == shape
        assert each.data_ptr() % 64 == 0
        assert not each.any()
