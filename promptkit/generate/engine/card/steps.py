"""Steps of decoding that a card repeats by itself: the whole model's work, captured once and replayed with other numbers.

A step of a few dozen rows is hundreds of small programs, and starting each costs the processor more than running it costs
the card. What is captured is of a fixed size, so steps are rounded up to one of few sizes.
"""

from __future__ import annotations

import bisect
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
import torch

from promptkit.generate.engine.card.desk import DESK, Frame, Size, address
from promptkit.generate.engine.card.readings import Holder, Readings
from promptkit.generate.engine.layout import Ints, Pass
from promptkit.generate.process import without_collecting

if TYPE_CHECKING:
    from promptkit.generate.engine.engine import Engine

__all__ = ["NUM_BEFORE", "Graphs", "Record", "Steps"]

Run = Callable[[], torch.Tensor]
Record = Callable[[Run], Run]  # runs it once, and gives what runs the same work again

log = logging.getLogger(__name__)

TOKENS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 640, 832, 1088)  # of one step; see `Limits`
LINES = (8, 16, 32, 64)  # a token's, on average
HOLDERS = 64
NUM_BEFORE = 3  # steps of one size that are computed as they come: a short run is over before capturing pays


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One size of step: where it is filled in, and what computes its logits (T, V)."""

    frame: Frame
    replay: Run


class Steps:
    """The captured steps of one engine."""

    def __init__(self, record: Record) -> None:
        self.is_on = True
        self.num_repeated = 0  # steps so far
        self._record = record
        self._captured: dict[Size, Captured] = {}
        self._uses: Counter[Size] = Counter()
        self._tables: WeakKeyDictionary[Holder, Ints] = WeakKeyDictionary()
        self._logits: torch.Tensor | None = None  # room (T, V) for the logits of any captured step

    def forget(self) -> None:
        """Lets go what is captured, and the memory that it holds."""
        self._captured.clear()
        self._uses.clear()
        self._logits = None

    def logits(self, engine: Engine, forward: Pass, readings: Readings, layers: tuple[int, ...]) -> torch.Tensor | None:
        """The logits (T, V) after all tokens of a step, until the next one is computed; None where it is not captured."""
        size = size_of(forward, readings) if self.is_on else None
        if size is None:
            return None
        self._uses[size] += 1
        if self._uses[size] <= NUM_BEFORE:
            return None
        tables = [self._table(each, layers) for each in readings.holders]
        captured = self._captured.get(size)
        try:
            if captured is None:
                frame = Frame(size, layers, forward.device)
                frame.fill(forward.token_ids, forward.positions, readings, tables)
                captured = self._captured[size] = Captured(frame=frame, replay=self._record(self._work(engine, frame)))
            else:
                captured.frame.fill(forward.token_ids, forward.positions, readings, tables)
        except Exception as error:  # noqa: BLE001 - whatever a model's modules do that cannot be captured
            log.debug("steps are computed one by one: %s", error)
            self.is_on = False
            self.forget()
            return None
        self.num_repeated += 1
        return captured.replay()[: len(forward)]

    def _work(self, engine: Engine, frame: Frame) -> Run:
        """What computes the logits (T, V) of whatever is filled into the frame, in room that all steps share."""
        compute, limits = work(engine, frame), engine.limits
        most = min(2 * limits.num_slots + limits.num_guesses, TOKENS[-1])

        def run() -> torch.Tensor:
            made = compute()
            num, num_tokens = made.shape
            if self._logits is None or len(self._logits) < num:  # in the first run, before capturing
                self._logits = made.new_empty(max(num, most), num_tokens)
            return self._logits[:num].copy_(made)

        return run

    def _table(self, holder: Holder, layers: tuple[int, ...]) -> Ints:
        """Where a holder has its keys and values, layer by layer (L, HOLDER): it stays there as long as it lives."""
        if holder not in self._tables:
            self._tables[holder] = np.array([address(holder, layer) for layer in layers], np.int64)
        return self._tables[holder]


def size_of(forward: Pass, readings: Readings) -> Size | None:
    """The size that a step is rounded up to; None where there is none so large."""
    num, num_lines = len(forward), len(readings.lines)
    if num > TOKENS[-1] or len(readings.holders) > HOLDERS:
        return None
    num_tokens = TOKENS[bisect.bisect_left(TOKENS, num)]
    for each in LINES:
        size = Size(
            num_tokens=num_tokens,
            most_tokens=readings.most_tokens,
            num_pieces=num_tokens * each // 2 + 64,
            num_lines=num_tokens * each,
            num_holders=HOLDERS,
        )
        if num_lines <= size.num_lines and len(readings.pieces) <= size.num_pieces:
            return size
    return None


def work(engine: Engine, frame: Frame) -> Run:
    """What computes the logits (T, V) of whatever is filled into the frame."""
    forward = engine.new_pass()
    forward.token_ids = [0] * frame.size.num_tokens
    forward.positions = [0] * frame.size.num_tokens
    forward.position_ids = frame.desk.positions
    forward.kept[DESK] = frame.desk
    inputs: dict[str, Any] = {**engine.inputs(forward), "input_ids": frame.token_ids[None]}

    def run() -> torch.Tensor:
        logits: torch.Tensor = engine.model(**inputs, logits_to_keep=0).logits[0]
        return logits

    return run


class Graphs:
    """`Record` as graphs of the card's. They share a stream and a pool of memory: only one of them runs at a time.

    The stream is no other engine's. torch keeps the room that cuBLAS works in by stream, and lets it go with any graph of that
    stream, whether or not others of it are still there (pytorch#193402).
    """

    def __init__(self) -> None:
        self._graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()

    @cached_property
    def _stream(self) -> torch.cuda.Stream:
        return torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def __call__(self, run: Run) -> Run:
        """The first run, outside of the graph, compiles programs and makes libraries' room."""
        graph, stream = torch.cuda.CUDAGraph(), self._stream
        pool = next((each.pool() for each in self._graphs), None)  # without graphs, torch may have let it go
        before = torch.cuda.current_stream()
        stream.wait_stream(before)
        with without_collecting(), torch.cuda.stream(stream):  # torch alone stays on it where capturing fails
            run()
            with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                out = run()
        before.wait_stream(stream)
        self._graphs.add(graph)

        def replay() -> torch.Tensor:
            graph.replay()
            return out

        return replay
