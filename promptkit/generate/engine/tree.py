"""The token tree of a run: which stretches of tokens several rows begin with, worth computing once.

Pure bookkeeping on token ids: `promptkit plan` asks it without a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["MIN_SAVED", "MIN_STRETCH", "Node", "Tree", "grow_tree", "num_common"]

MIN_STRETCH = 16  # tokens: each stretch costs every layer one more product and one merge for the rows below it
MIN_SAVED = 48  # tokens saved, all rows together


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """A stretch of tokens that several rows share, after those of its parents. `start` is its first position."""

    parent: Node | None
    start: int
    token_ids: tuple[int, ...]
    num_rows: int

    @property
    def end(self) -> int:
        """The position after its last token."""
        return self.start + len(self.token_ids)

    def chain(self) -> tuple[Node, ...]:
        """The nodes from the root down to this one."""
        nodes: list[Node] = []
        node: Node | None = self
        while node is not None:
            nodes.append(node)
            node = node.parent
        return tuple(reversed(nodes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The shared stretches, each after its parent, and for each row the last one that it goes through.

    `order` lists the rows so that those below one node stand together, long remainders first.
    """

    nodes: tuple[Node, ...]
    below: tuple[Node | None, ...]
    order: tuple[int, ...]
    num_tokens: int = 0
    num_computed: int = 0

    def shared(self, row: int) -> int:
        """How many tokens of a row lie in shared stretches."""
        node = self.below[row]
        return node.end if node else 0


@dataclass(slots=True)
class Growing:
    """Sorted rows [first, last) that agree on their beginnings; `parent` holds what is shared so far."""

    first: int
    last: int
    parent: Node | None


@dataclass(slots=True)
class Grown:
    """What is known of the tree while it grows."""

    nodes: list[Node] = field(default_factory=list)
    below: dict[int, Node | None] = field(default_factory=dict)


def grow_tree(  # noqa: PLR0913 - each is a rule of its own
    rows: Sequence[Sequence[int]],
    *,
    min_stretch: int = MIN_STRETCH,
    min_saved: int = MIN_SAVED,
    is_shared: bool = True,
    long_remainder: int | None = None,
    apart: Sequence[int] = (),
) -> Tree:
    """The tree of rows of token ids. A row's last token is never shared: its own logits are asked for.

    A stretch becomes a node where it has `min_stretch` tokens and saves `min_saved`; shorter ones are computed with
    each row below them, which is cheaper. Where `long_remainder` is given, a row's own remainder of so many tokens is a
    node too; and where `apart` is, so many of each row's first tokens are in nodes, though no other row has them.

    >>> tree = grow_tree([[1, 2, 3, 4], [1, 2, 3, 5], [9, 9]], min_stretch=1, min_saved=1)
    >>> [node.token_ids for node in tree.nodes], tree.num_tokens, tree.num_computed
    ([(1, 2, 3)], 10, 7)
    """
    by_text = sorted(range(len(rows)), key=lambda row: tuple(rows[row]))
    grown = Grown()
    pending = [Growing(0, len(by_text), None)] if rows else []
    while pending:
        group = pending.pop()
        begun = group.parent.end if group.parent else 0
        agreed = num_common(rows[by_text[group.first]], rows[by_text[group.last - 1]])
        num_rows = group.last - group.first
        agreed = min(agreed, *(len(rows[row]) - 1 for row in by_text[group.first : group.last]))
        length = agreed - begun
        parent = group.parent
        ends: list[int] = []
        if is_shared and num_rows == 1:
            first_own = apart[by_text[group.first]] if apart else 0
            ends = ends_alone(begun, agreed, first_own, min_stretch, long_remainder)
        elif is_shared and length >= min_stretch and length * (num_rows - 1) >= min_saved:
            ends = [agreed]
        for end in ends:
            stretch = tuple(rows[by_text[group.first]][begun:end])
            parent = Node(parent=parent, start=begun, token_ids=stretch, num_rows=num_rows)
            grown.nodes.append(parent)
            begun = end
        if not is_shared or num_rows == 1:
            grown.below.update(dict.fromkeys(by_text[group.first : group.last], parent))
            continue
        for first, last in reversed(split(rows, by_text, group, max(agreed, 0))):
            if last - first == 1 and long_remainder is None and not apart:
                grown.below[by_text[first]] = parent
            else:
                pending.append(Growing(first, last, parent))
    below = tuple(grown.below[row] for row in range(len(rows)))
    num_tokens = sum(map(len, rows))
    num_shared = sum(node.end if node else 0 for node in below)
    computed = num_tokens - num_shared + sum(len(node.token_ids) for node in grown.nodes)
    return Tree(
        nodes=tuple(grown.nodes),
        below=below,
        order=rows_in_order(rows, by_text, grown.nodes, below),
        num_tokens=num_tokens,
        num_computed=computed,
    )


def ends_alone(begun: int, last: int, apart: int, min_stretch: int, long_remainder: int | None) -> list[int]:
    """Where nodes of one row alone end, of its tokens [begun, last): after those set apart, and after a long remainder."""
    ends = [min(apart, last)] if min(apart, last) - begun >= min_stretch else []
    rest = last - (ends[-1] if ends else begun)
    return [*ends, last] if rest and long_remainder is not None and rest >= long_remainder else ends


def split(rows: Sequence[Sequence[int]], by_text: Sequence[int], group: Growing, depth: int) -> list[tuple[int, int]]:
    """The group's parts [first, last): rows that go on with the same token at `depth`, and each that cannot be split."""
    parts: list[tuple[int, int]] = []
    first = group.first
    for place in range(group.first, group.last):
        row = rows[by_text[place]]
        ends = len(row) - 1 <= depth  # its last token is its own
        following = rows[by_text[place + 1]] if place + 1 < group.last else None
        goes_on = not ends and following is not None and len(following) - 1 > depth and following[depth] == row[depth]
        if not goes_on:
            parts.append((first, place + 1))
            first = place + 1
    return parts


def rows_in_order(
    rows: Sequence[Sequence[int]], by_text: Sequence[int], nodes: Sequence[Node], below: Sequence[Node | None]
) -> tuple[int, ...]:
    """The rows, node by node, long remainders first within each."""
    number = {node: place for place, node in enumerate(nodes)}

    def key(row: int) -> tuple[int, int]:
        node = below[row]
        return (number[node] if node else -1, -(len(rows[row]) - (node.end if node else 0)))

    return tuple(sorted(by_text, key=key))


def num_common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with.

    >>> num_common([1, 2, 3], [1, 2, 4, 5])
    2
    """
    low, high = 0, min(len(one), len(other))
    if tuple(one[:high]) == tuple(other[:high]):
        return high
    while low + 1 < high:  # they agree on [0, low), and not on [0, high)
        middle = (low + high) // 2
        if tuple(one[:middle]) == tuple(other[:middle]):
            low = middle
        else:
            high = middle
    return low
