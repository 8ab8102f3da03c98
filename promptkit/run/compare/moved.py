"""What differs between two pipelines, by their parts of ŷ = O ∘ f ∘ I(x)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Moved", "moved"]

Part = Literal["I", "f", "O"]
PARTS: dict[str, Part] = {
    **dict.fromkeys(("data", "prompt", "chat", "continue", "when", "repeat", "if_missing"), "I"),
    **dict.fromkeys(("model", "dtype", "weights", "generate", "choose", "seed"), "f"),
    **dict.fromkeys(("align", "score", "answers"), "O"),
}
STAGES = "stages"
NAMES = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A place of the file with its value in the one pipeline and in the other, and the part of the formula it is in.

    A pipeline in which the place is not there is not among `values`, whose keys are "before" and "after".
    """

    part: Part
    path: str
    values: Mapping[str, Any]


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Moved]:
    """What differs between two declarations as plain data, the parts in the order of the flow.

    Names, descriptions, tests and sweeps make no difference; nor does a template's file, whose text shows in prompts.
    """
    one, other = dict(leaves(before)), dict(leaves(after))
    sides = {"before": one, "after": other}
    found = [
        Moved(part=part, path=path, values={name: side[path] for name, side in sides.items() if path in side})
        for path in dict.fromkeys((*one, *other))
        if (part := part_of(path)) and (path in one, one.get(path)) != (path in other, other.get(path))
    ]
    return sorted(found, key=lambda each: "IfO".index(each.part))


def part_of(path: str) -> Part | None:
    """The part of the formula that a path lies in; None for what is in none."""
    names = NAMES.findall(path)
    if names[:1] == [STAGES]:
        return next((PARTS[name] for name in names[1:] if name in PARTS), "I")
    return PARTS.get(names[0]) if names else None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with the path that leads to it; null is as if it were not there."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    elif value is not None:
        yield path, value
