"""What the rows of a page share: each text, prompt and step is embedded once, and rows hold its number."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Numbered", "Shared", "loaded"]

WHERE = ("kind", "role", "file", "line", "template", "example")  # what is kept of a prompt's segment, but for its text


@dataclass(slots=True)
class Numbered:
    """Different values in the order in which they came up. It grows by `number`."""

    numbers: dict[Hashable, int] = field(default_factory=dict)

    def number(self, value: Hashable) -> int:
        """The value's number, a new one where it has none."""
        return self.numbers.setdefault(value, len(self.numbers))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.numbers)


@dataclass(slots=True, kw_only=True)
class Shared:
    """The values of all rows: texts, short words, what stretches of prompts are, prompts, and steps of chains.

    A prompt is a row of numbers, a text and its kind in turn; a step is its whole name, its short one, and its depth.
    """

    texts: Numbered = field(default_factory=Numbered)
    words: Numbered = field(default_factory=Numbered)
    kinds: Numbered = field(default_factory=Numbered)
    prompts: Numbered = field(default_factory=Numbered)
    steps: Numbered = field(default_factory=Numbered)

    def word(self, text: str | None) -> int | None:
        """The number of a short text that many rows have; None for none."""
        return None if text is None else self.words.number(text)

    def prompt(self, text: str, segments: Sequence[Mapping[str, Any]]) -> int:
        """The number of a prompt. What no segment covers, all of it in runs that kept none, is of the kind `prompt`."""
        parts: list[int] = []
        done = 0
        for segment in segments:
            start, end = segment["span"]
            if start > done:
                parts += self.stretch(text[done:start], {"kind": "prompt"})
            parts += self.stretch(text[start:end], segment)
            done = end
        if done < len(text):
            parts += self.stretch(text[done:], {"kind": "prompt"})
        return self.prompts.number(tuple(parts))

    def stretch(self, text: str, segment: Mapping[str, Any]) -> tuple[int, int]:
        """The numbers of a stretch's text and kind."""
        return self.texts.number(text), self.kinds.number(tuple(segment.get(name) for name in WHERE))

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        kinds = [{k: v for k, v in zip(WHERE, kind, strict=True) if v is not None} for kind in self.kinds]
        lists = {name: list(getattr(self, name)) for name in ("texts", "words", "prompts", "steps")}
        return {**lists, "kinds": kinds}


def loaded(text: Any, default: str = "null") -> Any:
    """The value of a column that holds JSON text; that of `default` where the column is null or not there."""
    return json.loads(text or default)
