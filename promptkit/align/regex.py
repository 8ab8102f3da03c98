"""`regex`: what a pattern matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from time import perf_counter
from typing import ClassVar, Literal

import regex
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.ledger import Ledger, Tried
from promptkit.align.outcome import Capture, Found, Missing
from promptkit.align.pattern import Deadline, Patterns, flags_of
from promptkit.align.reach import Reach
from promptkit.align.step import ItemStep
from promptkit.align.take import Take, take_from, unsettled_take
from promptkit.spec import NaturalNumber
from promptkit.spec.outline import NotFollowed
from promptkit.text import known_names

__all__ = ["Regex"]

ANSWER = "answer"
SETTLE_TIMEOUT_S = 0.05  # a text is asked about with every token; one that takes longer is not settled yet

Match = regex.Match[str]


class Regex(ItemStep):
    """Finds what a pattern matches (the language of the PyPI package `regex`, which is that of `re` and more).

    The answer is the group named `answer`; or the only group, where there is one; or the whole match. A match in which
    that is empty, or took no part, is no match. Other named groups are captured beside it. Of several patterns the
    first that matches anywhere wins.

    `search: end` matches backwards, from the end of the text to its start: its first match is the one that ends last,
    and a long text is not read through for it. `take: last` reads forwards, and its last match is the last of those
    that do not overlap an earlier one. They differ where matches may overlap: of `is .+?$` in 'is it? It is 5' the
    forward match is 'is it? It is 5', the backward one 'is 5'.
    """

    kind = "regex"
    main: ClassVar[str | None] = "pattern"

    pattern: Patterns = Field(
        description="the pattern, in which a group named `answer` marks the answer; or several, tried in their order"
    )
    take: Take = Field(
        default="first", description="which match: first, last, only (ambiguous if they differ), all (gives a list)"
    )
    search: Literal["start", "end"] = Field(
        default="start",
        description="where the search begins; from the end, the first match is the one that ends last in the text",
    )
    group: NaturalNumber | str | None = Field(
        default=None, description="the group that is the answer, by number or name, where `answer` does not mark it"
    )
    ignore_case: bool = Field(default=False, strict=True, description="whether capital and small letters are the same")
    multiline: bool = Field(default=False, strict=True, description="whether ^ and $ match at the ends of every line")
    dotall: bool = Field(default=False, strict=True, description="whether . matches the end of a line too")
    timeout_s: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="seconds for one completion, all patterns together; then there is no match",
    )

    @field_validator("group")
    @classmethod
    def _is_a_group(cls, group: int | str | None, info: ValidationInfo) -> int | str | None:
        for pattern in info.data.get("pattern", ()):  # a pattern that does not compile is told of by itself
            compiled = regex.compile(pattern)
            if isinstance(group, int) and group > compiled.groups:
                message = "the pattern has no group {group}, it has {num_groups}"
                raise PydanticCustomError("group", message, {"group": group, "num_groups": compiled.groups})
            if isinstance(group, str) and group not in compiled.groupindex:
                context = {"group": repr(group), "hint": known_names(group, compiled.groupindex)}
                raise PydanticCustomError("group", "the pattern has no group {group}", context)
        return group

    @cached_property
    def searches(self) -> tuple[Search, ...]:
        """The patterns, ready."""
        flags = flags_of(
            ignore_case=self.ignore_case,
            multiline=self.multiline,
            dotall=self.dotall,
            reverse=self.search == "end",
        )
        return tuple(Search(regex.compile(pattern, flags), self.group) for pattern in self.pattern)

    def read(self, found: Found) -> Found | Missing:
        """The match that is asked for, of the first pattern that has any."""
        deadline = Deadline.after(self.timeout_s)
        ledger: Ledger = ()
        for number, search in enumerate(self.searches):
            started = perf_counter()
            try:
                result = self.taken(search, found, deadline) or Missing(reason="no match")
            except TimeoutError:
                return Missing(reason=f"timed out after {self.timeout_s:g} s", ledger=ledger)
            if found.context.is_traced and len(self.searches) > 1:
                ledger += (tried(number, found, result, perf_counter() - started),)
            if isinstance(result, Found) or result.is_ambiguous:
                break
        return replace(result, ledger=ledger) if ledger else result

    def taken(self, search: Search, found: Found, deadline: Deadline) -> Found | Missing | None:
        """The match of one pattern that is asked for. Raises `TimeoutError` when the time is up."""
        matches = search.matches(found.value, deadline)
        if self.take == "first":
            match = next(matches, None)
            return None if match is None else search.found(found, match)
        if self.take == "last":
            match = None
            for match in matches:  # noqa: B007 - the last is wanted, and a text may hold a million
                pass
            return None if match is None else search.found(found, match)
        if self.take == "only":
            differing: dict[str, Match] = {}
            for match in matches:
                differing.setdefault(match[search.answer], match)
            return take_from((search.found(found, match) for match in differing.values()), "only")
        every = list(matches)
        if self.search == "end":
            every.reverse()
        return search.every(found, every) if every else None

    def settle(self, found: Found) -> Found | Missing:
        """The first match, once no text that follows could make it longer, or another."""
        if not self.unsettled() and isinstance(self.reach, Reach):
            search = self.searches[0]
            try:
                deadline = Deadline.after(min(self.timeout_s, SETTLE_TIMEOUT_S))
                match = next(search.matches(found.value, deadline), None)
            except TimeoutError:
                match = None
            if match is not None and self.reach.is_over(found.value, match.start()):
                return search.found(found, match).closed()
        return Missing(reason=self.unsettled() or "no match that has ended")

    def unsettled(self) -> str:
        """Why any match but the first may be another in the end; or what of the pattern cannot be followed."""
        if len(self.pattern) > 1:
            return "with several patterns waits for the end of the text"
        if self.search == "end":
            return "with `search: end` waits for the end of the text"
        why = unsettled_take(self.take)
        return why or (f"has {self.reach} in its pattern" if isinstance(self.reach, str) else "")

    @cached_property
    def reach(self) -> Reach | str:
        """How far the pattern's search looks; or what is in the pattern, because of which that is not known."""
        try:
            return Reach(self.searches[0].compiled)
        except NotFollowed as error:
            return str(error)


class Search:
    """One pattern, ready: the group that is its answer, and the named groups beside it."""

    __slots__ = ("answer", "beside", "compiled")

    def __init__(self, compiled: regex.Pattern[str], group: int | str | None) -> None:
        self.compiled = compiled
        self.answer: int | str = answer_group(compiled) if group is None else group
        marks = (self.answer, compiled.groupindex.get(str(self.answer), self.answer))
        self.beside = tuple(
            name for name, number in compiled.groupindex.items() if name not in marks and number not in marks
        )

    def matches(self, text: str, deadline: Deadline) -> Iterator[Match]:
        """Every match in which the answer has any text, as the search meets them."""
        answer = self.answer
        for match in deadline.matches(self.compiled, text):
            start, end = match.span(answer)  # -1, -1 where the group took no part
            if start < end:
                yield match

    def found(self, found: Found, match: Match) -> Found:
        """The answer of a match, and what it captured beside it."""
        part = found.part(*match.span(self.answer))
        return part.capturing(self.captures(found, match)) if self.beside else part

    def every(self, found: Found, matches: list[Match]) -> Found:
        """The list of all answers; what was captured is a list too, with None where a group took no part."""
        spans = [match.span(self.answer) for match in matches]
        whole = found.part(min(start for start, _ in spans), max(end for _, end in spans))
        whole = whole.become([match[self.answer] for match in matches])
        if not self.beside:
            return whole
        return whole.capturing(
            {name: several(found, name, matches) for name in self.beside if took_part(name, matches)}
        )

    def captures(self, found: Found, match: Match) -> dict[str, Capture]:
        """The named groups that took part, without the answer."""
        spans = {name: match.span(name) for name in self.beside}
        parts = {name: found.part(*span) for name, span in spans.items() if span[0] >= 0}
        return {
            name: Capture(value=part.value, span=part.span, is_verbatim=part.is_verbatim)
            for name, part in parts.items()
        }


def answer_group(compiled: regex.Pattern[str]) -> int | str:
    """The group that is the answer where nobody says; 0 is the whole match."""
    if ANSWER in compiled.groupindex:
        return ANSWER
    return 1 if compiled.groups == 1 else 0


def took_part(name: str, matches: list[Match]) -> bool:
    """Whether a group matched in any of the matches."""
    return any(match.start(name) >= 0 for match in matches)


def several(found: Found, name: str, matches: list[Match]) -> Capture:
    """What one group captured in several matches, None where it took no part."""
    spans = [match.span(name) for match in matches if match.start(name) >= 0]
    whole = found.part(min(start for start, _ in spans), max(end for _, end in spans))
    return Capture(value=[match[name] for match in matches], span=whole.span)


def tried(number: int, found: Found, result: Found | Missing, took_s: float) -> Tried:
    """One of several patterns, for the ledger."""
    if isinstance(result, Missing):
        return Tried(step=f"[{number}]", read=found.span, took_s=took_s, reason=result.reason)
    return Tried(step=f"[{number}]", read=found.span, took_s=took_s, span=result.span, value=result.value)
