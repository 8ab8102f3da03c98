"""What becomes of demonstrations that do not fit: whole ones are dropped, and no text is ever cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.prompt.shown import Choice
from promptkit.spec import Declaration
from promptkit.spec.declaration import Count

__all__ = ["Fit"]


class Fit(Declaration):
    """How demonstrations make room for the query and for what the model writes."""

    main: ClassVar[str | None] = "drop"

    drop: Literal["refuse", "last_ranked", "longest", "first"] = Field(
        default="last_ranked",
        description="refuse: nothing is dropped, and a prompt that does not fit is an error; else which whole demonstrations are "
        "dropped until it fits: those chosen last, the longest, or those that stand first",
    )
    tokens: Count | None = Field(
        default=None,
        description="the most tokens that the prompt may have; the model's context, less what is to be written, if not given",
    )

    @model_validator(mode="after")
    def _drops(self) -> Fit:
        if self.drop == "refuse" and self.tokens is not None:
            message = "`tokens` is for a fit that drops, and `refuse` drops nothing"
            raise PydanticCustomError("stray", message, {"at": ("tokens",), "hint": "`drop: last_ranked`"})
        return self

    def victims(self, choice: Choice, texts: Sequence[str]) -> list[int]:
        """The places of the demonstrations in the order in which they are dropped; `texts` are what they show."""
        places = range(len(choice.rows)) if self.drop != "refuse" else range(0)
        if self.drop == "first":
            return list(places)
        if self.drop == "longest":
            return sorted(places, key=lambda place: (-len(texts[place]), -choice.ranks[place]))
        return sorted(places, key=lambda place: -choice.ranks[place])
