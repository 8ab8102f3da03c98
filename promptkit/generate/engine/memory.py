"""What a run needs of memory, known before any weights are read: how many rows may be in progress, and what they cost.

The terms are those that the engine allocates. The constants were measured as peaks of resident memory; bench/memory.py
compares plan and peak.
"""

from __future__ import annotations

import bisect
from dataclasses import asdict, dataclass, replace
from typing import Any

from promptkit.errors import NotEnoughMemory
from promptkit.generate.engine.demand import Demand, peak_stretches
from promptkit.generate.engine.shape import Shape
from promptkit.generate.sizes import format_bytes

__all__ = ["MAX_SLOTS", "NUM_GUESSES", "Demand", "MemoryPlan", "Shape", "costs", "peak_stretches", "plan_memory"]

MAX_SLOTS, CARD_SLOTS = 128, 512
CHUNKS = (1024, 512, 256, 128, 64)  # tokens of one pass over prompts
CARD_CHUNKS = (8192, 4096, 2048, *CHUNKS)  # of which a card takes more to be busy
FEW_SLOTS = 8  # fewer rows at once cost more time than smaller passes over prompts
SHARE = 0.8  # of the available memory
ROOM = 32  # a slot's room is a multiple of this; see `stretch`
NUM_GUESSES = 64  # lines of logits of a step beyond one a row; see `Limits`
LINES, CARD_LINES = 3, 8  # of attention in float32, that a token of a pass has in one layer, on a card at the least
CARD_KEYS, CARD_STEP_KEYS = 4096, 256  # keys of one line, in passes of so many tokens as follow, and in smaller ones
CARD_LARGE = 1024
CARD_STEP = 1088  # tokens of the largest step that a card repeats by itself, from memory of its own; see `card.steps`
HEAD_ROWS = 16_384  # of the vocabulary, widened at once where options are scored; see `head`


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """How many rows are in progress, how many tokens one pass over prompts has, and the bytes that this takes.

    `mapped` is the part of the weights' file that was laid out anew: it counts as resident, but the system takes it
    back when it needs room. Where options are scored, slots are made anew for each pass, and one layer's serve all.
    `stretches` and `slots` hold keys and values, `working` what a layer's results take. `kept` is what is kept for later
    requests, as far as `to_spare` allows.
    `limit` is what may be used, `available` what there is; None where the machine does not say.
    """

    num_slots: int
    chunk: int
    room: int
    weights: int
    mapped: int
    stretches: int
    slots: int
    logits: int
    working: int
    base: int
    kept: int = 0
    is_scored: bool = False
    limit: int | None = None
    available: int | None = None
    assumed: tuple[str, ...] = ()

    @property
    def needed(self) -> int:
        """The bytes that the run cannot do without."""
        return self.weights + self.stretches + self.slots + self.logits + self.working + self.base

    @property
    def total(self) -> int:
        """The peak of resident memory, as tools show it."""
        return self.needed + self.mapped + self.kept

    @property
    def to_spare(self) -> int | None:
        """The bytes that the run may take beside what it needs; None where the machine does not say."""
        limits = [self.limit, self.available and int(self.available * SHARE)]
        known = [each for each in limits if each is not None]
        return max(0, min(known) - self.needed) if known else None

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {**asdict(self), "assumed": list(self.assumed), "needed": self.needed, "total": self.total}


def working(shape: Shape, demand: Demand, num_tokens: int) -> int:
    """The bytes that a pass of so many tokens takes while a layer is computed."""
    lines = LINES
    if shape.is_on_card:
        longest = max((demand.tree.shared(row) + room for row, room in enumerate(demand.rooms)), default=0)
        num_keys = CARD_KEYS if num_tokens >= CARD_LARGE else CARD_STEP_KEYS
        lines = max(CARD_LINES, 2 + -(-longest // num_keys))  # two runs of keys end before a piece is full
    return num_tokens * (shape.pass_bytes_per_token + lines * shape.line_bytes)


def costs(shape: Shape, demand: Demand, num_slots: int, chunk: int) -> MemoryPlan:
    """What a run takes with so many rows in progress and passes of so many tokens."""
    longest = max(demand.rooms, default=0)
    room = -(-longest // ROOM) * ROOM
    num = min(num_slots, len(demand.rooms))
    size, vocab = shape.dtype_size, shape.vocab_size
    step = 2 * num + NUM_GUESSES
    tokens = min(max(chunk, step), sum(demand.rooms) + demand.tree.num_computed)
    repeated = min(step, CARD_STEP) if shape.is_on_card and not demand.is_scored else 0
    if demand.is_scored:
        passes = demand.passes(chunk)
        rows = demand.tree.order
        num = max((len(run) for run in passes), default=0)
        tokens = max([tokens, *(sum(demand.rooms[rows[place]] for place in run) for run in passes)])
        lines = max((sum(demand.lines[rows[place]] for place in run) for run in passes), default=0)
        logits = 2 * 4 * lines * vocab + (4 * min(HEAD_ROWS, vocab) * shape.hidden_size if size < 4 else 0)
        if shape.lines_at_once is not None:
            logits = 2 * size * min(lines, shape.lines_at_once) * vocab
        slots = num * room * shape.layer_bytes_per_token  # one layer's, used again by the next
    else:
        logits = (num + NUM_GUESSES) * vocab * (size + 4) + 2 * repeated * vocab * size
        slots = num * room * shape.bytes_per_token
    return MemoryPlan(
        num_slots=num_slots,
        chunk=chunk,
        room=room,
        weights=shape.weights + shape.head_copy,
        mapped=shape.laid_out,
        stretches=peak_stretches(demand.tree, num) * shape.bytes_per_token,
        slots=slots,
        logits=logits,
        working=working(shape, demand, tokens) + working(shape, demand, repeated),
        base=shape.base,
        is_scored=demand.is_scored,
        assumed=shape.assumed,
    )


def plan_memory(  # noqa: PLR0913 - what a machine, its user and a run say
    shape: Shape,
    demand: Demand,
    *,
    slots: int | None = None,
    memory: int | None = None,
    available: int | None,
    held: int = 0,
) -> MemoryPlan:
    """The plan with the asked number of slots, or with the most that fit `memory` bytes, or a share of what is available.

    `held` bytes are kept from earlier requests; they go where room is needed. What is kept takes what is left over.
    Raises `NotEnoughMemory` where not even one row at a time fits, or not the asked number.
    """
    limit = memory if memory is not None else available and int(available * (SHARE if slots is None else 1))
    most = slots or max(1, min(CARD_SLOTS if shape.is_on_card else MAX_SLOTS, len(demand.rooms)))
    fitting: list[MemoryPlan] = []
    for chunk in CARD_CHUNKS if shape.is_on_card else CHUNKS:
        plan = most_that_fits(shape, demand, chunk, (slots or 1, most), limit)
        if plan is not None:
            fitting.append(plan)
            if plan.num_slots >= min(most, FEW_SLOTS):
                break
    if not fitting:
        least = costs(shape, demand, slots or 1, CHUNKS[-1])
        raise NotEnoughMemory(too_little(least, limit or 0, available, is_given=memory is not None))
    chosen = replace(max(fitting, key=lambda each: each.num_slots), limit=limit, available=available)
    wanted, spare = held + demand.kept * shape.bytes_per_token, chosen.to_spare
    return replace(chosen, kept=wanted if spare is None else min(wanted, spare))


def most_that_fits(
    shape: Shape, demand: Demand, chunk: int, bounds: tuple[int, int], limit: int | None
) -> MemoryPlan | None:
    """The plan with the most slots within the bounds that fits the limit; None where none does."""
    least, most = bounds
    if limit is None:
        return costs(shape, demand, most, chunk)
    numbers = range(least, most + 1)
    num = bisect.bisect_left(numbers, True, key=lambda each: costs(shape, demand, each, chunk).needed > limit)
    return costs(shape, demand, numbers[num - 1], chunk) if num else None


def too_little(least: MemoryPlan, limit: int, available: int | None, *, is_given: bool) -> str:
    """What is said where memory does not suffice: what is needed, what there is, and what would make it fit."""
    rows = "one row at a time needs" if least.num_slots == 1 else f"{least.num_slots} rows at once need"
    there = f"--memory allows {format_bytes(limit)}" if is_given else f"{format_bytes(limit)} may be used"
    if not is_given and available:
        there += f" of the {format_bytes(available)} that are available"
    parts = {
        "weights": least.weights,
        "the process": least.base,
        "shared prompts": least.stretches,
        f"slots of {least.room} tokens": least.slots,
        "logits": least.logits,
        "working space": least.working,
    }
    shown = ", ".join(f"{name} {format_bytes(value)}" for name, value in parts.items())
    is_hopeless = least.weights + least.base > limit
    ways = ["a smaller model"] if is_hopeless else ["a smaller max_new_tokens", "shorter prompts"]
    ways += ["fewer --slots"] if least.num_slots > 1 else []
    ways += ["more --memory"] if is_given else ["more free memory"]
    return (
        f"{rows} {format_bytes(least.needed)} of memory, and {there}\n"
        f"    {shown}\n"
        f"    what would make it fit: {', '.join(ways)}"
    )
