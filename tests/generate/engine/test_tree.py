"""The token tree: what rows share is found, kept once, and counted; nothing else is."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.generate.engine.tree import Node, Tree, grow_tree, num_common

ROWS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), max_size=14)
STRETCH, SAVED = st.integers(1, 4), st.integers(1, 12)
REMAINDER = st.none() | st.integers(1, 6)


def spelled(node: Node | None) -> list[int]:
    """The tokens of a node and of all above it."""
    return [token for each in (node.chain() if node else ()) for token in each.token_ids]


def rows_below(tree: Tree, node: Node) -> list[int]:
    return [row for row, last in enumerate(tree.below) if last is not None and node in last.chain()]


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_chains_spell_the_rows_beginnings(rows, min_stretch, min_saved, long_remainder):
    """A row that went through another's tokens would be answered for another prompt."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    for number, row in enumerate(rows):
        chain = spelled(tree.below[number])
        assert chain == row[: len(chain)]
        assert tree.shared(number) == len(chain)


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_no_rows_last_token_is_shared(rows, min_stretch, min_saved, long_remainder):
    """Its own logits are asked for, so each row has at least one token of its own, equal rows too."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    assert all(tree.shared(number) < len(row) for number, row in enumerate(rows))


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_nodes_stand_after_their_parents_and_follow_on_them(rows, min_stretch, min_saved, long_remainder):
    """A stretch is computed over those above it; a gap in the positions would turn every key wrongly."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    for place, node in enumerate(tree.nodes):
        assert node.token_ids
        assert node.start == (node.parent.end if node.parent else 0)
        assert node.parent is None or node.parent in tree.nodes[:place]


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_each_node_knows_how_many_rows_go_through_it(rows, min_stretch, min_saved, long_remainder):
    """By this count its keys are let go: one too few and a row reads what is gone, one too many and none is freed."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    for node in tree.nodes:
        assert node.num_rows == len(rows_below(tree, node))


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_every_node_is_worth_its_cost(rows, min_stretch, min_saved, long_remainder):
    """Short stretches cost each layer a product and a merge, and give little back."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    for node in tree.nodes:
        if node.num_rows == 1:
            assert long_remainder is not None
            assert len(node.token_ids) >= long_remainder
        else:
            assert len(node.token_ids) >= min_stretch
            assert len(node.token_ids) * (node.num_rows - 1) >= min_saved


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_the_order_is_a_permutation_that_keeps_each_nodes_rows_together(rows, min_stretch, min_saved, long_remainder):
    """Rows below one node attend to it as one, and its keys are let go with the last of them."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    assert sorted(tree.order) == list(range(len(rows)))
    place_of = {row: place for place, row in enumerate(tree.order)}
    for node in tree.nodes:
        places = sorted(place_of[row] for row in rows_below(tree, node))
        assert places == list(range(places[0], places[-1] + 1))


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED)
def test_long_remainders_come_first_among_the_rows_of_a_node(rows, min_stretch, min_saved):
    """A long row that begins last would run alone at the end."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved)
    for one, other in itertools.pairwise(tree.order):
        if tree.below[one] is tree.below[other]:
            assert len(rows[one]) - tree.shared(one) >= len(rows[other]) - tree.shared(other)


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER)
def test_the_computed_tokens_are_those_of_a_direct_count(rows, min_stretch, min_saved, long_remainder):
    """The plan tells this number before anything is computed."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    shared = {(node.start + place, id(node)) for node in tree.nodes for place in range(len(node.token_ids))}
    own = sum(len(row) - len(spelled(tree.below[number])) for number, row in enumerate(rows))
    assert tree.num_computed == len(shared) + own
    assert tree.num_tokens == sum(map(len, rows))


@settings(deadline=None)
@given(ROWS)
def test_with_every_stretch_allowed_each_distinct_beginning_is_computed_once(rows):
    """The least that is possible: every distinct beginning once, and each row's last token."""
    tree = grow_tree(rows, min_stretch=1, min_saved=1)
    beginnings = {tuple(row[:length]) for row in rows for length in range(1, len(row))}
    assert tree.num_computed == len(beginnings) + len(rows)


@settings(deadline=None)
@given(ROWS, REMAINDER)
def test_without_sharing_nothing_is_shared(rows, long_remainder):
    """The way to measure what sharing gives."""
    tree = grow_tree(rows, min_stretch=1, min_saved=1, is_shared=False, long_remainder=long_remainder)
    assert not tree.nodes
    assert set(tree.below) <= {None}
    assert tree.num_computed == tree.num_tokens
    assert sorted(tree.order) == list(range(len(rows)))


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, st.integers(1, 6))
def test_a_long_remainder_is_a_node_of_its_own(rows, min_stretch, min_saved, long_remainder):
    """Long contexts that nobody shares are computed in large products, too; equal rows are the exception."""
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder)
    for number, row in enumerate(rows):
        is_alone = all(num_common(row, other) < min(len(row), len(other)) - 1 for other in rows if other is not row)
        if is_alone:
            assert len(row) - 1 - tree.shared(number) < long_remainder


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), max_size=20), st.lists(st.integers(0, 2), max_size=20))
def test_common_tokens_are_counted_as_one_by_one(one, other):
    """The count halves its way, which is easily one off."""
    direct = 0
    while direct < min(len(one), len(other)) and one[direct] == other[direct]:
        direct += 1
    assert num_common(one, other) == direct


def test_no_rows_make_an_empty_tree():
    """A run whose completions are all known already asks for nothing."""
    assert grow_tree([]) == Tree(nodes=(), below=(), order=())


@pytest.mark.parametrize("min_saved", [1, 48])
def test_rows_nested_two_thousand_deep_neither_recurse_nor_take_seconds(min_saved):
    """Chains of growing prompts are what conversations look like; Python's stack ends at a thousand."""
    rows = [list(range(length)) for length in range(1, 2001)]
    started = time.process_time()
    tree = grow_tree(rows, min_stretch=1, min_saved=min_saved)
    assert time.process_time() - started < 10
    for number in (0, 1, 999, 1998, 1999):
        assert tree.shared(number) <= number
    deepest = max(tree.nodes, key=lambda node: node.end)
    assert spelled(deepest) == rows[-1][: deepest.end]


@settings(deadline=None)
@given(st.data())
def test_the_order_of_the_rows_changes_nothing_but_their_numbers(data):
    """The same prompts in another order must share the same."""
    rows = data.draw(ROWS)
    order = data.draw(st.permutations(range(len(rows))))
    one = grow_tree(rows, min_stretch=1, min_saved=2)
    other = grow_tree([rows[number] for number in order], min_stretch=1, min_saved=2)
    assert (one.num_computed, len(one.nodes)) == (other.num_computed, len(other.nodes))
    assert [other.shared(place) for place in range(len(rows))] == [one.shared(number) for number in order]


@settings(deadline=None)
@given(ROWS, STRETCH, SAVED, REMAINDER, st.data())
def test_tokens_set_apart_are_in_nodes_though_no_other_row_has_them(rows, min_stretch, min_saved, long_remainder, data):
    """What is kept of a row is read where it lies; its last token is its own all the same, and so is a short rest."""
    apart = [data.draw(st.integers(0, len(row) + 1)) for row in rows]
    tree = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, long_remainder=long_remainder, apart=apart)
    for number, row in enumerate(rows):
        chain = spelled(tree.below[number])
        assert chain == row[: len(chain)]
        assert len(chain) < len(row)
        assert len(chain) > min(apart[number], len(row) - 1) - min_stretch
    nothing = grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved, apart=[0] * len(rows))
    assert nothing.num_computed == grow_tree(rows, min_stretch=min_stretch, min_saved=min_saved).num_computed
