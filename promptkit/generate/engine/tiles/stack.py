"""The blocks and the last product of a model of the usual kind, laid out for the processor's matrix units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from promptkit.generate.engine.attention import array
from promptkit.generate.engine.blocks import window_of
from promptkit.generate.engine.layout import Pass
from promptkit.generate.engine.stretch import zeros_in_large_pages
from promptkit.generate.engine.tiles.desk import bits, desk_of, row_shape
from promptkit.generate.engine.tiles.layers import PHASES, run_layers
from promptkit.generate.engine.tiles.products import LIKELIEST, ROWS, TOTALS, multiply_weights
from promptkit.generate.engine.tiles.teamwork import new_counters
from promptkit.generate.engine.tiles.units import configuration, pack_left, pack_right

__all__ = ["Stack", "TileHead", "fits_tiles"]


def fits_tiles(layer: Any) -> bool:
    """Whether all sizes of a decoder layer of the usual kind are whole numbers of tiles, and its heads' halves of lanes."""
    attention, mlp = layer.self_attn, layer.mlp
    linears = (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj, mlp.gate_proj, mlp.down_proj)
    is_whole = all(size % 32 == 0 for each in linears for size in each.weight.shape)
    is_biased = any(each.bias is not None for each in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
    return is_whole and not is_biased and attention.head_dim % 32 == 0


class Gone(nn.Module):
    """What stands where a decoder layer was whose weights are in the stack now."""

    def forward(self, *_: Any, **__: Any) -> torch.Tensor:
        """Nothing: the model's own forward pass is no longer to be used."""
        raise RuntimeError("this layer is computed by the engine's stack")


def laid_out(layers: Sequence[Any], weight_of: Callable[[Any], torch.Tensor]) -> torch.Tensor:
    """The weights (N, C) of all layers as tiles (L, N / 32, C / 32, 2, 16, 32)."""
    first = pack_right(weight_of(layers[0]))
    tiles = zeros_in_large_pages((len(layers), *first.shape), first.dtype)
    for place, layer in enumerate(layers):
        tiles[place] = pack_right(weight_of(layer))
    return tiles


def joined(layer: Any) -> torch.Tensor:
    """The weights (N, C) that lead to queries, keys and values."""
    attention = layer.self_attn
    return torch.cat([each.weight.data for each in (attention.q_proj, attention.k_proj, attention.v_proj)])


def weight(module: nn.Linear) -> torch.Tensor:
    """The weights of a linear map."""
    return module.weight.data


def interleaved(layer: Any) -> torch.Tensor:
    """The weights (2 I, C) that lead to gates: in every 32 columns, sixteen of gates and the sixteen that they let through."""
    both = (layer.mlp.gate_proj.weight.data, layer.mlp.up_proj.weight.data)
    return torch.stack([each.view(-1, 16, each.shape[1]) for each in both], dim=1).flatten(0, 2)


def biases(layers: Sequence[Any], names: Sequence[str]) -> torch.Tensor:
    """The biases (L, N) of modules of each layer's attention; (L, 0) where they have none."""
    given = [[getattr(layer.self_attn, name).bias for name in names] for layer in layers]
    if given[0][0] is None:
        nothing: torch.Tensor = layers[0].self_attn.q_proj.weight.data.new_empty(len(layers), 0)
        return nothing
    return torch.stack([torch.cat([each.data for each in row]) for row in given])


class Stack:
    """All decoder layers of a model as one call. Takes the weights from the model, whose layers are of no use then."""

    def __init__(self, model: Any) -> None:
        decoder = model.base_model
        layers = list(decoder.layers)
        attention = layers[0].self_attn
        self.embed, self.rotary, self.norm = decoder.embed_tokens, decoder.rotary_emb, decoder.norm
        size = attention.head_dim
        num_kept = attention.k_proj.out_features // size
        self.shape = row_shape(num_kept, attention.q_proj.out_features // size // num_kept, size, size)
        self.scale, self.epsilon = float(attention.scaling), float(layers[0].input_layernorm.variance_epsilon)
        self.windows = [window_of(layer.self_attn) for layer in layers]
        self.num_gates = layers[0].mlp.gate_proj.out_features
        norms = [
            torch.stack([layer.input_layernorm.weight.data, layer.post_attention_layernorm.weight.data])
            for layer in layers
        ]
        self.tensors = (
            torch.stack(norms),
            laid_out(layers, joined),
            biases(layers, ("q_proj", "k_proj", "v_proj")),
            laid_out(layers, lambda layer: weight(layer.self_attn.o_proj)),
            biases(layers, ("o_proj",)),
            laid_out(layers, interleaved),
            laid_out(layers, lambda layer: weight(layer.mlp.down_proj)),
        )
        self.arrays = [array(each) for each in self.tensors]
        self.block_sums = torch.empty(torch.get_num_threads(), 1024).numpy()
        for place in range(len(layers)):
            decoder.layers[place] = Gone()

    def __call__(self, forward: Pass) -> torch.Tensor:
        """The last hidden states (T, C) of the pass's tokens, before the last norm."""
        hidden: torch.Tensor = self.embed(torch.tensor(forward.token_ids))
        return self.run(forward, hidden, 0, len(self.windows))

    def run(self, forward: Pass, hidden: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """`hidden` (T, C), which the layers from `start` to `stop` have changed in place."""
        cos, sin = (each[0].contiguous() for each in self.rotary(hidden, forward.position_ids[None]))
        num, size = hidden.shape
        shape, count, here = self.shape, stop - start, slice(start, stop)
        tiles = -(-num // 32) * 2  # two by two
        normed, mixed, gated = (
            hidden.new_empty(tiles, columns // 32, 16, 32)
            for columns in (size, shape.num_heads * shape.value_size, self.num_gates)
        )
        rows = hidden.new_empty(num * shape.stride)
        desk = desk_of(forward, shape)
        shared, own = desk.shared, desk.own
        windows = list(dict.fromkeys(self.windows))
        norms, *weights = (each[here] for each in self.arrays)
        run_layers(
            configuration(),
            *(array(hidden), array(cos), array(sin), norms, self.epsilon, *weights),
            *(array(normed), array(rows), array(mixed), array(gated)),
            shape.numbers,
            np.array([window or 0 for window in self.windows[here]], np.int64),
            np.array([windows.index(window) for window in self.windows[here]], np.int64),
            self.scale,
            *(shared.firsts, shared.lasts, shared.blocks, shared.chains),
            *(each[here] for each in shared.all_addresses(stop)),
            *(shared.lengths, shared.rooms, shared.starts, desk.positions),
            *(own.firsts, own.blocks, own.keeps),
            *(each[here] for each in own.all_addresses(stop, shape.heads, hidden)),
            *(own.rooms, own.places, own.range_starts, np.stack([own.ranges(window) for window in windows])),
            *(desk.no_sinks, new_counters(count * PHASES, len(desk.halves))),
            *(desk.halves, desk.floats, desk.sums, desk.tops, desk.totals),
            self.block_sums,
        )
        return hidden


class TileHead:
    """A model's last product, whose logits are mostly not written down: only what is asked of them."""

    def __init__(self, head: nn.Linear) -> None:
        self.weight = head.weight.data
        self.tiles = pack_right(self.weight)
        self.sums = torch.empty(torch.get_num_threads(), 1024).numpy()

    def multiply(self, kind: int, hidden: torch.Tensor, out: torch.Tensor | None = None) -> tuple[Any, Any, Any]:
        """For each thread and row of the hidden states (n, C) the greatest logit, and its token or a sum.

        Tokens, sums and greatest ones, (P, n) each: see `multiply_weights`. Logits go to `out` (n, V), where asked for.
        """
        num = len(hidden)
        best, totals = np.empty((len(self.sums), num), np.int64), np.empty((len(self.sums), num), np.float32)
        tops, nothing = np.empty_like(totals), hidden.new_empty(0)
        written = nothing if out is None else out
        multiply_weights(
            kind,
            configuration(),
            *(array(pack_left(hidden)), array(self.tiles), array(nothing)),
            *(num, len(self.weight), new_counters(1, len(self.sums)), self.sums),
            *(bits(written), best, totals, tops),
        )
        return best, totals, tops

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """The logits (..., V) of hidden states (..., C)."""
        rows = hidden.reshape(-1, hidden.shape[-1])
        logits = rows.new_empty(len(rows), len(self.weight))
        self.multiply(ROWS, rows, logits)
        return logits.view(*hidden.shape[:-1], -1)

    def likeliest(self, hidden: torch.Tensor) -> list[int]:
        """The likeliest token after each of the hidden states (n, C), from float32 logits; the first of equals."""
        best, _, tops = self.multiply(LIKELIEST, hidden)
        chosen: list[int] = np.where(tops == tops.max(axis=0), best, len(self.weight)).min(axis=0).tolist()
        return chosen

    def log_shares(self, hidden: torch.Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
        """The log-probability of each token after its row of the hidden states (n, C), from float32 logits."""
        _, totals, tops = self.multiply(TOTALS, hidden)
        top = tops.max(axis=0)
        lse = np.log((totals.astype(np.float64) * np.exp(tops.astype(np.float64) - top)).sum(axis=0)) + top
        where = torch.tensor(rows)
        chosen = (hidden[where].float() * self.weight[torch.tensor(tokens)].float()).sum(dim=-1, dtype=torch.float64)
        shares: list[float] = (chosen.numpy() - lse[where.numpy()]).tolist()
        return shares
