"""`capture`: what an earlier step took beside the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep
from promptkit.text import known_names

__all__ = ["Captured"]


class Captured(AlignStep):
    """Goes on with a value that an earlier step captured: a named group, a rule of a grammar, a part of `all_of`."""

    kind = "capture"
    main: ClassVar[str | None] = "name"

    name: str = Field(min_length=1, description="the name under which it was captured")

    def __call__(self, found: Found) -> Found | Missing:
        """The captured value, at its own place."""
        capture = found.captures.get(self.name)
        if capture is None:
            hint = known_names(self.name, found.captures) if found.captures else "nothing was captured"
            return Missing(reason=f"nothing was captured as {str(self.name)!r}; {hint}")
        return replace(found, value=capture.value, span=capture.span, is_verbatim=capture.is_verbatim)
