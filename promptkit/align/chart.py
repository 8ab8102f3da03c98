"""The chart of a grammar over a text: every way to read every stretch of it (Earley 1970, "An efficient context-free
parsing algorithm"; rules that may be empty as in Aycock and Horspool 2002, "Practical Earley parsing").

A terminal reads as much as it can, and what is ignored may stand before it. Several beginnings are read at once, so that
the longest stretch that fits is found in one go.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush

from promptkit.align.tokens import Table
from promptkit.text import Span

__all__ = ["Chart", "Item"]

TICKS = 64  # items between two looks at the clock
LEAST_S = 0.001

Item = tuple[int, int, int]  # a production's number, how many of its parts are read, and where it began


class Chart:
    """The chart of a text, over rules that begin at `starts`. Raises `TimeoutError` when the time is up."""

    def __init__(self, table: Table, text: str, starts: Iterable[int], *, timeout_s: float) -> None:
        self.table = table
        self.text = text
        self.ways: dict[tuple[Item, int], list[int]] = {}  # an item at a place: where its last part may begin
        self._until = time.monotonic() + timeout_s
        self._ticks = 0
        self._columns: dict[int, list[Item]] = {}
        self._places: list[int] = []  # a heap of those whose items are not read on yet
        self._wanted: dict[tuple[str, int], list[Item]] = defaultdict(list)  # items that need a rule from a place on
        self._tokens: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._found: list[Span] = []
        for start in starts:
            self.tick()
            if self._may_begin(start):
                self._predict(table.start, start)
        while self._places:
            self._read_on(heappop(self._places))

    def spans(self) -> list[Span]:
        """Every stretch that is the start rule's and not empty."""
        return list(dict.fromkeys(self._found))

    def tokens(self, name: str, place: int) -> list[tuple[int, int]]:
        """Where a terminal may stand from a place on: there, or after what is ignored if it then reaches further."""
        known = self._tokens.get((name, place))
        if known is None:
            end = self._match(name, place)
            known = [] if end is None else [(place, end)]
            after = self.skipped(place)
            if after > place and (further := self._match(name, after) or 0) > (end or place):
                known.append((after, further))
            self._tokens[name, place] = known
        return known

    def skipped(self, place: int) -> int:
        """The place after all that is ignored there."""
        while ends := [end for name in self.table.ignored if (end := self._match(name, place))]:
            place = max(ends)
        return place

    def tick(self) -> None:
        """Looks at the clock now and then."""
        self._ticks += 1
        if self._ticks % TICKS == 0 and time.monotonic() > self._until:
            raise TimeoutError

    def _may_begin(self, place: int) -> bool:
        return any(self._match(name, place) for name in self.table.first[self.table.start])

    def _match(self, name: str, place: int) -> int | None:
        """The end of the terminal at a place; None where it does not stand there, or would be empty."""
        self.tick()
        end = self.table.matches[name](self.text, place, max(LEAST_S, self._until - time.monotonic()))
        return end if end is not None and end > place else None

    def _add(self, item: Item, place: int, way: int | None = None) -> None:
        ways = self.ways.get((item, place))
        if ways is None:
            self.tick()
            ways = self.ways[item, place] = []
            if place not in self._columns:
                self._columns[place] = []
                heappush(self._places, place)
            self._columns[place].append(item)
        if way is not None and way not in ways:
            ways.append(way)

    def _read_on(self, place: int) -> None:
        """Reads on from every item at a place, and from those that come to it meanwhile."""
        for item in self._columns[place]:
            number, num_read, began = item
            parts = self.table.parts[number]
            if num_read == len(parts):
                self._complete(self.table.rules[number], began, place)
            elif parts[num_read] in self.table.matches:
                for _, end in self.tokens(parts[num_read], place):
                    self._add((number, num_read + 1, began), end, place)
            else:
                self._want(parts[num_read], item, place)

    def _want(self, rule: str, item: Item, place: int) -> None:
        if not self._wanted[rule, place]:
            self._predict(rule, place)
        self._wanted[rule, place].append(item)
        if rule in self.table.nullable:
            number, num_read, began = item
            self._add((number, num_read + 1, began), place, place)

    def _predict(self, rule: str, place: int) -> None:
        for number in self.table.numbers[rule]:
            self._add((number, 0, place), place)

    def _complete(self, rule: str, began: int, place: int) -> None:
        if rule == self.table.start and place > began:
            self._found.append(Span(start=began, end=place))
        for number, num_read, start in list(self._wanted[rule, began]):
            self._add((number, num_read + 1, start), place, began)
