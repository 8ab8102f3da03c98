"""`python_literal`: a value as Python writes it, read without running anything."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import regex
from pydantic import Field

from promptkit.align.document import is_reference
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import TakeOne, take_from
from promptkit.text import Span

__all__ = ["PythonLiteral", "literal"]

MAX_LENGTH, MAX_DEPTH = 50_000, 50
MAX_BRACKETS = 300_000  # that are looked through in one text
CHARACTERS_A_BRACKET = 50  # that are looked through in the time of one bracket
TRIAL_CHARACTERS = 50  # that are read in the time that any trial takes
MAX_TRIED = 150_000  # characters of stretches that are tried, one after the other

# What may begin a literal: a bracket that is no call and no subscript, before a value, a bracket, or its own end.
START = regex.compile(r"(?<![\w\])])[\[({](?=\s*+(?:[\[({\])}\"'0-9.+-]|[bBrRuU]{1,2}[\"']|(?:True|False|None)\b))")
TOKEN = regex.compile(
    r"""[\[\](){}]|(?P<string>'''(?s:[^'\\]|\\.|'(?!''))*+(?:''')?+|\"{3}(?s:[^"\\]|\\.|"(?!""))*+(?:\"{3})?+
    |'(?:[^'\\\r\n]|\\(?s:.))*+'?+|"(?:[^"\\\r\n]|\\(?s:.))*+"?+)|\#[^\r\n]*+""",
    regex.VERBOSE,
)
UNREADABLE, LITERAL_STARTS = "cannot be read", frozenset("[({\"'")
BRACKET, SIGNS = regex.compile(r"[\[\](){}]"), regex.compile(r"(?:[-+~][ \t]*+){20}")
MATCHING = {"]": "[", ")": "(", "}": "{"}
SURROGATE = regex.compile(r"\\u[dD][89a-fA-F]|\\U0000[dD]|[\ud800-\udfff]")


class PythonLiteral(ItemStep):
    """Reads a Python literal: the whole text, else a list, tuple, set or dict that stands in it.

    Nothing is run. A tuple is given as a list, a set as a list in the order of its items' spelling.
    """

    kind = "python_literal"
    main: ClassVar[str | None] = "take"

    take: TakeOne = Field(
        default="last", description="which one of several in prose: first, last, only (ambiguous if they differ)"
    )

    def read(self, found: Found) -> Found | Missing:
        """The value that is asked for."""
        text: str = found.value
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        try:
            return found.part(start, end).become(literal(text[start:end]))
        except ValueError as error:
            if str(error) != UNREADABLE and text[start : start + 1] in LITERAL_STARTS:
                return Missing(reason=f"the literal {error}")
        return take_from(self.candidates(found), self.take) or Missing(reason="no Python literal")

    def read_other(self, found: Found) -> Found | Missing:
        """A value that an earlier step read, as it is."""
        return super().read_other(found) if found.value is None else found

    def candidates(self, found: Found) -> Iterator[Found]:
        """Every bracketed literal, in order; a value inside another is none of its own."""
        end = tried = 0
        for span in stretches(found.value):
            if span.start < end or tried > MAX_TRIED:
                continue
            tried += span.end - span.start + TRIAL_CHARACTERS
            try:
                value = literal(found.value[span.start : span.end])
            except ValueError:
                continue
            if isinstance(value, list | dict) and not is_reference(found.value, span):
                end = span.end
                yield found.part(span.start, span.end).become(value)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A text as the value that it writes; anything else, and what writes none, as it is."""
        if isinstance(target, str):
            try:
                return literal(target.strip())
            except ValueError:
                return target
        return target


def literal(text: str) -> Any:
    """The value that a Python literal writes, made of what JSON has too. Raises `ValueError` with the reason.

    >>> literal("{'a': (1, 2.5), 'b': None}")
    {'a': [1, 2.5], 'b': None}
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is too long to be read ({len(text)} characters, at most {MAX_LENGTH})")
    if depth_of(text) > MAX_DEPTH or SIGNS.search(text):
        raise ValueError("is nested too deeply")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, about the text's escapes
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(UNREADABLE) from None
    if isinstance(value, tuple) and not text.startswith("("):
        raise ValueError(UNREADABLE)  # '1,234' is meant as a number, or as a list of another kind
    return plain(value)


def plain(value: Any) -> Any:
    """The value with lists for tuples and sets, and texts for names. Raises `ValueError` for what JSON has not."""
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=repr)]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name_of(key): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        if SURROGATE.search(value):
            raise ValueError("holds half of a surrogate pair")
        return value
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(f"holds {value!r}, which is neither text, number, list nor map")


def name_of(key: Any) -> str:
    """A key as text."""
    return str(plain(key))


def depth_of(text: str) -> int:
    """How deep brackets stand in brackets at most."""
    depth = deepest = 0
    for bracket in BRACKET.findall(text):
        depth += 1 if bracket in "[({" else -1
        deepest = max(deepest, depth)
    return deepest


def stretches(text: str) -> list[Span]:
    """What stands between matching brackets, strings respected, in the order of where it begins."""
    found: list[Span] = []
    opened: list[tuple[str, int]] = []
    place = num_brackets = 0
    while num_brackets < MAX_BRACKETS:
        match = TOKEN.search(text, place) if opened else START.search(text, place)
        if match is None:
            break
        num_brackets += 1 + (match.start() - place) // CHARACTERS_A_BRACKET
        kind, begin = match[0][0], match.start()
        place = begin + 1 if kind in "[({])}" else match.end()
        if kind in "[({":
            opened.append((kind, begin))
        elif kind in MATCHING:
            if opened[-1][0] == MATCHING[kind]:
                found.append(Span(start=opened.pop()[1], end=place))
            else:
                place = recovered(opened)
    return sorted(found, key=lambda span: (span.start, -span.end))


def recovered(opened: list[tuple[str, int]]) -> int:
    """Where to look on behind brackets that do not match."""
    place = opened[0][1] + 1
    opened.clear()
    return place
