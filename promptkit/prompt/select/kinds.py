"""Every selector that promptkit ships, by name."""

from __future__ import annotations

from promptkit.prompt.select.plain import First, Random
from promptkit.prompt.select.selector import Selector

__all__ = ["KINDS"]

KINDS: dict[str, type[Selector]] = {"first": First, "random": Random}
