"""`lower`: a text in small letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep

__all__ = ["Lower"]


class Lower(ItemStep):
    """Puts text in small letters. What a later step finds in a changed text has the span of the whole."""

    kind = "lower"

    def read(self, found: Found) -> Found | Missing:
        """The text in small letters."""
        return found.become(found.value.lower())

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A text in small letters; anything else as it is."""
        return target.lower() if isinstance(target, str) else target
