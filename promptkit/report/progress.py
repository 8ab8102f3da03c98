"""Progress on standard error: one line that moves on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self, TextIO

from promptkit.report.table import format_seconds
from promptkit.run import Progress

__all__ = ["ProgressLine", "Reading", "describe"]

LOG_EVERY_S = 10.0
REDRAW_EVERY_S = 0.5
USUAL_WIDTH = 80


class State(Protocol):
    """How far something is. Nothing is shown of what failed before anything was done."""

    @property
    def num_done(self) -> int:
        """What is finished, in its own unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far a file is read: rows, their seconds, and the share of all, None where nobody knows how much there is."""

    num_done: int
    seconds: float
    share: float | None = None


class ProgressLine(AbstractContextManager["ProgressLine"]):
    """Shows how far a run is, its rate, and the time left.

    A thread asks for the newest state at its own pace: completions come in bursts, and the line moves while none comes.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.is_terminal = self.stream.isatty()
        self._read: Callable[[], State] | None = None
        self._shown = ""
        self._started = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep_showing, daemon=True)

    def __enter__(self) -> Self:
        """Begins to show."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        if kind is None or (self._read is not None and self._read().num_done):
            self._show_newest()
        if self.is_terminal and self._shown:
            self._write("\n")

    def watch(self, read: Callable[[], State]) -> None:
        """Takes what tells how far the run is, from now on; it is asked in a thread of its own."""
        self._read = read

    def _keep_showing(self) -> None:
        while not self._is_over.wait(REDRAW_EVERY_S if self.is_terminal else LOG_EVERY_S):
            self._show_newest()

    def _show_newest(self) -> None:
        if self._read is None:
            return
        line = f"{self.label}: {describe(self._read())}"
        if line == self._shown and not self.is_terminal:
            return
        self._shown = line
        if self.is_terminal:
            passed = format_seconds(time.monotonic() - self._started)
            self._write("\r\x1b[2K" + shortened(f"{line} · {passed}", terminal_width(self.stream) - 1))
        else:
            self._write(line + "\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def terminal_width(stream: TextIO) -> int:
    """How many characters a line of the terminal holds; 80 where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except OSError:
        return USUAL_WIDTH


def shortened(line: str, width: int) -> str:
    """The line, cut where it would wrap: what wraps cannot be overwritten.

    >>> shortened("12 of 300 · 5 a second", 15)
    '12 of 300 · 5 …'
    """
    return line if len(line) <= width else line[: width - 1] + "…"


def describe(state: State) -> str:
    """How far something is, in words."""
    if isinstance(state, Reading):
        return describe_reading(state)
    assert isinstance(state, Progress)
    return describe_run(state)


def describe_reading(reading: Reading) -> str:
    """Rows, their rate, the share that is read and the time left.

    >>> print(describe(Reading(num_done=30_000, seconds=2, share=0.25)))
    30,000 rows · 15,000 a second · 25 % · 6.0 s left
    """
    parts = [f"{reading.num_done:,} rows"]
    if reading.num_done and reading.seconds > 0:
        parts.append(f"{reading.num_done / reading.seconds:,.0f} a second")
    if reading.share:
        parts.append(f"{reading.share:.0%}".replace("%", " %"))
        left = reading.seconds / reading.share - reading.seconds
        parts += [f"{format_seconds(left)} left"] if reading.share < 1 else []
    return " · ".join(parts)


def describe_run(progress: Progress) -> str:
    """What is under way, done of all, the time left, what came from the store, rows in progress, rates since the loading.

    The time left follows from the rows that are finished: before the first there is none to tell. What tells most
    comes first, since a narrow terminal shows no more.
    """
    computed, left = progress.num_done - progress.num_from_store, progress.num_all - progress.num_done
    rate = computed / progress.seconds if progress.seconds > 0 else 0.0
    parts = [*part_of(progress), f"{progress.num_done} of {progress.num_all}"]
    if rate and left:
        parts.append(f"{format_seconds(left / rate)} left")
    if progress.num_from_store:
        parts.append(f"{progress.num_from_store} from the store")
    if progress.num_live:
        parts.append(f"{progress.num_live} live")
    if rate:
        parts.append(f"{rate:,.{2 if rate < 10 else 0}f} a second")
    if progress.num_new_tokens and progress.seconds > 0:
        parts.append(f"{progress.num_new_tokens / progress.seconds:,.0f} tokens a second")
    elif left and not rate:
        parts.append("the model is at work")
    return " · ".join(parts)


def part_of(progress: Progress) -> list[str]:
    """The part of the run, where it has several; cells of a sweep may be at stages of different names."""
    first, *others = progress.parts or ("",)
    return [f"{first} and {len(others)} more" if others else first] if first else []
