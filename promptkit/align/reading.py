"""What the ways to read a stretch of text take of it, told apart where they differ.

Two that differ are as many as are needed to say that a text can be read in more than one way; a rule that is made of
itself alone adds no further way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from promptkit.align.chart import Chart
from promptkit.text import Span

__all__ = ["Reading", "Taken", "readings"]

MANY = 2

Rule = tuple[str, int, int]  # a rule, and where it begins and ends
Part = tuple[int, int, int, int]  # the first parts of a production: its number, how many, where they begin and end
Below = tuple[Part, "Rule | Reading"]  # what a row of parts is made of: all but the last, and the last


@dataclass(frozen=True, slots=True)
class Taken:
    """The text of a rule or terminal, by name."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reading:
    """What one way takes, in the order of the text; `start` is where its first token begins, None if it has none."""

    start: int | None = None
    taken: tuple[Taken, ...] = ()

    def then(self, other: Reading) -> Reading:
        """This, and the other after it."""
        return Reading(other.start if self.start is None else self.start, self.taken + other.taken)


def readings(chart: Chart, span: Span, names: Collection[str]) -> tuple[Reading, ...]:
    """What the ways to read a stretch as the start rule take of these names: one, or two that differ."""
    forest = Forest(chart, names)
    return forest.of((chart.table.start, span.start, span.end))


class Forest:
    """The ways in a chart, from the small to the large. A long list is a deep tree, so nothing here calls itself."""

    def __init__(self, chart: Chart, names: Collection[str]) -> None:
        self.chart = chart
        self.names = names
        self._known: dict[Rule | Part, tuple[Reading, ...]] = {}

    def of(self, root: Rule | Part) -> tuple[Reading, ...]:
        """The readings of a rule's text, or of the first parts of a production."""
        waiting: list[Rule | Part] = [root]
        begun: set[Rule | Part] = set()
        while waiting:
            self.chart.tick()
            node = waiting[-1]
            if node in self._known:
                waiting.pop()
            elif node in begun:
                self._known[node] = self._joined(node)
            else:
                begun.add(node)
                waiting += [each for each in self._needed(node) if each not in begun]
        return self._known[root]

    def _needed(self, node: Rule | Part) -> Iterable[Rule | Part]:
        if len(node) == 3:
            return self._wholes(node)
        return [each for pair in self._splits(node) for each in pair if not isinstance(each, Reading)]

    def _wholes(self, rule: Rule) -> list[Part]:
        """The productions that are read over all of a rule's stretch."""
        name, began, end = rule
        table = self.chart.table
        each_whole = ((number, len(table.parts[number]), began, end) for number in table.numbers[name])
        return [each for each in each_whole if (each[:3], end) in self.chart.ways]

    def _splits(self, part: Part) -> list[Below]:
        """The ways to part a row of parts into all but the last, and the last."""
        number, num_read, began, end = part
        if not num_read:
            return []
        last = self.chart.table.parts[number][num_read - 1]
        splits: list[Below] = []
        for way in self.chart.ways[(number, num_read, began), end]:
            before = (number, num_read - 1, began, way)
            if last in self.chart.table.matches:
                splits += [(before, self._token(last, each)) for each in self.chart.tokens(last, way) if each[1] == end]
            else:
                splits.append((before, (last, way, end)))
        return splits

    def _token(self, name: str, place: tuple[int, int]) -> Reading:
        span = Span(start=place[0], end=place[1])
        return Reading(place[0], (Taken(name, span),) if name in self.names else ())

    def _joined(self, node: Rule | Part) -> tuple[Reading, ...]:
        """The readings of a node from those of what it is made of."""
        found: list[Reading] = []
        if len(node) == 3:
            for whole in self._wholes(node):
                found += [self._named(whole, each) for each in self._known.get(whole, ())]
        elif not node[1]:
            found.append(Reading())
        else:
            for before, last in self._splits(node):
                lasts = (last,) if isinstance(last, Reading) else self._known.get(last, ())
                found += [one.then(other) for one in self._known.get(before, ()) for other in lasts]
        # equal ones are looked for only among several: a long list's readings are long
        return tuple(dict.fromkeys(found))[:MANY] if len(found) > 1 else tuple(found)

    def _named(self, whole: Part, reading: Reading) -> Reading:
        """The reading of a production, with the production's own text where that is asked for."""
        name, end = self.chart.table.names[whole[0]], whole[3]
        if name not in self.names or reading.start is None:
            return reading
        return Reading(reading.start, (Taken(name, Span(start=reading.start, end=end)), *reading.taken))
