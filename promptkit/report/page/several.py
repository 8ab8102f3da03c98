"""What the page says of several runs: how far they lie apart, what moved, what flipped; and the cells of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.report.compare_view import CAUSE_WORDS, SIDES, format_difference, format_p, left_out
from promptkit.report.ledger_view import value_text
from promptkit.report.page.head import ScoreLine, score_line
from promptkit.report.settings import short_names, value_labels
from promptkit.report.sweep_view import closing_lines, metrics_of
from promptkit.run import Moved, Pair

__all__ = ["Against", "Cells", "against_of", "cells_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A run compared with the first: lines of text, what moved, and how many flips each cause has.

    `metrics` are names with the difference, how many examples are better, worse and the same, and the p-value; `moved`
    the part, the place and both values; `causes` the cause in a word and in words, better, worse.
    """

    number: int
    common: str
    metrics: tuple[tuple[str, ...], ...]
    moved: tuple[tuple[str, ...], ...]
    causes: tuple[tuple[str, str, int, int], ...]
    statuses: tuple[tuple[str, str, int], ...]


def against_of(pair: Pair, num_pairs: int) -> Against:
    """What is said of a pair."""
    changed = sorted(((a, b, num) for (a, b), num in pair.statuses.items() if a != b), key=lambda each: -each[2])
    return Against(
        number=pair.number,
        common=f"{pair.num_common:,} examples in common{left_out(pair)}",
        metrics=tuple(metric_rows(pair, num_pairs)),
        moved=tuple(moved_row(each) for each in pair.moved),
        causes=tuple((cause, CAUSE_WORDS.get(cause, f"the {cause}"), *nums) for cause, nums in pair.causes.items()),
        statuses=tuple(changed),
    )


def metric_rows(pair: Pair, num_pairs: int) -> Iterator[tuple[str, ...]]:
    """Each metric's difference, counts and p-value, which is corrected where there are several pairs."""
    for name, found in pair.metrics.items():
        p_value = pair.adjusted[name] if num_pairs > 1 else found.p_value
        nums = (f"{num:,}" for num in (found.num_better, found.num_worse, found.num_same))
        yield name, format_difference(found), *nums, format_p(p_value)


def moved_row(each: Moved) -> tuple[str, ...]:
    """The part of the formula, the place in the file, and its value in both."""
    values = (value_text(each.values[name]) if name in each.values else "nothing" for name in SIDES)
    return each.part, each.path, *values


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A sweep: the names of its columns, and of each cell its number, settings, n, scores, statuses, and a note."""

    names: tuple[str, ...]
    metrics: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...], int, tuple[ScoreLine | None, ...], str, str], ...]
    lines: tuple[str, ...]

    def label(self, number: int) -> str:
        """A cell in words."""
        settings = ", ".join(f"{name} {value}" for name, value in zip(self.names, self.rows[number][1], strict=True))
        return f"cell {number}: {settings}"

    @property
    def best(self) -> int:
        """The cell of the highest score by the first metric, of those that went to the end."""
        scored = [(row[3][0].value, -row[0]) for row in self.rows if not row[5] and row[3] and row[3][0]]
        known = [(value, number) for value, number in scored if value is not None]
        return -max(known)[1] if known else 0


def cells_of(sweep: Mapping[str, Any]) -> Cells:
    """What is said of a sweep, in the order of its cells."""
    cells: Sequence[Mapping[str, Any]] = sweep["cells"]
    names = short_names(sweep["paths"])
    columns = [value_labels([cell["settings"][path] for cell in cells]) for path in sweep["paths"]]
    metrics = metrics_of(sweep)
    return Cells(
        names=tuple(names[path] for path in sweep["paths"]),
        metrics=tuple(metrics),
        rows=tuple(
            (
                cell["cell"],
                tuple(column[place] for column in columns),
                cell["num_examples"],
                tuple(score_line(name, cell["scores"][name]) if name in cell["scores"] else None for name in metrics),
                ", ".join(f"{name} {num:,}" for name, num in cell["statuses"].items() if num),
                f"dropped after {cell['dropped_after']:,}" if cell.get("dropped_after") is not None else "",
            )
            for place, cell in enumerate(cells)
        ),
        lines=tuple(closing_lines(sweep)),
    )
