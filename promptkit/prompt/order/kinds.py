"""Every order of demonstrations that promptkit ships, by name."""

from __future__ import annotations

from promptkit.prompt.order.by_class import LabelBalanced
from promptkit.prompt.order.entropy import EntropyOrder
from promptkit.prompt.order.nearest import NearestFirst, NearestLast
from promptkit.prompt.order.order import Order
from promptkit.prompt.order.plain import AsSelected, ByLength, FixedOrder, RandomEach, RandomOrder, Reversed

__all__ = ["KINDS"]

KINDS: dict[str, type[Order]] = {
    "as_selected": AsSelected,
    "by_length": ByLength,
    "entropy": EntropyOrder,
    "fixed": FixedOrder,
    "label_balanced": LabelBalanced,
    "nearest_first": NearestFirst,
    "nearest_last": NearestLast,
    "random": RandomOrder,
    "random_each": RandomEach,
    "reversed": Reversed,
}
