"""Every order of demonstrations that promptkit ships, by name."""

from __future__ import annotations

from promptkit.prompt.order.order import Order
from promptkit.prompt.order.plain import AsSelected, RandomOrder, Reversed

__all__ = ["KINDS"]

KINDS: dict[str, type[Order]] = {"as_selected": AsSelected, "random": RandomOrder, "reversed": Reversed}
