"""Progress on standard error: one line that moves on a terminal, a line now and then in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import AbstractContextManager
from typing import Self, TextIO

from promptkit.report.table import format_seconds
from promptkit.run import Progress

__all__ = ["ProgressLine", "describe"]

LOG_EVERY_S = 10.0
REDRAW_EVERY_S = 0.5
USUAL_WIDTH = 80


class ProgressLine(AbstractContextManager["ProgressLine"]):
    """Shows how far a run is, its rate, and the time left.

    A thread shows the newest state at its own pace: completions come in bursts, and the line moves while none comes.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.is_terminal = self.stream.isatty()
        self._newest: Progress | None = None
        self._shown: Progress | None = None
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
        if kind is None or (self._newest is not None and self._newest.num_done):
            self._show_newest()
        if self.is_terminal and self._shown is not None:
            self._write("\n")

    def show(self, progress: Progress) -> None:
        """Takes a new state of the run."""
        self._newest = progress

    def _keep_showing(self) -> None:
        while not self._is_over.wait(REDRAW_EVERY_S if self.is_terminal else LOG_EVERY_S):
            self._show_newest()

    def _show_newest(self) -> None:
        newest = self._newest
        if newest is None or (newest is self._shown and not self.is_terminal):
            return
        self._shown = newest
        line = f"{self.label}: {describe(newest)}"
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


def describe(progress: Progress) -> str:
    """Done of all, what came from the store, the rates since the model was loaded, and the time left."""
    parts = [f"{progress.num_done} of {progress.num_all}"]
    computed = progress.num_done - progress.num_from_store
    if progress.num_from_store:
        parts.append(f"{progress.num_from_store} from the store")
    if computed and progress.seconds > 0:
        rate = computed / progress.seconds
        parts.append(f"{rate:,.{2 if rate < 10 else 0}f} a second")
        if progress.num_new_tokens:
            parts.append(f"{progress.num_new_tokens / progress.seconds:,.0f} tokens a second")
        if left := progress.num_all - progress.num_done:
            parts.append(f"{format_seconds(left / rate)} left")
    elif progress.num_done < progress.num_all:
        parts.append("the model is at work")
    return " · ".join(parts)
