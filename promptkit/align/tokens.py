"""A grammar as its chart reads it: numbered productions, what a rule may begin with, and what matches a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import regex

from promptkit.align.reach import Reach
from promptkit.spec import Rules, Terminal
from promptkit.spec.outline import Node, NotFollowed, One, Repeat, Row, irregular, outline_of

__all__ = ["Table"]

Match = Callable[[str, int, float], int | None]  # a text, a place, seconds: where the token ends that stands there


class Table:
    """A grammar's productions by number, and the same for its terminals."""

    def __init__(self, rules: Rules) -> None:
        self.start = rules.start
        every = [(rule, each) for rule, productions in rules.productions.items() for each in productions]
        self.rules = [rule for rule, _ in every]
        self.names = [production.name for _, production in every]
        self.parts = [production.parts for _, production in every]
        self.numbers: dict[str, list[int]] = {rule: [] for rule in rules.productions}
        for number, rule in enumerate(self.rules):
            self.numbers[rule].append(number)
        self.nullable = rules.nullable
        self.ignored = rules.ignored
        self.matches = {name: matcher(terminal) for name, terminal in rules.terminals.items()}
        self.first = self._first()

    def _first(self) -> dict[str, frozenset[str]]:
        """The terminals that a text of each rule may begin with."""
        found: dict[str, frozenset[str]] = dict.fromkeys(self.numbers, frozenset())
        while True:
            before = dict(found)
            for rule, parts in zip(self.rules, self.parts, strict=True):
                found[rule] |= self._first_of(parts, found)
            if found == before:
                return found

    def _first_of(self, parts: Iterable[str], known: dict[str, frozenset[str]]) -> frozenset[str]:
        first: frozenset[str] = frozenset()
        for part in parts:
            first |= {part} if part in self.matches else known[part]
            if part not in self.nullable:
                break
        return first


def matcher(terminal: Terminal) -> Match:
    """What finds the end of a terminal's text: the longest that its pattern has.

    Where the pattern asserts something, or prefers what is not the longest, the text is what the pattern prefers, as it
    is for lark.
    """
    compiled = regex.compile(terminal.pattern)

    def preferred(text: str, place: int, timeout_s: float) -> int | None:
        match = compiled.match(text, place, timeout=timeout_s)
        return None if match is None else match.end()

    try:
        outline = outline_of(compiled)
        if irregular(outline) or prefers_longest(outline):
            return preferred
        reach = Reach(compiled)
    except NotFollowed:
        return preferred
    return lambda text, place, _: reach.longest(text, place)


def prefers_longest(outline: Node) -> bool:
    """Whether the pattern's own search can only find the longest: characters in a row, the last perhaps repeated."""
    *before, last = flat(outline) or [Row(())]
    last = flat(last.part)[-1] if isinstance(last, Repeat) and len(flat(last.part)) == 1 else last
    return isinstance(last, One) and all(isinstance(each, One) for each in before)


def flat(node: Node) -> list[Node]:
    """The parts of rows in rows, in their order."""
    return [part for each in node.parts for part in flat(each)] if isinstance(node, Row) else [node]
