"""When two values are one: exactly, across the kinds in which data sets write one and the same value.

Examples of a file, scores, votes and comparisons of parsers all ask `is_same`. A value may bring a notion of its own,
`HasEquality`: where mathematics is compared is a matter of what was read, and not of who compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from numbers import Number
from typing import Any, Protocol, runtime_checkable

__all__ = ["HasEquality", "is_right", "is_same"]

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")  # RFC 8259, section 6

Fold = Callable[[str], str]


@runtime_checkable
class HasEquality(Protocol):
    """A value that says itself whether another means the same. It must say so both ways round."""

    def is_same_as(self, other: Any) -> bool:
        """Whether the other value means the same."""


def is_right(answer: Any, target: Any, fold: Fold = str) -> bool:
    """Whether the answer is the target, or one of the targets where they are a list.

    `fold` is put over every text before it is compared. An answer that is a list itself is right where it is the
    whole list, or one of the lists in it.

    >>> is_right(18.0, "18"), is_right("Paris", ["Paris", "Paris, France"])
    (True, True)
    """
    if is_same(answer, target, fold):
        return True
    return isinstance(target, list | tuple) and any(is_same(answer, each, fold) for each in target)


def is_same(answer: Any, target: Any, fold: Fold = str) -> bool:
    """Whether two values are one; `is_same(a, b)` is `is_same(b, a)`.

    A value that has a notion of its own is asked, where its text is another. Numbers compare as numbers, exactly and whatever their type: 18 is 18.0, and 0.1 is Decimal("0.1"). A truth value
    is no number. Text beside a number or a truth value is read as JSON writes those: "18.0" is 18, but "1,800" is
    not 1800. Lists compare item by item, maps key by key.
    """
    if isinstance(answer, HasEquality) or isinstance(target, HasEquality):
        return is_same_by_itself(answer, target, fold)
    if isinstance(answer, str) and isinstance(target, str):
        return fold(answer) == fold(target)
    if isinstance(answer, str) and isinstance(target, Number):
        answer = read_scalar(fold(answer))
    elif isinstance(target, str) and isinstance(answer, Number):
        target = read_scalar(fold(target))
    if isinstance(answer, bool) or isinstance(target, bool):
        return answer is target
    if isinstance(answer, list | tuple) and isinstance(target, list | tuple):
        pairs = zip(answer, target, strict=False)
        return len(answer) == len(target) and all(is_same(one, other, fold) for one, other in pairs)
    if isinstance(answer, Mapping) and isinstance(target, Mapping):
        return answer.keys() == target.keys() and all(is_same(answer[key], target[key], fold) for key in target)
    return bool(answer == target) or (isinstance(answer, Number) and exact(answer) == exact(target))


def is_same_by_itself(answer: Any, target: Any, fold: Fold) -> bool:
    """Whether two values are one, of which one has a notion of its own. Equal text is equal without it."""
    if isinstance(answer, str) and isinstance(target, str) and fold(answer) == fold(target):
        return True
    return answer.is_same_as(target) if isinstance(answer, HasEquality) else bool(target.is_same_as(answer))


def read_scalar(text: str) -> Any:
    """The number or truth value that a text spells in JSON; the text itself where it spells none."""
    if text in ("true", "false"):
        return json.loads(text)
    return Fraction(text) if JSON_NUMBER.fullmatch(text) else text


def exact(value: Any) -> Any:
    """A finite number as the fraction that its shortest spelling names, so that 0.1 is a tenth; else the value."""
    if isinstance(value, float | Decimal):
        text = str(float(value)) if isinstance(value, float) else str(value)
        return Fraction(text) if JSON_NUMBER.fullmatch(text.replace("E+", "e")) else value
    return value
