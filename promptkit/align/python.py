"""`python`: a function of one's own, where the person who runs the file allows it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep
from promptkit.spec.code import Code

__all__ = ["Python"]


class Python(AlignStep):
    """Calls `function(value, fields)`: the value so far and the example's fields. None is no answer."""

    kind = "python"
    main: ClassVar[str | None] = "call"

    call: Code = Field(description="module:function; the module is a file beside the pipeline's, or installed")

    def __call__(self, found: Found) -> Found | Missing:
        """What the function returns. What it raises is the reason why there is nothing."""
        try:
            value = self.call.function(found.value, dict(found.fields))
        except Exception as error:  # noqa: BLE001 - code of any quality; one bad completion must not end the run
            return Missing(reason=f"{self.call.name} raised {type(error).__name__}: {error}")
        return Missing(reason=f"{self.call.name} returned nothing") if value is None else found.become(value)
