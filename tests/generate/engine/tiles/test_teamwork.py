"""Threads that take jobs: each job once, and nobody goes on before all are done."""

import functools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # compiles, and starts a process

NUM_THREADS = 4
HERE = Path(__file__).resolve().parent


@functools.cache
def compiled() -> Any:
    """Loops that leave other threads of Python alone: one that takes and does all jobs it can, one that waits for them."""
    from types import SimpleNamespace

    from numba import njit

    from promptkit.generate.engine.tiles.teamwork import has_done, take_next, wait_for

    @njit(nogil=True)
    def work(counters, phase, num_jobs, times, thread):
        job = take_next(counters, phase, num_jobs, thread, NUM_THREADS)
        while job >= 0:
            times[job] += 1
            has_done(counters, phase, NUM_THREADS)
            job = take_next(counters, phase, num_jobs, thread, NUM_THREADS)

    @njit(nogil=True)
    def wait(counters, phase, num_jobs, times):
        wait_for(counters, phase, num_jobs, NUM_THREADS)
        return times.sum()

    counters, times = np.zeros(64, np.int64), np.zeros(1, np.int64)
    work(counters, 0, 1, times, 0)
    wait(counters, 0, 1, times)
    return SimpleNamespace(work=work, wait=wait)


def test_each_job_is_done_once_whoever_takes_it():
    """Four threads, and one more that waits: when it comes back, every job is done. Phases do not disturb each other.

    One of the four never comes: its jobs are done by the others.
    """
    from promptkit.generate.engine.tiles.teamwork import new_counters

    num_jobs = 200_001
    counters = new_counters(3, NUM_THREADS)
    times = np.zeros((3, num_jobs), np.int64)
    seen: list[int] = []
    for phase in (1, 0, 2):
        given = (counters, phase, num_jobs, times[phase])
        waiting = threading.Thread(target=lambda given=given: seen.append(int(compiled().wait(*given))))
        workers = [threading.Thread(target=compiled().work, args=(*given, number)) for number in range(NUM_THREADS - 1)]
        for each in (waiting, *workers):
            each.start()
        for each in (waiting, *workers):
            each.join()
    assert (times == 1).all()
    assert seen == [num_jobs] * 3


def test_what_is_held_of_one_thread_is_held_of_two():
    """The other tests have one thread, for speed; here some of them again, with two that race for their jobs."""
    chosen = "many_queries or side_by_side or first_of_equals or of_equally_likely or totals or (logits_of_the_stack and llama)"
    files = [str(HERE / f"test_{name}.py") for name in ("attention", "products", "stack")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *files],
        cwd=HERE.parents[3],
        env={**os.environ, "NUMBA_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
