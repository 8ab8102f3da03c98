"""The settings of a sweep's cells as people read them: short names of paths, short texts of values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

__all__ = ["short_names", "value_labels"]

MAX_LABEL = 28  # characters of a value


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Each path with as many of its last parts as tell it apart from the others.

    >>> short_names(["prompt.demonstrations.take", "generate.seed", "prompt.demonstrations.seed"])["generate.seed"]
    'generate.seed'
    """
    return {path: shortest(path, [other for other in paths if other != path]) for path in paths}


def shortest(path: str, others: Sequence[str]) -> str:
    """The fewest last parts of a path that end no other."""
    parts = path.split(".")
    for num in range(1, len(parts)):
        name = ".".join(parts[-num:])
        if not any(other == name or other.endswith(f".{name}") for other in others):
            return name
    return path


def value_labels(values: Sequence[Any]) -> list[str]:
    """A short text for each value, one line, different for different values.

    >>> value_labels([4, None, {"bm25": {"k1": 1.5}}, "bm25"])
    ['4', 'null', 'bm25: {"k1": 1.5}', 'bm25']
    """
    labels: dict[str, str] = {}  # by the whole value
    for value in values:
        whole = json.dumps(value, sort_keys=True, default=str)
        if whole not in labels:
            labels[whole] = untaken(short_text(value), set(labels.values()))
    return [labels[json.dumps(value, sort_keys=True, default=str)] for value in values]


def short_text(value: Any) -> str:
    """A value on one line, cut where it is long."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inside),) = value.items()
        text = f"{name}: {json.dumps(inside, ensure_ascii=False)}"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split()) or json.dumps(value)
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"


def untaken(label: str, taken: set[str]) -> str:
    """The label, with a number after it where another value has it."""
    number = 2
    found = label
    while found in taken:
        found, number = f"{label} ({number})", number + 1
    return found
