"""How threads share work without waiting for one another more than they must.

The work of a phase is cut into jobs. Each thread has a run of them, and takes from others' when its own are used up: jobs
are numbered by rows, so that what a thread made in one phase is near when it goes on with it in the next. A phase is over
when its jobs are done, whoever did them: a thread that the system has put aside, for another program say, is not waited
for unless it holds a job.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from promptkit.generate.engine.tiles.vectors import call, pointer

__all__ = ["has_done", "new_counters", "take_next", "wait_for"]

LINE = 8  # numbers of a cache line, of which one is used: threads that count do not disturb one another
PATIENCE = 2000  # looks before another program is let in
LONG = ir.IntType(64)


@intrinsic  # type: ignore[untyped-decorator]
def add_one(_context: Any, counters: Any, _place: Any) -> Any:
    """The counter's number, which it goes beyond: no two threads get the same."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[0], args[0], args[1], LONG)
        return builder.atomic_rmw("add", place, ir.Constant(LONG, 1), "acq_rel")

    return types.int64(counters, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def number_at(_context: Any, counters: Any, _place: Any) -> Any:
    """The counter's number, and all that was written before it was raised to that."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = pointer(context, builder, signature.args[0], args[0], args[1], LONG)
        return builder.load_atomic(place, "acquire", 8)

    return types.int64(counters, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def pause(_context: Any) -> Any:
    """Tells the processor that this thread only waits."""

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        call(builder, "llvm.x86.sse2.pause", ir.VoidType(), [])
        return context.get_dummy_value()

    return types.none(), generate


@intrinsic  # type: ignore[untyped-decorator]
def let_others_in(_context: Any) -> Any:
    """Lets the system run another thread in the place of this one."""

    def generate(context: Any, builder: Any, _signature: Any, _args: Any) -> Any:
        call(builder, "sched_yield", ir.IntType(32), [])
        return context.get_dummy_value()

    return types.none(), generate


@njit  # type: ignore[untyped-decorator]
def take_next(counters: Any, phase: Any, num_jobs: Any, thread: Any, num_threads: Any) -> Any:
    """The next job of a phase for a thread: of its own run of jobs, or, where that is used up, of another's; -1 for none."""
    base = phase * (num_threads + 1) * LINE
    for step in range(num_threads):
        run = (thread + step) % num_threads
        job = run * num_jobs // num_threads + add_one(counters, base + run * LINE)
        if job < (run + 1) * num_jobs // num_threads:
            return job
    return -1


@njit  # type: ignore[untyped-decorator]
def has_done(counters: Any, phase: Any, num_threads: Any) -> None:
    """Tells that a job of a phase is done."""
    add_one(counters, (phase * (num_threads + 1) + num_threads) * LINE)


@njit  # type: ignore[untyped-decorator]
def wait_for(counters: Any, phase: Any, num_jobs: Any, num_threads: Any) -> None:
    """Comes back when all jobs of a phase are done."""
    place, looks = (phase * (num_threads + 1) + num_threads) * LINE, 0
    while number_at(counters, place) < num_jobs:
        pause()
        looks += 1
        if looks > PATIENCE:
            let_others_in()
            looks = 0


def new_counters(num_phases: int, num_threads: int) -> npt.NDArray[np.int64]:
    """The counters of phases, all zero: of each a line for every thread's run of jobs, and one for what is done."""
    return np.zeros(num_phases * (num_threads + 1) * LINE, np.int64)
