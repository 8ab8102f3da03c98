"""The options of a choice: their letters and texts, and which of them a target names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex

__all__ = ["Options", "read_options"]

LABEL = r"\s*[(\[]?\s*(?P<label>\w+)\s*[)\].:]\s*"  # "A)", "(A) ", "A. ": before an option's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Labels, mostly letters, and the texts that they stand for; no texts where only the letters are known."""

    labels: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def named(self, target: Any) -> list[int]:
        """The options that a target names: as a letter, bracketed or not; else as a text; or as an index from 0.

        Several where a whole number is the index of one and the text of another.
        """
        if isinstance(target, int) and not isinstance(target, bool):
            is_index = 0 <= target < len(self.texts or self.labels)
            return sorted({*([target] if is_index else []), *self.with_text(str(target))})
        text = str(target).strip()
        label = text.strip("()[]{}.:* ").casefold()
        by_label = [index for index, each in enumerate(self.labels) if each.casefold() == label]
        return by_label or self.with_text(text) or self.with_text(without_label(text, self.labels))

    def with_text(self, text: str) -> list[int]:
        """The options whose text this is, letter case and white space apart."""
        wanted = normal(text)
        return [index for index, each in enumerate(self.texts) if normal(each) == wanted]


def read_options(value: Any, letters: Sequence[str]) -> Options:
    """The options that a value of an example holds: a list of texts, or a map from letters to texts.

    Where every text begins with its own letter, as in 'A) 12', the letters are taken off. Raises `ValueError` where
    the value is neither, or there are more texts than letters.
    """
    if not isinstance(value, Mapping | list | tuple):
        raise ValueError(f"must be a list of texts or a map from letters to texts, not {value!r}")  # noqa: TRY004 - the value is data, not an argument
    if isinstance(value, Mapping):
        labels, texts = [str(key).strip("()[].: ") for key in value], list(value.values())
    else:
        labels, texts = list(letters[: len(value)]), list(value)
    if len(labels) < len(texts):
        raise ValueError(f"there are {len(texts)} options and {len(labels)} letters")
    if not texts or not all(isinstance(text, str | int | float) for text in texts):
        raise ValueError(f"must be texts, at least one, not {value!r}")
    if not all(labels) or len({label.casefold() for label in labels}) < len(labels):
        raise ValueError(f"must have a letter each, and no letter twice, not {value!r}")
    return Options(labels=tuple(labels), texts=without_labels([str(text) for text in texts], labels))


def without_labels(texts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """The texts without their own letters, if each begins with its own; AQuA has options such as 'A)A)59'.

    >>> without_labels(["A)12", "B)7"], "AB"), without_labels(["A. Lincoln", "Obama"], "AB")
    (('12', '7'), ('A. Lincoln', 'Obama'))
    """
    bare = [without_label(text, [label]) for text, label in zip(texts, labels, strict=True)]
    are_all_led = all(short != text for short, text in zip(bare, texts, strict=True))
    return without_labels(bare, labels) if are_all_led else tuple(texts)


def without_label(text: str, labels: Sequence[str]) -> str:
    """The text without the letter before it, where that is one of the labels."""
    match = regex.match(LABEL, text)
    is_one = match is not None and match["label"].casefold() in {label.casefold() for label in labels}
    return text[match.end() :] if match and is_one else text


def normal(text: str) -> str:
    """The text as it is compared: small letters, single spaces, no full stop at the end."""
    return " ".join(text.casefold().split()).removesuffix(".")
