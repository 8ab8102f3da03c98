"""What a run needs of memory, known before any weights are read: how many rows may be in progress, and what they cost.

The terms are those that the engine allocates. The constants were measured as peaks of resident memory; bench/memory.py
compares plan and peak.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from promptkit.errors import NotEnoughMemory
from promptkit.generate.engine.branches import grow_contexts
from promptkit.generate.engine.tree import Node, Tree, grow_tree
from promptkit.generate.prepared import Facts
from promptkit.generate.request import Request
from promptkit.generate.sizes import format_bytes

__all__ = ["MAX_SLOTS", "NUM_GUESSES", "Demand", "MemoryPlan", "Shape", "costs", "peak_stretches", "plan_memory"]

MAX_SLOTS, CARD_SLOTS = 128, 512
CHUNKS = (1024, 512, 256, 128, 64)  # tokens of one pass over prompts
CARD_CHUNKS = (8192, 4096, 2048, *CHUNKS)  # of which a card takes more to be busy
FEW_SLOTS = 8  # fewer rows at once cost more time than smaller passes over prompts
SHARE = 0.8  # of the available memory
ROOM = 32  # a slot's room is a multiple of this; see `stretch`
NUM_GUESSES = 64  # lines of logits of a step beyond one a row; see `Limits`
BASE = 520 * 10**6  # a run's process with torch and compiled loops, as resident; transformers takes 180 MB more
CARD_BASE = 600 * 10**6  # CUDA's context and the workspaces of its libraries
LINES, CARD_LINES = 3, 8  # of attention in float32, that a token of a pass has in one layer, on a card at the least
CARD_KEYS, CARD_STEP_KEYS = 4096, 256  # keys of one line, in passes of so many tokens as follow, and in smaller ones
CARD_LARGE = 1024
CARD_STEP = 1088  # tokens of the largest step that a card repeats by itself, from memory of its own; see `card.steps`
HEAD_ROWS = 16_384  # of the vocabulary, widened at once where options are scored; see `head`
DTYPE_SIZES = {"float32": 4, "bfloat16": 2, "float16": 2}
HEAD_LINES = 256  # of logits, where only sums over them are kept; see `blocks`
PLAIN = frozenset(
    {"llama", "mistral", "olmo2", "qwen2", "qwen3", "smollm3"}
)  # whose logits are one product, see `blocks`
NumKnown = Callable[[Sequence[int]], int]
LAID_OUT = frozenset({"llama", "mistral", "qwen2"})  # architectures whose blocks `fuse` lays out anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a model decides the memory that a run of it takes. All sizes are known; `assumed` names those guessed."""

    num_parameters: int
    dtype_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    key_size: int
    value_size: int
    hidden_size: int
    intermediate_size: int
    vocab_size: int
    laid_out: int = 0  # bytes of weights that the engine lays out anew, beside the file's
    head_copy: int = 0  # bytes of a tied head's second copy
    lines_at_once: int | None = (
        None  # of logits, where options are scored: all of them, or so many with sums kept alone
    )
    base: int = BASE
    is_on_card: bool = False
    assumed: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, facts: Facts, dtype: str, *, is_on_card: bool = False, lays_out: bool = True, has_units: bool = False
    ) -> Self:
        """The shape of a model in a dtype. What its configuration does not say is assumed rather too large than too small.

        `lays_out` says whether the processor has bfloat16 units, for which all weights of a block are laid out anew, and
        `has_units` whether they are matrix units, which sum logits without writing them.
        """
        sizes, size = facts.sizes, DTYPE_SIZES[dtype]
        usual = assumed_sizes(facts.num_parameters)
        known = {name: getattr(sizes, name) or value for name, value in usual.items()}
        is_new = facts.architecture in LAID_OUT and not is_on_card
        is_packed = dtype == "bfloat16" and lays_out and not is_on_card
        blocks = laid_out(known, is_packed=is_packed) if is_new else 0
        is_summed = is_packed and facts.architecture in PLAIN
        head = known["vocab_size"] * known["hidden_size"] if is_packed else 0
        return cls(
            num_parameters=facts.num_parameters,
            dtype_size=size,
            **known,
            laid_out=size * (blocks + (0 if sizes.is_tied else head)),
            head_copy=size * head if sizes.is_tied else 0,
            lines_at_once=(0 if has_units else HEAD_LINES) if is_summed else None,
            base=CARD_BASE if is_on_card else BASE,
            is_on_card=is_on_card,
            assumed=tuple(name for name in usual if getattr(sizes, name) is None),
        )

    @property
    def layer_bytes_per_token(self) -> int:
        """What one token's keys and values take in one layer."""
        return self.num_kv_heads * (self.key_size + self.value_size) * self.dtype_size

    @property
    def bytes_per_token(self) -> int:
        """What one token's keys and values take."""
        return self.num_layers * self.layer_bytes_per_token

    @property
    def weights(self) -> int:
        """The bytes of the weights, once."""
        return self.num_parameters * self.dtype_size

    @property
    def pass_bytes_per_token(self) -> int:
        """What one token of a pass takes while a layer is computed, without its lines: hidden states, gates, heads, attention."""
        hidden = 4 * self.hidden_size + 3 * self.intermediate_size
        heads = self.num_heads * self.key_size + self.num_kv_heads * (self.key_size + self.value_size)
        out = self.num_heads * self.value_size
        return self.dtype_size * (hidden + heads + 2 * out)

    @property
    def line_bytes(self) -> int:
        """What one line of attention takes: what a token found among one run of keys, in float32."""
        return 4 * self.num_heads * self.value_size


def assumed_sizes(num_parameters: int) -> dict[str, int]:
    """Sizes of a decoder of so many parameters, with the usual proportions, but twice the layers and no shared heads.

    A block has some 12 C² parameters (Kaplan et al. 2020, table 1), and C is about 128 times the number of blocks.
    """
    hidden = max(64, round((num_parameters * 128 / 12) ** (1 / 3)))
    heads = max(1, hidden // 64)
    return {
        "num_layers": max(2, 2 * hidden // 128),
        "num_heads": heads,
        "num_kv_heads": heads,
        "key_size": 64,
        "value_size": 64,
        "hidden_size": hidden,
        "intermediate_size": 4 * hidden,
        "vocab_size": 262_144,
    }


def laid_out(known: Mapping[str, int], *, is_packed: bool) -> int:
    """How many of the blocks' weights are laid out anew on a processor: where they are packed for its bfloat16 units all
    that are multiplied with, else those of modules that are joined.
    """
    hidden, gates = known["hidden_size"], known["intermediate_size"]
    queries, kept = known["num_heads"] * known["key_size"], known["num_kv_heads"] * known["key_size"]
    joined = hidden * (queries + 2 * kept) + 2 * hidden * gates
    single = queries * hidden + gates * hidden
    return known["num_layers"] * (joined + (single if is_packed else 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the rows of a run ask for: their tree, and for each row the tokens that are its own, new ones included.

    Where options are scored, `lines` says of each row after how many tokens logits are wanted; else it is empty. `kept` are
    the tokens that are kept for later requests.
    """

    tree: Tree
    rooms: tuple[int, ...]
    lines: tuple[int, ...] = ()
    kept: int = 0

    @classmethod
    def of(cls, requests: Sequence[Request], num_known: NumKnown | None = None) -> Self:
        """The demand of requests, all of text or all of options; `num_known` as for `grow_contexts`."""
        if requests and requests[0].options:
            return cls.of_options(requests, num_known)
        tree = grow_tree([each.token_ids for each in requests])
        rooms = [len(each.token_ids) - tree.shared(row) + each.max_tokens for row, each in enumerate(requests)]
        own = sum(room for room, each in zip(rooms, requests, strict=True) if each.keeps)
        return cls(tree=tree, rooms=tuple(rooms), kept=own + kept_nodes(tree, requests))

    @classmethod
    def of_options(cls, requests: Sequence[Request], num_known: NumKnown | None = None) -> Self:
        """The demand of requests that score options; what options share is counted once an option."""
        tree, begins = grow_contexts(requests, num_known=num_known)
        own = [
            sum(len(ids) - begin for ids in each.option_token_ids) for begin, each in zip(begins, requests, strict=True)
        ]
        rooms = tuple(begin - tree.shared(row) + own[row] for row, begin in enumerate(begins))
        return cls(tree=tree, rooms=rooms, lines=tuple(own), kept=kept_nodes(tree, requests))

    @property
    def is_scored(self) -> bool:
        """Whether options are scored."""
        return bool(self.lines)

    def passes(self, chunk: int) -> list[range]:
        """The runs of rows, as places in the tree's order, whose options go through one pass."""
        runs, first, num = [], 0, 0
        for place, row in enumerate(self.tree.order):
            num += self.rooms[row]
            if num >= chunk or place + 1 == len(self.tree.order):
                runs.append(range(first, place + 1))
                first, num = place + 1, 0
        return runs


def kept_nodes(tree: Tree, requests: Sequence[Request]) -> int:
    """The tokens of the shared stretches that stand above requests which are kept."""
    leaves = (node for node, each in zip(tree.below, requests, strict=True) if each.keeps and node)
    return sum(len(node.token_ids) for node in {each for leaf in leaves for each in leaf.chain()})


def peak_stretches(tree: Tree, num_at_once: int) -> int:
    """The most tokens of shared stretches kept at one time, while rows enter in the tree's order and leave in it, too.

    A stretch is kept from the first of its rows that enters to the last that leaves, as by the engine's `Trunk`.
    """
    first: dict[Node, int] = {}
    last: dict[Node, int] = {}
    for place, row in enumerate(tree.order):
        if (node := tree.below[row]) is not None:
            first.setdefault(node, place)
            last[node] = place
    for node in reversed(tree.nodes):  # each stands after its parent
        if node in first and node.parent is not None:
            first[node.parent] = min(first[node], first.get(node.parent, first[node]))
            last[node.parent] = max(last[node], last.get(node.parent, last[node]))
    changes: dict[int, int] = {}
    for node, place in first.items():
        begin = max(0, place - num_at_once + 1)  # the window of rows in progress that ends with the stretch's first row
        changes[begin] = changes.get(begin, 0) + len(node.token_ids)
        changes[last[node] + 1] = changes.get(last[node] + 1, 0) - len(node.token_ids)
    kept = peak = 0
    for _, change in sorted(changes.items()):
        kept += change
        peak = max(peak, kept)
    return peak


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
