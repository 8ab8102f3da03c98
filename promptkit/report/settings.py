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
    """A short text for each value, one line, different for different values: of a step its name where that is enough.

    >>> value_labels([4, None, {"bm25": {"k1": 1.5}}, "bm25", {"mmr": {"of": "knn"}}])
    ['4', 'null', 'bm25 (k1: 1.5)', 'bm25', 'mmr']
    """
    labels: dict[str, str] = {}  # by the whole value
    different = {json.dumps(value, sort_keys=True, default=str): value for value in values}
    names = [step_name(value) for value in different.values()]
    for whole, value in different.items():
        name = step_name(value)
        is_enough = isinstance(value, dict) and names.count(name) == 1
        labels[whole] = untaken(name if is_enough and name else short_text(value), set(labels.values()))
    return [labels[json.dumps(value, sort_keys=True, default=str)] for value in values]


def step_name(value: Any) -> str | None:
    """The name of a step, written alone or with its parameters; None for what is neither."""
    if isinstance(value, dict) and len(value) == 1:
        return str(next(iter(value)))
    return value if isinstance(value, str) else None


def short_text(value: Any) -> str:
    """A value on one line, cut where it is long."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inside),) = value.items()
        text = f"{name} ({in_words(inside)})"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split()) or json.dumps(value)
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"


def in_words(parameters: Any) -> str:
    """A step's parameters, without braces and quotes where they are a map."""
    if not isinstance(parameters, dict):
        return json.dumps(parameters, ensure_ascii=False, default=str)
    return ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items())


def untaken(label: str, taken: set[str]) -> str:
    """The label, with a number after it where another value has it."""
    number = 2
    found = label
    while found in taken:
        found, number = f"{label} ({number})", number + 1
    return found
