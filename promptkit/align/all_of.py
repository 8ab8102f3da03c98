"""`all_of`: several fields of one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.chain import Chain, within
from promptkit.align.ledger import Ledger
from promptkit.align.outcome import Capture, Found, Missing
from promptkit.align.step import AlignStep, Steps
from promptkit.spec import Texts
from promptkit.spec.declaration import shorten
from promptkit.text import Span, known_names

__all__ = ["AllOf"]


class AllOf(AlignStep):
    """Reads several fields of one text, each by a chain of its own; the answer is the map of what they find.

    Each is captured under its name too, with its own span. All must be found, but those that are optional.
    """

    kind = "all_of"
    main: ClassVar[str | None] = "parts"
    main_takes_a_map: ClassVar[bool] = True

    parts: dict[str, Steps] = Field(
        min_length=1, description="from a name to the step, or list of steps, that reads it"
    )
    optional: Texts = Field(default=(), description="the names that may be missing; their value is then null")

    @field_validator("optional")
    @classmethod
    def _are_parts(cls, optional: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for number, name in enumerate(optional):
            if name not in info.data.get("parts", {name: ()}):
                context = {"name": repr(str(name)), "hint": known_names(name, info.data["parts"]), "at": (number,)}
                raise PydanticCustomError("part", "there is no part {name}", context)
        return optional

    def __call__(self, found: Found) -> Found | Missing:
        """The map of what all chains find; else the reasons of those that find nothing."""
        ledger: Ledger = ()
        results: dict[str, Found | Missing] = {}
        for name, steps in self.parts.items():
            results[name] = within(f".{name}", steps, Chain(steps)(found))
            ledger += results[name].ledger
        misses = {name: each for name, each in results.items() if isinstance(each, Missing)}
        finds = {name: each for name, each in results.items() if isinstance(each, Found)}
        needed = {name: miss for name, miss in misses.items() if name not in self.optional} or (
            misses if not finds else {}
        )
        if needed:
            reason = "; ".join(f"{miss.step.removeprefix('.')}: {miss.reason}" for miss in needed.values())
            return Missing(
                reason=reason, is_ambiguous=any(miss.is_ambiguous for miss in needed.values()), ledger=ledger
            )
        return replace(self.together(found, finds), ledger=ledger)

    def together(self, found: Found, finds: Mapping[str, Found]) -> Found:
        """The map, over the stretch from the first to the last, and each part as a capture.

        What a part's chain takes beside it is captured under both names, `size.unit`.
        """
        start = min(each.span.start for each in finds.values())
        end = max(each.span.end for each in finds.values())
        value = {name: finds[name].value if name in finds else None for name in self.parts}
        for name, each in finds.items():
            taken = {key: capture for key, capture in each.captures.items() if found.captures.get(key) is not capture}
            found = found.capturing({f"{name}.{key}": capture for key, capture in taken.items()})
        found = found.capturing(
            {
                name: Capture(value=each.value, span=each.span, is_verbatim=each.is_verbatim)
                for name, each in finds.items()
            }
        )
        return replace(found.become(value), span=Span(start=start, end=end), is_open=False)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A map, each value as its own chain would have written it."""
        if not isinstance(target, Mapping):
            raise ValueError(  # noqa: TRY004 - what no completion could give is a ValueError
                f"{shorten(target)} is not a map of {', '.join(self.parts)}"
            )
        unknown = [name for name in target if name not in self.parts]
        if unknown:
            raise ValueError(f"{shorten(unknown[0])} is no part of `all_of`")
        aligned = {name: Chain(steps).align_target(target.get(name), fields) for name, steps in self.parts.items()}
        lacking = [name for name, value in aligned.items() if value is None and name not in self.optional]
        if lacking:
            raise ValueError(f"the target has no {lacking[0]!r}")
        return aligned
