"""Rows of tokens as vectors: the hidden states of a model's layers, averaged over each row's tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from promptkit.generate.engine.layout import Part, Pass

if TYPE_CHECKING:
    from promptkit.generate.engine.engine import Engine

__all__ = ["engine_means", "plain_means", "vectors_of"]

NUM_TOKENS = 2048  # of one pass
MASK_ROOM = 1 << 21  # elements of the mask of rows that are computed together, where a pass has one


class Enough(Exception):
    """What was asked for is computed; the layers above would compute what nobody asks for."""


@torch.inference_mode()
def engine_means(engine: Engine, rows: Sequence[Sequence[int]], layers: Sequence[int]) -> torch.Tensor:
    """The means (N, L, C), float32, of the layers' hidden states over each row's tokens; no row is empty.

    Layer 0 is the first layer's input; the last one's output is taken after the model's last norm. So are the numbers
    that transformers' `output_hidden_states` has.
    """
    found: dict[int, torch.Tensor] = {}
    for numbers in batches(rows):
        lengths = [len(rows[number]) for number in numbers]
        slots = engine.new_scratch(len(numbers), max(lengths))
        forward = engine.new_pass()
        forward.add_fresh(slots, [whole(slot, rows[number]) for slot, number in enumerate(numbers)])
        taken: dict[int, torch.Tensor] = {}
        for layer, states in states_of(engine, forward, layers):
            taken[layer] = means(states, lengths)
        together = torch.stack([taken[layer] for layer in layers], dim=1).cpu()
        found.update(zip(numbers, together, strict=True))
    return torch.stack([found[number] for number in range(len(rows))])


@torch.inference_mode()
def plain_means(model: Any, rows: Sequence[Sequence[int]], layers: Sequence[int]) -> torch.Tensor:
    """The same by the model's own forward pass. Rows of one length go together: none is padded."""
    found: dict[int, torch.Tensor] = {}
    for numbers in batches(rows, is_even=True):
        ids = torch.tensor([rows[number] for number in numbers], device=model.device)
        states = model.base_model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
        together = torch.stack([states[layer].float().mean(dim=1) for layer in layers], dim=1).cpu()
        found.update(zip(numbers, together, strict=True))
    return torch.stack([found[number] for number in range(len(rows))])


def vectors_of(means: torch.Tensor) -> npt.NDArray[np.float32]:
    """The vectors (N, L * D) of means (N, L, D): each layer's of length 1, side by side, and the whole of length 1."""
    each = functional.normalize(means, dim=-1)
    vectors: npt.NDArray[np.float32] = functional.normalize(each.flatten(1), dim=-1).numpy()
    return vectors


def batches(rows: Sequence[Sequence[int]], *, is_even: bool = False) -> Iterator[list[int]]:
    """The rows' numbers, the longest first, so many at a time as one pass takes; only of one length where `is_even`."""
    taken: list[int] = []
    for number in sorted(range(len(rows)), key=lambda each: (-len(rows[each]), each)):
        longest = len(rows[taken[0]]) if taken else 0
        num = len(taken) + 1
        is_full = num * longest > NUM_TOKENS or num * longest**2 > MASK_ROOM
        if taken and (is_full or (is_even and len(rows[number]) != longest)):
            yield taken
            taken = []
        taken.append(number)
    if taken:
        yield taken


def whole(slot: int, token_ids: Sequence[int]) -> Part:
    """All tokens of a row, as a part of a pass."""
    places = range(len(token_ids))
    ranges = [((0, place + 1, 0),) for place in places]
    return Part(slot=slot, below=None, token_ids=token_ids, positions=places, places=places, ranges=ranges)


def means(states: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
    """The means (n, C), float32, of packed hidden states (T, C) over each row's tokens."""
    counts = torch.tensor(lengths, device=states.device)
    owner = torch.repeat_interleave(torch.arange(len(lengths), device=states.device), counts)
    sums = torch.zeros(len(lengths), states.shape[-1], device=states.device)
    return sums.index_add_(0, owner, states.float()) / counts[:, None]


def states_of(engine: Engine, forward: Pass, layers: Sequence[int]) -> Iterator[tuple[int, torch.Tensor]]:
    """The hidden states (T, C) of each layer; they are changed as soon as the next are asked for."""
    wanted = sorted(set(layers))
    if engine.stack is None:
        yield from hooked_states(engine, forward, wanted)
        return
    stack, done = engine.stack, 0
    hidden: torch.Tensor = stack.embed(torch.tensor(forward.token_ids))
    for layer in wanted:
        if layer > done:
            stack.run(forward, hidden, done, layer)
            done = layer
        yield layer, stack.norm(hidden) if layer == len(stack.windows) else hidden


def hooked_states(engine: Engine, forward: Pass, wanted: Sequence[int]) -> Iterator[tuple[int, torch.Tensor]]:
    """The same from the model's modules, which change their states in place: each is copied as it passes."""
    base = engine.model.base_model
    modules = decoder_layers(engine.model)
    kept: dict[int, torch.Tensor] = {}
    last = wanted[-1]

    def keep(layer: int) -> Callable[..., None]:
        def hook(_: nn.Module, arguments: tuple[Any, ...], output: Any = None) -> None:
            states = arguments[0] if layer == 0 else output
            kept[layer] = (states[0] if isinstance(states, tuple) else states)[0].clone()
            if layer == last:
                raise Enough

        return hook

    with contextlib.ExitStack() as hooks:
        for layer in wanted:
            if layer == 0:
                hooks.callback(modules[0].register_forward_pre_hook(keep(0)).remove)
            elif layer < len(modules):
                hooks.callback(modules[layer - 1].register_forward_hook(keep(layer)).remove)
        with contextlib.suppress(Enough):
            kept[len(modules)] = base(**engine.inputs(forward)).last_hidden_state[0]
    yield from ((layer, kept[layer]) for layer in wanted)


def decoder_layers(model: Any) -> list[nn.Module]:
    """A model's layers, in order: the outermost list of modules that has as many as the configuration says."""
    lists = [each for each in model.base_model.modules() if isinstance(each, nn.ModuleList) and len(each)]
    config = getattr(model, "config", None)
    num = config.get_text_config().num_hidden_layers if config is not None else len(lists[0])
    return list(next(each for each in lists if len(each) == num))
