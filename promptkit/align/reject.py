"""`reject`: texts that say that they hold no answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

import regex
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Found, Missing
from promptkit.align.pattern import Deadline, Patterns, flags_of
from promptkit.align.sentences import sentence_at, sentences
from promptkit.align.step import ItemStep
from promptkit.spec.declaration import shorten

__all__ = ["Reject"]

Compiled = tuple[regex.Pattern[str], ...]

# where the last sentence begins: after a line's end, or after a mark that ends a sentence and white space
SENTENCE_END = regex.compile(
    r"[\r\n]|[.!?\u3002\uff01\uff1f][\"'\u201d\u2019)\]*]*+(?=\s)|[\u3002\uff01\uff1f]", regex.REVERSE
)
LONGEST_EDGE = 4000  # characters from the end, in which the last sentences are looked for
TRAILING = " \t\r\n.!?*\"'\u201d\u2019)\u3002\uff01\uff1f"


class Reject(ItemStep):
    """Finds no answer in a text that a pattern matches: a refusal, or no conclusion. Any other text passes unchanged."""

    kind = "reject"
    main: ClassVar[str | None] = "patterns"

    patterns: Patterns = Field(description="the pattern of a text without an answer, or several; any of them is enough")
    where: Literal["anywhere", "start", "end", "last_sentence", "edges"] = Field(
        default="anywhere",
        description="where a pattern must match: anywhere, start (it begins the text), end (nothing but marks and white "
        "space follow), last_sentence (inside the last sentence or line), edges (inside the first sentence, or one of the last two)",
    )
    unless: Patterns | None = Field(
        default=None, description="a pattern that, anywhere in the text, saves it; or several, any of them is enough"
    )
    ignore_case: bool = Field(default=True, strict=True, description="whether capital and small letters are the same")
    timeout_s: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="seconds for one completion; then there is no answer"
    )

    @field_validator("patterns")
    @classmethod
    def _matches_something(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for number, pattern in enumerate(patterns):
            if regex.fullmatch(pattern, "", timeout=1):
                message = "the pattern matches the empty text, which is in every text"
                raise PydanticCustomError("pattern", message, {"at": (number,)})
        return patterns

    @cached_property
    def compiled(self) -> tuple[Compiled, Compiled]:
        """What rejects and what saves, ready."""
        flags = flags_of(ignore_case=self.ignore_case)
        rejecting = tuple(regex.compile(pattern, flags) for pattern in self.patterns)
        return rejecting, tuple(regex.compile(pattern, flags) for pattern in self.unless or ())

    def read(self, found: Found) -> Found | Missing:
        """The text as it is, unless a pattern rejects it."""
        rejecting, saving = self.compiled
        deadline = Deadline.after(self.timeout_s)
        try:
            match = self.rejected(rejecting, found.value, deadline)
            if match is None or deadline.search(saving, found.value):
                return found
        except TimeoutError:
            return Missing(reason=f"timed out after {self.timeout_s:g} s")
        return Missing(reason=f"rejected, as it says {shorten(match[0])}")

    def rejected(
        self, patterns: Sequence[regex.Pattern[str]], text: str, deadline: Deadline
    ) -> regex.Match[str] | None:
        """What a pattern matches where it is looked for."""
        if self.where == "last_sentence":
            return deadline.search(patterns, last_sentence(text))
        if self.where == "edges":
            return next(filter(None, (deadline.search(patterns, each) for each in edges(text))), None)
        start, end = len(text) - len(text.lstrip()), len(text.rstrip(TRAILING))
        for compiled in patterns:
            for match in deadline.matches(compiled, text):
                if self.where == "start" and match.start() > start:
                    break
                if match.start() < match.end() and (self.where != "end" or match.end() >= end):
                    return match
        return None


def edges(text: str) -> list[str]:
    """The first sentence of a text, and the last two."""
    start = len(text) - len(text.lstrip())
    first = sentence_at(text, start)
    last = sentences(text, max(first.end, len(text) - LONGEST_EDGE))[-2:]
    return [text[each.start : each.end] for each in (first, *last)]


def last_sentence(text: str) -> str:
    """The last sentence of a text, or its last line where that is shorter.

    >>> last_sentence("It is 3.5. So I cannot tell.")
    ' So I cannot tell.'
    """
    end = len(text.rstrip(TRAILING))
    before = SENTENCE_END.search(text, 0, end)
    return text[before.end() :] if before else text
