"""`list`: the items of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.chain import Chain, within
from promptkit.align.item import Item
from promptkit.align.ledger import Ledger
from promptkit.align.listing import items_of, split_at
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep, Steps
from promptkit.spec import NaturalNumber

__all__ = ["List"]


class List(AlignStep):
    """Reads a list as models write it: in brackets, with bullets or numbers, with commas or semicolons, one a line.

    Words that lead to the list are left away, up to their colon; so are quotes, bold and the last full stop. Commas in
    `1,234` and in brackets separate nothing. A few words alone are a list of one; a longer text in which nothing
    separates items is none. A list that an earlier step found is taken as it is. Items are texts, until `items` reads
    them.
    """

    kind = "list"
    main: ClassVar[str | None] = "items"

    items: Steps = Field(default=(), description="the step, or list of steps, that reads each item; all must be read")
    separator: str | None = Field(
        default=None,
        min_length=1,
        description="what separates the items, where it is none of the usual; ' ' is any space",
    )
    min_items: NaturalNumber = Field(default=1, description="with fewer items it is no answer")
    max_items: NaturalNumber | None = Field(default=None, description="with more items it is no answer")

    def __call__(self, found: Found) -> Found | Missing:
        """The items, each as its chain reads it."""
        parts = self.parts(found)
        if isinstance(parts, Missing):
            return parts
        if not parts and self.min_items:
            return Missing(reason="the list is empty")
        if len(parts) < self.min_items:
            return Missing(reason=f"{len(parts)} items, and at least {self.min_items} are asked for")
        if self.max_items is not None and len(parts) > self.max_items:
            return Missing(reason=f"{len(parts)} items, and at most {self.max_items} are asked for")
        return self.read_items(found, parts) if self.items else self.together(found, parts, parts)

    def parts(self, found: Found) -> list[Found] | Missing:
        """The items as they stand in the text, or in the list that an earlier step found."""
        if isinstance(found.value, list):
            return [replace(found, value=item, is_verbatim=False) for item in found.value]
        if not isinstance(found.value, str):
            return Missing(reason=f"list reads text, not {type(found.value).__name__}")
        items = self.listed(found.value)
        return Missing(reason="no list") if items is None else [part_of(found, item) for item in items]

    def listed(self, text: str) -> list[Item] | None:
        """The items of a text, None where it is no list."""
        return items_of(text) if self.separator is None else split_at(text, self.separator)

    def read_items(self, found: Found, parts: list[Found]) -> Found | Missing:
        """The list of what the chain finds in each item; nothing, unless it finds all of them."""
        ledger: Ledger = ()
        chain, values = Chain(self.items), []
        for number, part in enumerate(parts):
            result = within(f"[{number}]", self.items, chain(part))
            ledger += result.ledger
            if isinstance(result, Missing):
                return replace(result, reason=f"item {number}: {result.reason}", ledger=ledger)
            values.append(result)
        return replace(self.together(found, parts, values), ledger=ledger)

    def together(self, found: Found, parts: list[Found], values: list[Found]) -> Found:
        """The list of the values, over the stretch from the first item to the last."""
        listed = found.become([value.value for value in values])
        if not parts:
            return listed
        start, end = min(part.span.start for part in parts), max(part.span.end for part in parts)
        return replace(listed, span=replace(found.span, start=start, end=end))

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A list, each item as its chain would have written it; a text is read as a completion would be."""
        if isinstance(target, str):
            items = self.listed(target)
            target = [target] if items is None else [item.text(target) for item in items]
        values = list(target) if isinstance(target, list | tuple) else [target]
        return [Chain(self.items).align_target(value, fields) for value in values]


def part_of(found: Found, item: Item) -> Found:
    """One item as a value of its own."""
    part = found.part(item.span.start, item.span.end)
    return part if item.value is None else part.become(item.value)
