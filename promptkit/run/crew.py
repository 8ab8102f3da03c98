"""A crew: processes that read batches side by side. What they write comes in the order of the batches."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from promptkit.data import Batch, Unreadable
from promptkit.errors import RunError
from promptkit.run.extracting import Extracted, Extractor, Order, Written, not_read, write_rows

__all__ = ["Crew", "read_batches"]

log = logging.getLogger(__name__)
ALONE_S = 0.5  # a worker takes that long to start, and most files are read by then


def read_batches(
    batches: Iterable[Batch], extractor: Extractor, order: Order, num_workers: int | None
) -> Generator[Written]:
    """What becomes of each batch, in their order.

    Where nobody says how many workers there are to be, it is one a core, once this process has read for half a second;
    code of one's own is left to workers from the start, as it might end the process that runs it.
    """
    rest = iter(batches)
    size = num_workers or num_cores()
    if num_workers is None and not order.allow_code:
        started = perf_counter()
        for batch in rest:
            yield extractor.written(batch)
            if size > 1 and perf_counter() - started > ALONE_S:
                break
        else:
            return
    if num_workers == 1:
        yield from map(extractor.written, rest)
        return
    with Crew(order, size) as crew:
        yield from crew.written(rest)


def num_cores() -> int:
    """The processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


class WorkerDied(Exception):
    """A worker ended before it answered; the text says how."""


class Worker:
    """One process: a fresh interpreter, no fork, so that it shares no lock, thread or library with this one."""

    def __init__(self, order: Order) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "promptkit.run.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            self.asked(order)
        except WorkerDied as error:
            raise RunError(f"a worker cannot start: {error}\n    --workers 1 does without") from error

    def asked(self, value: Order | Batch) -> Any:
        """The answer to a value. Raises `WorkerDied` where there will be none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            pickle.dump(value, self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)  # noqa: S301 - of the process that was started above
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            self.end()
            raise WorkerDied(how_it_ended(self.process.returncode)) from error

    def end(self) -> None:
        """Ends the process, whatever it is at."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that died has its own exit code
            self.process.wait(timeout=0.1)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # something was still to be sent
                    pipe.close()


def how_it_ended(code: int) -> str:
    """What an exit code says.

    >>> how_it_ended(-9), how_it_ended(1)
    ('killed by SIGKILL', 'exit code 1')
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Seat:
    """A worker's place in the crew; one that died is followed by another, when there is something for it to do."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self.worker: Worker | None = None

    def asked(self, batch: Batch) -> Written:
        """What becomes of a batch. Raises `WorkerDied`."""
        if self.worker is None:
            self.worker = Worker(self._order)
        try:
            written: Written = self.worker.asked(batch)
        except WorkerDied:
            self.worker = None
            raise
        return written


class Crew:
    """Workers side by side. A thread stands before each: it sends a batch, waits for the answer, and takes the next.

    Used as a context; nothing of it is left at the end.
    """

    def __init__(self, order: Order, size: int) -> None:
        self._seats = [Seat(order) for _ in range(size)]
        self._free: SimpleQueue[Seat] = SimpleQueue()
        self._threads = ThreadPoolExecutor(max_workers=size)
        self._is_over = False

    def __enter__(self) -> Self:
        """The crew; each worker starts with its first batch."""
        for seat in self._seats:
            self._free.put(seat)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_over = True
        for seat in self._seats:
            if seat.worker is not None:
                seat.worker.process.kill()
        self._threads.shutdown(cancel_futures=True)
        for seat in self._seats:
            if seat.worker is not None:
                seat.worker.end()

    def written(self, batches: Iterable[Batch]) -> Iterator[Written]:
        """What becomes of each batch, in their order; few more are taken than are being worked on."""
        waiting: deque[Future[list[Written]]] = deque()
        for batch in batches:
            waiting.append(self._threads.submit(self._done, batch))
            if len(waiting) > 2 * len(self._seats):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _done(self, batch: Batch) -> list[Written]:
        """What becomes of one batch; of its rows one by one, where the worker that had it died."""
        seat = self._free.get()
        try:
            return [seat.asked(batch)]
        except WorkerDied as error:
            if self._is_over:
                raise
            log.warning("the worker that read %s died (%s); its rows are read again, one by one", batch.place, error)
            return [self._alone(seat, row) for row in batch.rows()]
        finally:
            self._free.put(seat)

    def _alone(self, seat: Seat, row: Batch) -> Written:
        """What becomes of one row; it is unreadable where it brings another worker down."""
        try:
            return seat.asked(row)
        except WorkerDied as error:
            return write_rows(lost(row, str(error)))


def lost(row: Batch, how: str) -> Iterator[Extracted]:
    """The rows of what cannot be read, since the process that does dies of it."""
    for sample in row.samples():
        if isinstance(sample, Unreadable):
            yield not_read(sample.id, sample.number, sample.reason, is_null=sample.is_null)
        else:
            yield not_read(sample.id, sample.number, f"{sample.origin}: the process that read it died, {how}")
