"""How far into a text a pattern's search had to look: whether more text could change what was found.

A search reads a text from the left, and what it finds follows from what it looked at. If it never came to the end of
the text, it did not see that the text ends there, and it goes the same way through every text that begins so. Whether
it could have come to the end is asked of the pattern's outline, all of whose ways are walked at once (Thompson 1968,
"Regular expression search algorithm"), so that the time grows with the text alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from promptkit.spec.outline import Assertion, Either, Group, Node, NotFollowed, One, Peek, Repeat, outline_of

__all__ = ["Reach"]

MAX_STATES = 5000  # of a pattern; `(?:a{100}){100}` would have ten thousand
MAX_KEPT = 20_000  # moves that are remembered

Live = frozenset[int]


class Reach:
    """The ways through a pattern, as states; state 0 is the match's end. Raises `NotFollowed` for some patterns."""

    def __init__(self, compiled: regex.Pattern[str]) -> None:
        self._empty_moves: list[list[int]] = [[]]
        self._reads: list[tuple[regex.Pattern[str], int] | None] = [None]
        self._dead_end = self._state()
        self._start = self._closure([self._built(outline_of(compiled), 0)])
        self._kept: dict[tuple[Live, str, bool], Live] = {}

    def is_over(self, text: str, start: int) -> bool:
        """Whether no search that began at `start` or before it could have come to the end of the text.

        Then the first match, if it begins at `start`, is the first match of every text that begins with `text`.
        """
        live = self._start
        for place, character in enumerate(text, 1):
            live = self._moved(live, character, is_begun=place <= start)
            if not live:
                return True
        return False

    def longest(self, text: str, start: int) -> int | None:
        """Where the longest way through the pattern ends that begins at `start`; None where there is none.

        Only for patterns whose outline is their language.
        """
        live, end = self._start, start if 0 in self._start else None
        for place in range(start, len(text)):
            live = self._moved(live, text[place], is_begun=False)
            if not live:
                break
            if 0 in live:
                end = place + 1
        return end

    def _moved(self, live: Live, character: str, *, is_begun: bool) -> Live:
        """The states after one more character, those of a search that begins there among them if `is_begun`."""
        after = self._kept.get((live, character, is_begun))
        if after is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            reads = (self._reads[state] for state in live)
            after = self._closure(read[1] for read in reads if read and read[0].fullmatch(character))
            after = after | self._start if is_begun else after
            self._kept[live, character, is_begun] = after
        return after

    def _closure(self, states: Iterable[int]) -> Live:
        """The states, and those that lie no character further."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting += self._empty_moves[state]
        return frozenset(found)

    def _state(self, *next_states: int, reads: tuple[regex.Pattern[str], int] | None = None) -> int:
        """A new state."""
        if len(self._reads) >= MAX_STATES:
            raise NotFollowed("too many repetitions")
        self._empty_moves.append(list(next_states))
        self._reads.append(reads)
        return len(self._reads) - 1

    def _built(self, node: Node, after: int) -> int:
        """The state before a part, from which `after` is reached through it."""
        if isinstance(node, One):
            return self._state(reads=(node.pattern, after))
        if isinstance(node, Either):
            return self._state(*(self._built(part, after) for part in node.parts))
        if isinstance(node, Peek):  # what is ahead is looked for, and the pattern goes on as if it were there
            return self._state(self._built(node.part, self._dead_end), after)
        if isinstance(node, Repeat):
            return self._repeated(node, after)
        parts = () if isinstance(node, Assertion) else (node.part,) if isinstance(node, Group) else node.parts
        for part in reversed(parts):  # what is asserted is taken to hold
            after = self._built(part, after)
        return after

    def _repeated(self, node: Repeat, after: int) -> int:
        """The state before a repeated part."""
        if node.most is None:
            first = self._state(after)
            self._empty_moves[first].append(self._built(node.part, first))
        else:
            first = after
            for _ in range(node.most - node.least):
                first = self._state(self._built(node.part, first), after)
        for _ in range(node.least):
            first = self._built(node.part, first)
        return first
