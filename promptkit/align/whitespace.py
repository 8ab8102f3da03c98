"""`strip`: a text without what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep

__all__ = ["Strip"]


class Strip(ItemStep):
    """Takes white space, or the characters named, off both ends."""

    kind = "strip"
    main: ClassVar[str | None] = "chars"
    stays_open: ClassVar[bool] = True

    chars: str | None = Field(
        default=None, min_length=1, description="the characters to take off, in any order; white space if not given"
    )

    def read(self, found: Found) -> Found | Missing:
        """The text between, which may be empty."""
        text: str = found.value
        start = len(text) - len(text.lstrip(self.chars))
        return found.part(start, max(start, len(text.rstrip(self.chars))))

    def settle(self, found: Found) -> Found | Missing:
        """The text between, which may go on: what is taken off its end now may stand inside it later."""
        result = self.read(found)
        return result if isinstance(result, Found) and result.value else Missing(reason="no text yet")

    def unsettled(self) -> str:
        """Nothing: the step after it says."""
        return ""

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A text without what stands around it; anything else as it is."""
        return target.strip(self.chars) if isinstance(target, str) else target
