"""`regex`: what a pattern matches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import regex
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Found, Missing
from promptkit.align.outline import NotFollowed
from promptkit.align.reach import Reach
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from, unsettled_take
from promptkit.spec import NaturalNumber
from promptkit.text import known_names

__all__ = ["Regex"]

ANSWER = "answer"
SETTLE_TIMEOUT_S = 0.05  # a text is asked about with every token; one that takes longer is not settled yet


class Regex(ItemStep):
    """Finds what a pattern matches (the language of the PyPI package `regex`, which is that of `re` and more).

    The answer is the group named `answer`; or the only group, where there is one; or the whole match. A match in which
    that is empty, or took no part, is no match.
    """

    kind = "regex"
    main: ClassVar[str | None] = "pattern"

    pattern: str = Field(description="the pattern; a group named `answer` marks the answer in it")
    take: Take = Field(
        default="first", description="which match: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    group: NaturalNumber | str | None = Field(
        default=None, description="the group that is the answer, by number or name, where `answer` does not mark it"
    )
    ignore_case: bool = Field(default=False, strict=True, description="whether capital and small letters are the same")
    multiline: bool = Field(default=False, strict=True, description="whether ^ and $ match at the ends of every line")
    dotall: bool = Field(default=False, strict=True, description="whether . matches the end of a line too")
    timeout_s: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="seconds for one completion; then there is no match"
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            regex.compile(pattern)
        except (regex.error, OverflowError, RecursionError) as error:
            context = {"why": getattr(error, "msg", None) or str(error) or type(error).__name__, "where": place(error)}
            raise PydanticCustomError("pattern", "the pattern does not compile: {why}{where}", context) from error
        return pattern

    @field_validator("group")
    @classmethod
    def _is_a_group(cls, group: int | str | None, info: ValidationInfo) -> int | str | None:
        if group is None or "pattern" not in info.data:  # a pattern that does not compile is told of by itself
            return group
        compiled = regex.compile(info.data["pattern"])
        if isinstance(group, int) and group > compiled.groups:
            message = "the pattern has no group {group}, it has {num_groups}"
            raise PydanticCustomError("group", message, {"group": group, "num_groups": compiled.groups})
        if isinstance(group, str) and group not in compiled.groupindex:
            hint = known_names(group, compiled.groupindex)
            raise PydanticCustomError("group", "the pattern has no group {group}", {"group": repr(group), "hint": hint})
        return group

    @cached_property
    def compiled(self) -> regex.Pattern[str]:
        """The pattern, ready."""
        flags = regex.IGNORECASE * self.ignore_case | regex.MULTILINE * self.multiline | regex.DOTALL * self.dotall
        return regex.compile(self.pattern, flags)

    @cached_property
    def answer_group(self) -> int | str:
        """The group that is the answer; 0 is the whole match."""
        if self.group is not None:
            return self.group
        if ANSWER in self.compiled.groupindex:
            return ANSWER
        return 1 if self.compiled.groups == 1 else 0

    def read(self, found: Found) -> Found | Missing:
        """The match that is asked for."""
        try:
            taken = take_from(self.matches(found), self.take)
        except TimeoutError:
            return Missing(reason=f"timed out after {self.timeout_s:g} s")
        return taken or Missing(reason="no match")

    def matches(self, found: Found) -> Iterator[Found]:
        """Every match, in the order in which the pattern finds them. Raises `TimeoutError` when the time is up."""
        for match in self.whole_matches(found.value, self.timeout_s):
            yield found.part(*match.span(self.answer_group))

    def whole_matches(self, text: str, timeout_s: float) -> Iterator[regex.Match[str]]:
        """Every match in which the answer has any text; its span is -1, -1 where the group took no part."""
        for match in self.compiled.finditer(text, timeout=timeout_s):
            start, end = match.span(self.answer_group)
            if start < end:
                yield match

    def settle(self, found: Found) -> Found | Missing:
        """The first match, once no text that follows could make it longer, or another."""
        if self.take == "first" and isinstance(self.reach, Reach):
            try:
                match = next(self.whole_matches(found.value, min(self.timeout_s, SETTLE_TIMEOUT_S)), None)
            except TimeoutError:
                match = None
            if match is not None and self.reach.is_over(found.value, match.start()):
                return found.part(*match.span(self.answer_group)).closed()
        return Missing(reason=self.unsettled() or "no match that has ended")

    def unsettled(self) -> str:
        """Why any match but the first may be another in the end; or what of the pattern cannot be followed."""
        why = unsettled_take(self.take)
        return why or (f"has {self.reach} in its pattern" if isinstance(self.reach, str) else "")

    @cached_property
    def reach(self) -> Reach | str:
        """How far the pattern's search looks; or what is in the pattern, because of which that is not known."""
        try:
            return Reach(self.compiled)
        except NotFollowed as error:
            return str(error)


def place(error: Exception) -> str:
    """Where a pattern fails, counted from 1, as the columns of a file are."""
    position = getattr(error, "pos", None)
    return "" if position is None else f" at character {position + 1}"
