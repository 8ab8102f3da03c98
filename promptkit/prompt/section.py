"""`chat:`: whether the model's chat template writes the prompt, and what it is told beside the turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.prompt.prompt import Piece
from promptkit.spec import Declaration

__all__ = ["Chat"]

RESERVED = ("messages", "add_generation_prompt")


class Chat(Declaration):
    """How the model's chat template writes the prompt: `true`, or a map of what is said here."""

    main: ClassVar[str | None] = "enabled"

    enabled: bool = Field(default=True, strict=True, description="whether it does")
    system: Literal["turn", "fold"] = Field(
        default="turn",
        description="the system's text: a turn of its own, or, for templates that have none, the beginning of the user's "
        "turn beside it",
    )
    separator: str = Field(
        default="\n\n", description="with `system: fold`: what stands between it and the user's text"
    )
    variables: Mapping[str, Any] = Field(
        default_factory=dict,
        description="what the template is told beside the turns, by the names that it asks for: `{enable_thinking: false}`",
    )

    @field_validator("variables")
    @classmethod
    def _leave_turns_alone(cls, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in RESERVED:
            if name in variables:
                message = "{name} is what promptkit itself tells a chat template"
                raise PydanticCustomError("reserved", message, {"name": repr(name), "at": (name,)})
        return variables

    @model_validator(mode="after")
    def _separates_what_is_folded(self) -> Chat:
        if "separator" in self.model_fields_set and self.system != "fold":
            message, hint = "`separator` is for `system: fold`, and the system has a turn of its own", "`system: fold`"
            raise PydanticCustomError("stray", message, {"at": ("separator",), "hint": hint})
        return self

    def __bool__(self) -> bool:
        return self.enabled

    def arranged(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The pieces as the template gets them: the system's as they are, or as the user's."""
        known = list(pieces)
        return known if self.system == "turn" else self.folded(known)

    def folded(self, pieces: list[Piece]) -> list[Piece]:
        """The pieces, the system's as the user's, with `separator` between these and the user's own."""
        found: list[Piece] = []
        for piece, after in pairwise([*pieces, None]):
            assert piece is not None
            found.append(replace(piece, role="user") if piece.role == "system" else piece)
            if after is not None and {piece.role, after.role} == {"system", "user"} and self.separator:
                found.append(Piece(text=self.separator, kind="separator", role="user"))
        return found
