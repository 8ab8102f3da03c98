"""What the rows of a run ask for, from their tokens alone: their tree, and the room that each takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from promptkit.generate.engine.branches import grow_contexts
from promptkit.generate.engine.tree import Node, Tree, grow_tree
from promptkit.generate.request import Request

__all__ = ["Demand", "peak_stretches"]

NumKnown = Callable[[Sequence[int]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the rows of a run ask for: their tree, and for each row the tokens that are its own, new ones included.

    Where options are scored, `lines` says of each row after how many tokens logits are wanted; else it is empty. `kept` are
    the tokens that are kept for later requests.
    """

    tree: Tree
    rooms: tuple[int, ...]
    lines: tuple[int, ...] = ()
    kept: int = 0

    @classmethod
    def of(cls, requests: Sequence[Request], num_known: NumKnown | None = None) -> Self:
        """The demand of requests, all of text or all of options; `num_known` as for `grow_contexts`."""
        if requests and requests[0].options:
            return cls.of_options(requests, num_known)
        tree = grow_tree([each.token_ids for each in requests])
        rooms = [len(each.token_ids) - tree.shared(row) + each.max_tokens for row, each in enumerate(requests)]
        own = sum(room for room, each in zip(rooms, requests, strict=True) if each.keeps)
        return cls(tree=tree, rooms=tuple(rooms), kept=own + kept_nodes(tree, requests))

    @classmethod
    def of_options(cls, requests: Sequence[Request], num_known: NumKnown | None = None) -> Self:
        """The demand of requests that score options; what options share is counted once an option."""
        tree, begins = grow_contexts(requests, num_known=num_known)
        own = [
            sum(len(ids) - begin for ids in each.option_token_ids) for begin, each in zip(begins, requests, strict=True)
        ]
        rooms = tuple(begin - tree.shared(row) + own[row] for row, begin in enumerate(begins))
        return cls(tree=tree, rooms=rooms, lines=tuple(own), kept=kept_nodes(tree, requests))

    @property
    def is_scored(self) -> bool:
        """Whether options are scored."""
        return bool(self.lines)

    def passes(self, chunk: int) -> list[range]:
        """The runs of rows, as places in the tree's order, whose options go through one pass."""
        runs, first, num = [], 0, 0
        for place, row in enumerate(self.tree.order):
            num += self.rooms[row]
            if num >= chunk or place + 1 == len(self.tree.order):
                runs.append(range(first, place + 1))
                first, num = place + 1, 0
        return runs


def kept_nodes(tree: Tree, requests: Sequence[Request]) -> int:
    """The tokens of the shared stretches that stand above requests which are kept."""
    leaves = (node for node, each in zip(tree.below, requests, strict=True) if each.keeps and node)
    return sum(len(node.token_ids) for node in {each for leaf in leaves for each in leaf.chain()})


def peak_stretches(tree: Tree, num_at_once: int) -> int:
    """The most tokens of shared stretches kept at one time, while rows enter in the tree's order and leave in it, too.

    A stretch is kept from the first of its rows that enters to the last that leaves, as by the engine's `Trunk`.
    """
    first: dict[Node, int] = {}
    last: dict[Node, int] = {}
    for place, row in enumerate(tree.order):
        if (node := tree.below[row]) is not None:
            first.setdefault(node, place)
            last[node] = place
    for node in reversed(tree.nodes):  # each stands after its parent
        if node in first and node.parent is not None:
            first[node.parent] = min(first[node], first.get(node.parent, first[node]))
            last[node.parent] = max(last[node], last.get(node.parent, last[node]))
    changes: dict[int, int] = {}
    for node, place in first.items():
        begin = max(0, place - num_at_once + 1)  # the window of rows in progress that ends with the stretch's first row
        changes[begin] = changes.get(begin, 0) + len(node.token_ids)
        changes[last[node] + 1] = changes.get(last[node] + 1, 0) - len(node.token_ids)
    kept = peak = 0
    for _, change in sorted(changes.items()):
        kept += change
        peak = max(peak, kept)
    return peak
