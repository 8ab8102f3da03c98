"""`map`: the value that a table has for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.spec.declaration import shorten

__all__ = ["Map"]

MAX_SHOWN = 8


class Map(ItemStep):
    """Puts what a table says in the place of a value: labels for words, one spelling for several.

    The value must be a key to the letter; `strip` and `lower` before it make it forgiving. A value that the table maps
    to null is no answer.
    """

    kind = "map"
    main: ClassVar[str | None] = "table"
    main_takes_a_map: ClassVar[bool] = True

    table: dict[str, Any] = Field(min_length=1, description="from a value, as text, to what stands for it")
    otherwise: Literal["unparsed", "keep"] = Field(
        default="unparsed", description="what becomes of a value that the table has not: unparsed, or keep it"
    )

    @field_validator("table", mode="before")
    @classmethod
    def _keys_are_text(cls, table: Any) -> Any:
        return {key_of(key): plain(value) for key, value in table.items()} if isinstance(table, dict) else table

    def read(self, found: Found) -> Found | Missing:
        """What the table has for the value."""
        key = key_of(found.value)
        if key in self.table:
            value = self.table[key]
            return Missing(reason=f"{shorten(key)} is mapped to null") if value is None else found.become(value)
        if self.otherwise == "keep":
            return found
        shown = ", ".join(list(self.table)[:MAX_SHOWN]) + (", ..." if len(self.table) > MAX_SHOWN else "")
        return Missing(reason=f"{shorten(found.value)} is not in the table: {shown}")

    def read_other(self, found: Found) -> Found | Missing:
        """What the table has for a number or a truth value, by its text."""
        return self.read(found) if isinstance(found.value, int | float) else super().read_other(found)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """What the table has for the target; a target that is already a value of the table stays as it is."""
        key = key_of(target)
        if self.table.get(key) is not None:
            return self.table[key]
        if target in self.table.values() or self.otherwise == "keep":
            return target
        raise ValueError(f"{shorten(target)} is neither a key nor a value of the table")


def key_of(value: Any) -> str:
    """The text under which a value stands in a table: true and false as YAML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    """A text of a file as text alone, which no longer knows its place."""
    return str(value) if isinstance(value, str) else value
