"""A pass as the loops read it: which tokens see which stretches, and what each token sees of its own room."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # the loops beside are compiled on import


def stretch(length, parent=None):
    from promptkit.generate.engine.stretch import Stretch
    from promptkit.generate.engine.tree import Node

    start = parent.end if parent else 0
    node = Node(parent=parent.node if parent else None, start=start, token_ids=(5,) * length, num_rows=1)
    return Stretch(node, parent)


def over(seen, first, last, length=None):
    from promptkit.generate.engine.layout import Over

    return Over(stretch=seen, length=len(seen) if length is None else length, first=first, last=last)


def runs_of(jobs):
    """Each run of tokens as (first, last, the stretches that it sees with their lengths)."""
    return [
        (int(first), int(last), [(each.stretch, each.length) for each in jobs.overs[begin:end]])
        for first, last, begin, end in zip(jobs.firsts, jobs.lasts, jobs.chains[:-1], jobs.chains[1:], strict=True)
    ]


def part(slot, below, num, *, first=0, gap=0):
    """Tokens of a row that see what comes before; with a gap, all but so many of its beginning."""
    from promptkit.generate.engine.layout import Part

    start = below.end if below else 0
    places = range(first, first + num)
    return Part(
        slot=slot,
        below=below,
        token_ids=[5] * num,
        positions=[start + place for place in places],
        places=places,
        ranges=[
            ((0, 1, start), (gap + 1, place + 1, start + gap + 1)) if 0 < gap < place else ((0, place + 1, start),)
            for place in places
        ],
    )


def new_pass():
    import torch

    from promptkit.generate.engine.layout import Pass

    return Pass(device=torch.device("cpu"))


def test_nested_overs_are_cut_where_any_of_them_ends():
    """Rows below two siblings, and one below their root alone: three runs, whose stretches stand from the root down."""
    from promptkit.generate.engine.tiles.jobs import SharedJobs

    root = stretch(40)
    one, other = stretch(7, root), stretch(33, root)
    jobs = SharedJobs([over(root, 0, 10), over(one, 0, 4), over(other, 4, 8)], 1)
    assert runs_of(jobs) == [
        (0, 4, [(root, 40), (one, 7)]),
        (4, 8, [(root, 40), (other, 33)]),
        (8, 10, [(root, 40)]),
    ]
    assert jobs.starts.tolist() == [0, 40, 0, 40, 0]
    assert jobs.rooms.tolist() == [64, 32, 64, 64, 64]
    assert jobs.num_tokens == 10


def test_adjacent_overs_stay_apart_and_what_sees_nothing_is_left_out():
    """The same stretch on both sides of a row that does not see it: two runs, and a gap between them."""
    from promptkit.generate.engine.tiles.jobs import SharedJobs

    root, tree = stretch(3), stretch(32)
    jobs = SharedJobs([over(root, 2, 5), over(tree, 5, 6), over(root, 9, 11, length=2)], 1)
    assert runs_of(jobs) == [(2, 5, [(root, 3)]), (5, 6, [(tree, 32)]), (9, 11, [(root, 2)])]
    assert jobs.num_tokens == 6


def test_a_pass_that_sees_no_stretch_has_no_runs():
    """As at the beginning of everything."""
    from promptkit.generate.engine.tiles.jobs import SharedJobs

    jobs = SharedJobs([], 4)
    assert (len(jobs.firsts), len(jobs.blocks), jobs.num_tokens) == (0, 0, 0)
    assert jobs.chains.tolist() == [0]


def test_runs_are_cut_into_blocks_of_queries():
    """A token has as many queries as its group has members; the last block of a run may be short."""
    from promptkit.generate.engine.tiles.jobs import SharedJobs

    jobs = SharedJobs([over(stretch(5), 0, 11), over(stretch(5), 11, 12)], 3)
    assert jobs.blocks.tolist() == [[0, 0], [0, 1], [1, 0]]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    above=st.lists(st.integers(0, 9), max_size=6),
    rows=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=9),
)
def test_every_token_sees_the_chain_of_its_row_and_nothing_else(above, rows):
    """Whatever the tree, whatever the rows' order."""
    from promptkit.generate.engine.stretch import Slots
    from promptkit.generate.engine.tiles.jobs import SharedJobs

    stretches: list[Any] = [None]
    for number, parent in enumerate(above):
        stretches.append(stretch(1 + number, stretches[parent % len(stretches)]))
    forward = new_pass()
    parts = [part(slot, stretches[number % len(stretches)], num) for slot, (number, num) in enumerate(rows)]
    forward.add_parts(Slots(len(rows), 8), parts)
    seen: list[list[Any]] = [[] for _ in range(len(forward))]
    for first, last, chain in runs_of(SharedJobs(forward.over, 1)):
        for token in range(first, last):
            assert not seen[token]
            seen[token] = [each for each, _ in chain]
    wanted = [list(each.below.chain()) if each.below else [] for each in parts for _ in each.token_ids]
    assert [set(map(id, each)) for each in seen] == [set(map(id, each)) for each in wanted]
    assert list(map(len, seen)) == list(map(len, wanted))


def mixed_pass():
    """Tokens of two stretches, of fresh rows, of a row that goes on; of the slots that keep them."""
    from promptkit.generate.engine.stretch import Slots

    root = stretch(20)
    root.num_done = 20
    child = stretch(30, root)
    child.num_done = 7
    slots = Slots(5, 50)
    forward = new_pass()
    forward.add_stretch(stretch(6), 6)
    forward.add_stretch(child, 9)
    forward.add_fresh(slots, [part(3, root, 4), part(0, None, 12)])
    forward.add_parts(slots, [part(2, root, 5, first=10, gap=4), part(4, None, 1, first=40)])
    return forward


@pytest.mark.parametrize("window", [None, 1, 3, 8, 100])
def test_places_and_ranges_are_those_of_the_parts(window):
    """Rows that enter and rows that go on stand one after another, as each alone has them."""
    from promptkit.generate.engine.tiles.jobs import OwnJobs

    forward = mixed_pass()
    assert forward.fresh is not None
    assert forward.own is not None
    jobs = OwnJobs(forward, 1)
    owns = [forward.fresh.own, forward.own]
    num_grown = 6 + 9
    assert jobs.places[num_grown:].tolist() == [place for own in owns for place in own.places]
    ranges = jobs.ranges(window)
    assert ranges[num_grown:].tolist() == [pair for own in owns for pair in own.ranges(window).tolist()]
    assert np.diff(jobs.range_starts)[num_grown:].tolist() == [
        num for own in owns for num in np.diff(own.range_starts).tolist()
    ]
    assert jobs.range_starts[-1] == len(ranges)


def test_a_stretch_that_grows_sees_of_its_room_what_comes_with_it():
    """From where the pass begins to the token itself: what was there before is seen as a stretch; windows cut both."""
    from promptkit.generate.engine.tiles.jobs import OwnJobs

    jobs = OwnJobs(mixed_pass(), 1)
    assert jobs.places[:15].tolist() == [*range(6), *range(7, 16)]
    assert jobs.ranges(None)[:15].tolist() == [[0, end] for end in range(1, 7)] + [[7, end] for end in range(8, 17)]
    assert jobs.ranges(2)[:15].tolist() == [[max(0, end - 2), end] for end in range(1, 7)] + [
        [max(7, end - 2), end] for end in range(8, 17)
    ]


@pytest.mark.parametrize(("group", "keeps"), [(1, [True] * 6), (3, [True, True, True, False, True, True])])
def test_parts_of_one_block_keep_their_own_tokens(group, keeps):
    """Their keys are kept by the job that reads them; those of several blocks before any job begins."""
    from promptkit.generate.engine.tiles.jobs import OwnJobs

    jobs = OwnJobs(mixed_pass(), group)
    assert jobs.firsts.tolist() == [0, 6, 15, 19, 31, 36, 37]
    assert jobs.rooms.tolist() == [32, 32, 64, 64, 64, 64]
    assert jobs.keeps.tolist() == keeps
    assert len(jobs.blocks) == sum(-(-count * group // 32) for count in (6, 9, 4, 12, 5, 1))


def test_addresses_are_where_stretches_and_slots_keep_their_tokens():
    """A slot's room is one of many in a tensor; a stretch has its own. Each layer has others."""
    import torch

    from promptkit.generate.engine.stretch import HeadShape
    from promptkit.generate.engine.tiles.jobs import OwnJobs

    forward = mixed_pass()
    assert forward.own is not None
    shape, like = HeadShape(num_heads=2, key_size=64, value_size=32), torch.zeros(1).bfloat16()
    keys, values = OwnJobs(forward, 1).all_addresses(2, shape, like)
    for layer in range(2):
        slot_keys, slot_values = forward.own.storage.layer(layer, shape, like)
        grown = [grow.stretch.tiles(layer, shape, like) for grow in forward.grow]
        slots = (3, 0, 2, 4)
        assert keys[layer].tolist() == [
            *(pair[0].data_ptr() for pair in grown),
            *(slot_keys[slot].data_ptr() for slot in slots),
        ]
        assert values[layer].tolist() == [
            *(pair[1].data_ptr() for pair in grown),
            *(slot_values[slot].data_ptr() for slot in slots),
        ]
