"""A clock around the engine's parts: seconds of each, and what each step of decoding did.

It knows no more of the engine than the names of five methods, and that the last positional argument of `step` is the rows
in progress, each with the `length` that it keeps for itself and the `guesses` that are computed behind its next token.
"""

from __future__ import annotations

import contextlib
import cProfile
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PARTS = ("compute_stretches", "enter", "guess", "step", "advance")  # of the engine
STEPPING = ("guess", "step", "advance")  # what a step consists of


@dataclass(slots=True, kw_only=True)
class Step:
    """A step: live rows, the tokens that they kept before it, tokens computed and written, seconds of each part."""

    num_live: int = 0
    num_kept: int = 0
    num_tokens: int = 0
    num_written: int = 0
    part_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPPING, 0.0))

    @property
    def seconds(self) -> float:
        """All of its parts."""
        return sum(self.part_s.values())


@dataclass(slots=True)
class Clock:
    """Seconds of the engine's parts, and the steps; `num_written` tells at any time how many tokens were written."""

    num_written: Callable[[], int]
    profile: cProfile.Profile | None = None
    part_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))
    steps: list[Step] = field(default_factory=list)
    _nested_s: list[float] = field(default_factory=list)  # of each part that is going on, what those called by it took
    _next: Step = field(default_factory=Step)

    def call(self, name: str, part: Callable[[], Any], rows: Any) -> Any:
        """What a part of the engine gives; `rows`, its last argument, are those that are live where it is `step`."""
        if name == "step":
            self._next.num_live = len(rows)
            self._next.num_kept = sum(live.length for live in rows)
            self._next.num_tokens = sum(1 + len(live.guesses) for live in rows)
        before = self.num_written()
        made, seconds = self.timed(part, is_stepping=name in STEPPING)
        self.part_s[name] += seconds
        if name in STEPPING:
            self._next.part_s[name] += seconds
        if name == "advance":
            self._next.num_written = self.num_written() - before
            self.close()
        return made

    def timed(self, part: Callable[[], Any], *, is_stepping: bool) -> tuple[Any, float]:
        """What a part gives, and its seconds without those of the parts that it calls. Steps are profiled."""
        self._nested_s.append(0.0)
        is_profiled = self.profile is not None and is_stepping and len(self._nested_s) == 1
        started = time.perf_counter()
        with self.profile if self.profile is not None and is_profiled else contextlib.nullcontext():
            made = part()
        whole = time.perf_counter() - started
        own = whole - self._nested_s.pop()
        if self._nested_s:
            self._nested_s[-1] += whole
        return made, own

    def close(self) -> None:
        """Keeps what was a step; rows that enter are advanced, too, and that is none."""
        if self._next.num_live:
            self.steps.append(self._next)
        self._next = Step()


@contextlib.contextmanager
def watched(clock: Clock) -> Iterator[None]:
    """Puts the clock around the parts of every engine."""
    from promptkit.generate.engine.engine import Engine  # noqa: PLC0415 - imports torch, late

    plain = {name: getattr(Engine, name) for name in PARTS}
    for name, part in plain.items():
        setattr(Engine, name, functools.partialmethod(around, part, name, clock))
    try:
        yield
    finally:
        for name, part in plain.items():
            setattr(Engine, name, part)


def around(engine: Any, part: Callable[..., Any], name: str, clock: Clock, *arguments: Any, **named: Any) -> Any:
    """What the part of the engine gives, timed."""
    return clock.call(name, functools.partial(part, engine, *arguments, **named), arguments[-1])
