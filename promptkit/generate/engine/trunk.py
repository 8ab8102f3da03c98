"""The shared stretches of a call, from their first row to their last."""

from __future__ import annotations

from promptkit.generate.engine.kept import Kept
from promptkit.generate.engine.stretch import Stretch
from promptkit.generate.engine.tree import Node, Tree

__all__ = ["Trunk"]


class Trunk:
    """The shared stretches whose keys and values are kept now: made when first needed, let go with their last row."""

    def __init__(self, tree: Tree, kept: Kept | None = None) -> None:
        self._kept = kept if kept is not None else Kept()
        self._waiting = {node: node.num_rows for node in tree.nodes}
        self._made: dict[Node, Stretch] = {}

    def stretch(self, node: Node | None) -> Stretch | None:
        """The stretch of a node, perhaps not computed yet."""
        if node is None:
            return None
        for each in node.chain():
            if each not in self._made:
                self._made[each] = self._kept.stretch(each, self._made[each.parent] if each.parent else None)
        return self._made[node]

    def leave(self, node: Node | None) -> None:
        """Tells that one row below the node needs it no more."""
        for each in node.chain() if node else ():
            self._waiting[each] -= 1
            if not self._waiting[each]:
                del self._made[each]
