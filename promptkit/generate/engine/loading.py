"""From a loaded model to an engine that has shown that it computes what the model computes, or the reason why not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load, save

from promptkit.generate.engine.attention import NAME, register
from promptkit.generate.engine.blocks import Block
from promptkit.generate.engine.card.card import LARGE_FROM, Card, find_card
from promptkit.generate.engine.card.steps import NUM_BEFORE
from promptkit.generate.engine.engine import Engine, Limits
from promptkit.generate.engine.live import Live
from promptkit.generate.engine.tree import grow_tree
from promptkit.generate.engine.trunk import Trunk
from promptkit.generate.meter import Meter
from promptkit.generate.request import Request
from promptkit.generate.row import Row
from promptkit.generate.skeleton import Skeleton
from promptkit.generate.tokenizer import Tokenizer

__all__ = ["NotCovered", "Trial", "make_engine", "make_trial"]

log = logging.getLogger(__name__)

LAYER_TYPES = {"full_attention", "sliding_attention"}
# the error allowed, as a share of the spread of the plain model's logits, both as root mean squares
TOLERANCE = {torch.float32: 1e-4, torch.float16: 0.03, torch.bfloat16: 0.15}
SHARED, MAX_WINDOW, ROWS, MAX_PROBE = 20, 64, ((3, 5, 7, 2, 6), (3, 8), (9, 4, 4)), 40


class NotCovered(Exception):
    """The engine does not compute this model; the text says what of it, for a sentence that goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Rows of token ids, and the logits (2, V), float32, that the model's own forward pass gives after their last two."""

    rows: list[tuple[int, ...]]
    logits: list[torch.Tensor]

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads."""
        rows = {f"row.{number}": torch.tensor(row) for number, row in enumerate(self.rows)}
        return save(rows | {f"logits.{number}": each.cpu() for number, each in enumerate(self.logits)})

    @classmethod
    def from_bytes(cls, kept: bytes) -> Trial:
        """The trial that `to_bytes` wrote."""
        known = load(kept)
        numbers = range(len(known) // 2)
        rows = [tuple(known[f"row.{number}"].tolist()) for number in numbers]
        return cls(rows=rows, logits=[known[f"logits.{number}"] for number in numbers])


def make_trial(model: Any) -> Trial:
    """What the model's own forward pass gives on a small tree of tokens. Raises `NotCovered`."""
    config = model.config.get_text_config()
    check_layers(config)
    rows = probe_rows(config)
    try:
        return Trial(rows=rows, logits=[plain_logits(model, row) for row in rows])
    except Exception as error:
        raise NotCovered(f"its own forward pass fails in a trial ({type(error).__name__})") from error


def make_engine(  # noqa: PLR0913 - a trial comes from whoever has kept one
    model: Any,
    tokenizer: Tokenizer,
    eos: frozenset[int],
    meter: Meter,
    limits: Limits,
    *,
    trial: Trial | None = None,
    card: Card | None = None,
) -> Engine:
    """The engine of a model, which is changed by it. Raises `NotCovered`; the model is then no longer to be used.

    The engine computes the trial's tree of tokens, and must agree with what the model's own forward pass gave. A
    skeleton has no such pass: its trial is its model's, from an earlier start. `card` computes attention; where the
    trial fails with it, it is tried without.
    """
    trial = trial or make_trial(model)
    is_skeleton = isinstance(model, Skeleton)
    if not is_skeleton and not set_attention(model):
        raise NotCovered("its attention has no interface")
    engine = Engine(model, tokenizer, eos, meter, limits)
    engine.card = card or find_card(model)
    engine.lay_out()
    if is_skeleton and engine.stack is None and not all(isinstance(layer, Block) for layer in model.model.layers):
        raise NotCovered("a skeleton has layers of its own")
    while reason := failure(engine, trial):
        if not engine.simplify():
            raise NotCovered(reason)
        log.warning("the card computes with fewer of the engine's own programs, right but slower: %s", reason)
    return engine


def failure(engine: Engine, trial: Trial) -> str:
    """Why the engine does not stand the trial; empty where it does. A card is tried in pieces of both sizes."""
    if engine.card is None:
        return failure_once(engine, trial)
    engine.card.large_from = 0
    reason = failure_once(engine, trial)
    engine.card.large_from = LARGE_FROM
    return reason or failure_once(engine, trial)


def failure_once(engine: Engine, trial: Trial) -> str:
    """The same, for the passes as they now are."""
    try:
        computed = engine_logits(engine, trial.rows)
    except Exception as error:  # noqa: BLE001 - whatever a model's modules make of what they do not know
        if engine.card is not None:  # a compiler that Triton needs is missing, say, or its modules are as below
            return (
                f"a trial fails ({type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]})"
            )
        return f"its modules do not hand the engine's state on ({type(error).__name__})"
    worst = max(
        float((one - other.cpu()).square().mean().sqrt() / one.std())
        for one, other in zip(trial.logits, computed, strict=True)
    )
    if worst <= TOLERANCE[engine.model.dtype]:
        return ""
    return f"a trial differs from its own forward pass by {worst:.2g} of the spread of its logits"


def set_attention(model: Any) -> bool:
    """Makes the model's modules call the engine's attention, and tells whether they do."""
    from transformers.utils import logging  # noqa: PLC0415 - loaded by now

    register()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # what it would warn of, we say in a line of our own
    try:
        model.set_attn_implementation(NAME)
    except ValueError:
        return False
    finally:
        logging.set_verbosity(verbosity)
    return bool(getattr(model.config.get_text_config(), "_attn_implementation", None) == NAME)


def check_layers(config: Any) -> None:
    """Nothing; or `NotCovered` where the configuration names a layer that is no causal attention."""
    kinds = set(getattr(config, "layer_types", None) or ()) - LAYER_TYPES
    if kinds:
        raise NotCovered(f"it has layers of the kind {', '.join(sorted(kinds))}")
    if getattr(config, "is_encoder_decoder", False):
        raise NotCovered("it has an encoder")


def probe_rows(config: Any) -> list[tuple[int, ...]]:
    """Three rows of token ids that share most of their beginning, and differ in length."""
    vocab = int(config.vocab_size)
    window = getattr(config, "sliding_window", None) or 0
    num_shared = window + SHARED if window <= MAX_WINDOW else SHARED  # so that the window is seen to cut
    shared = [(7 * place + 3) % vocab for place in range(num_shared)]
    return [tuple(shared + [token % vocab for token in row]) for row in ROWS]


@torch.inference_mode()
def plain_logits(model: Any, row: tuple[int, ...]) -> torch.Tensor:
    """The model's own logits (2, V) after the last two of a row's tokens, in float32, out of the card's memory."""
    ids = torch.tensor([row], device=model.device)
    logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits[0, -2:].float()
    return logits.cpu()


@torch.inference_mode()
def engine_logits(engine: Engine, rows: list[tuple[int, ...]]) -> list[torch.Tensor]:
    """The same by the engine: a stretch, what is each row's own, and one step of decoding."""
    tree = grow_tree([row[:-1] for row in rows], min_stretch=2, min_saved=2)
    trunk = Trunk(tree)
    slots = engine.new_slots(len(rows), MAX_PROBE)
    live = [
        Live(
            row=Row.start(number, Request(label="trial", prompt="", token_ids=row[:-1]), engine.tokenizer),
            slot=slots.free.pop(),
            below=trunk.stretch(tree.below[number]),
            start=tree.shared(number),
            following=row[-1],
        )
        for number, row in enumerate(rows)
    ]
    engine.compute_stretches([each.below for each in live if each.below])
    first, second = engine.enter(slots, live, wants_logits=True), engine.step(slots, live, wants_logits=True)
    for _ in range(NUM_BEFORE if engine.card is not None else 0):  # the same again, till the card repeats it by itself
        second = engine.step(slots, live, wants_logits=True)
    return [torch.stack(lines).float() for lines in zip(first.written, second.written, strict=True)]
