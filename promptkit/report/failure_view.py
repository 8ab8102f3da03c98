"""An example that does not hold: expected against got, the completion with what was read, the ledger in short."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from promptkit.report.ledger_view import ledger_lines, ledger_marks
from promptkit.report.marked import Extent, caret_lines, harmless, shortened
from promptkit.run import Difference, Failure

__all__ = ["failure_text"]

WIDTH = 100
AROUND = 40  # characters kept before the first that differs, and of what differs
SHOWN = Extent(max_characters=600, kept=200)


def failure_text(failure: Failure) -> str:
    """The failure in lines of plain text, which read the same on a terminal and in a log."""
    lines = [failure.head]
    for difference in failure.differences:
        lines += indented(difference_lines(difference))
    marks = ledger_marks(failure.outcome, failure.completion)
    completion = caret_lines(failure.completion, marks, WIDTH, SHOWN)
    lines += ["    completion:", *indented(indented(completion))]
    if failure.outcome.ledger:
        lines += ["    ledger:", *indented(indented(ledger_lines(failure.outcome)))]
    return "\n".join(line.rstrip() for line in lines)


def indented(lines: Iterator[str]) -> Iterator[str]:
    """The lines, moved in."""
    return (f"    {line}" for line in lines)


def difference_lines(difference: Difference) -> Iterator[str]:
    """The expected above the got, so that equal parts stand under each other, and carets below what differs."""
    expected, got = harmless(difference.expected), harmless(difference.got)
    if not difference.is_close:
        yield f"expected: {expected}"
        yield f"got:      {got}"
        return
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(expected, got, strict=False))))
    cut = max(0, same - AROUND)
    expected, got, same = without_start(expected, cut), without_start(got, cut), same - cut + (cut > 0)
    yield f"expected: {expected}"
    yield f"got:      {got}"
    yield f"          {' ' * same}{'^' * num_differing(expected[same:], got[same:])}"


def without_start(text: str, cut: int) -> str:
    """The text without its first `cut` characters, and no longer than a line."""
    return shortened(f"…{text[cut:]}" if cut else text, 3 * AROUND)


def num_differing(expected: str, got: str) -> int:
    """How many characters differ before the two end alike; at least one, to have a caret."""
    pairs = zip(reversed(expected), reversed(got), strict=False)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    return max(1, max(len(expected), len(got)) - same)
