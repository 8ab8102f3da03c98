r"""Whether a formula can be read, and whether two mean the same: asked of math-verify, in a process of its own.

math-verify bounds its time by a signal, which only the main thread may have, and which code that does not return to
Python is deaf to. So it runs without its time-outs in a process that waits for questions, and that is killed when an
answer takes too long: `9^{9^{9^9}}` costs what it may cost, and nothing else. The process is started with the first
question that needs it, and anew after it was killed; it ends with the process that asks.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

from promptkit.errors import RunError

__all__ = ["can_read", "is_equal"]

log = logging.getLogger(__name__)

START_S = 60.0  # for the libraries to be imported, on a machine that does other things too
MAX_KEPT = 100_000  # answers
MAIN = Path(__file__).with_name("algebra_process.py")


class Algebra:
    """The process, and the way to ask it. Several threads may ask; they wait for one another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        atexit.register(self.stop)

    def ask(self, *question: str, timeout_s: float) -> bool | None:
        """The answer; None where there was none in time, and the process is gone."""
        with self._lock:
            process = self._started()
            answer = exchange(process, json.dumps(question), timeout_s)
            if answer is None:
                self.stop()
                return None
            return bool(json.loads(answer))

    def stop(self) -> None:
        """Ends the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError), process:  # closes its pipes, and waits for its end
                pass

    def _started(self) -> subprocess.Popen[str]:
        """The process, ready to be asked. Raises `RunError` where it does not start."""
        if self._process is None or self._process.poll() is not None:
            self.stop()
            command = [sys.executable, "-P", str(MAIN)]  # -P: a file beside it, or where the user is, is no library
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, encoding="utf-8")  # noqa: S603 - ours
            if exchange(self._process, "[]", START_S) is None:
                self.stop()
                raise RunError(
                    f"maths: the process that compares formulas does not start: {' '.join(map(repr, command))}\n"
                    "    it needs the package 'math-verify', which promptkit brings"
                )
        return self._process


def exchange(process: subprocess.Popen[str], line: str, timeout_s: float) -> str | None:
    """The line that the process answers to a line; None where it did not in time, and was killed, or has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    killer = threading.Timer(timeout_s, process.kill)
    killer.start()
    answer = ""
    with contextlib.suppress(OSError, ValueError):  # it has ended
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    killer.cancel()
    return answer if answer.endswith("\n") else None


@functools.lru_cache(maxsize=1)
def algebra_of(process_id: int) -> Algebra:  # noqa: ARG001 - what it is kept under
    """The one process that a process asks; one that was forked has one of its own."""
    return Algebra()


@functools.lru_cache(maxsize=MAX_KEPT)
def answer_to(question: tuple[str, ...], timeout_s: float) -> bool | None:
    """The answer to a question, which is asked once only."""
    return algebra_of(os.getpid()).ask(*question, timeout_s=timeout_s)


def can_read(formula: str, timeout_s: float) -> bool:
    """Whether a formula has a meaning; one that takes too long to read has none."""
    return bool(answer_to((formula,), timeout_s))


def is_equal(one: str, other: str, timeout_s: float) -> bool:
    """Whether two formulas mean the same. Where that takes too long to say it is said so, and they do not."""
    answer = answer_to((min(one, other), max(one, other)), timeout_s)
    if answer is None:
        log.warning("maths: %.60r and %.60r were not compared in %g s, and count as different", one, other, timeout_s)
    return bool(answer)
