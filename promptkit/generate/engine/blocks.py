"""Decoder blocks with fewer and larger steps, for processors: the same weights, the same arithmetic.

A block of the usual kind (RMS norm, rotary positions, gated feed-forward) takes transformers' modules some sixty small
operations; at a few dozen rows they cost as much as the products. Here it takes four products and five loops. Whatever
is not of this kind keeps its modules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from promptkit.generate.engine.attention import KEYWORD, Heads, Settings, array, attend_packed, kind
from promptkit.generate.engine.stretch import HeadShape, takes_tiles

if TYPE_CHECKING:
    from promptkit.generate.engine.tiles.stack import Stack, TileHead

__all__ = ["Block", "Head", "Product", "fuse", "likeliest", "plain_head", "window_of"]

TYPICAL_ROWS = 64  # for which the weights are laid out
HEAD_LINES = 256  # of logits at once, where only sums over them are kept


class Product:
    """A linear map by weights (N, C) of one or more modules that read the same input, laid out for the processor."""

    def __init__(self, *linears: nn.Linear) -> None:
        weight = torch.cat([each.weight.data for each in linears]) if len(linears) > 1 else linears[0].weight.data
        biases = [each.bias for each in linears]
        self.bias = torch.cat([each.data for each in biases]) if biases[0] is not None else None
        self.is_packed = weight.dtype == torch.bfloat16 and can_pack()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, TYPICAL_ROWS) if self.is_packed else weight  # noqa: SLF001 - what torch's own compiler calls

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """The products (T, N) of the inputs (T, C)."""
        if self.is_packed:
            product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(hidden, self.weight, self.bias, "none", [], "")  # noqa: SLF001
            return product
        return functional.linear(hidden, self.weight, self.bias)

    def in_two(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The products (T, N), rounded, and what the rounding cut off; see `precise`."""
        rounded = self(hidden)
        rest = torch.ops.mkldnn._linear_pointwise.binary(hidden, -rounded, self.weight, self.bias, "add")  # noqa: SLF001
        return rounded, rest

    def precise(self, hidden: torch.Tensor) -> torch.Tensor:
        """The products in float32: the rounded ones, and what the rounding cut off, from a second product.

        The processor sums in float32 and rounds at the end; less the rounded sum, the same sum leaves the remainder.
        Right to some 4e-6 of the greatest, in a quarter of the time that float32 products take.
        """
        rounded, rest = self.in_two(hidden)
        return rounded.float().add_(rest)


class Head(Product):
    """A model's last product, and what is asked of its logits."""

    def likeliest(self, hidden: torch.Tensor) -> list[int]:
        """The likeliest token after each of the hidden states (n, C); the first of equals."""
        return likeliest(self(hidden))

    def log_shares(self, hidden: torch.Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
        """The log-probability of each token after its row of the hidden states (n, C), from float32 logits."""
        from promptkit.generate.engine.kernels import compiled_sums  # noqa: PLC0415 - brings the compiler

        where, chosen = torch.tensor(rows), torch.tensor(tokens)
        shares = torch.empty(len(rows), dtype=torch.float64)
        for first in range(0, len(hidden), HEAD_LINES):
            rounded, rest = self.in_two(hidden[first : first + HEAD_LINES])
            tops, totals = torch.empty(len(rounded)), torch.empty(len(rounded))
            compiled_sums(kind(rounded))(array(rounded), array(rest), array(tops), array(totals))
            lse = tops.double() + totals.double().log()
            here = (where >= first) & (where < first + len(rounded))
            line, token = where[here] - first, chosen[here]
            shares[here] = rounded[line, token].double() + rest[line, token].double() - lse[line]
        listed: list[float] = shares.tolist()
        return listed


def window_of(attention: Any) -> int | None:
    """The sliding window that a module of attention hands on: its own, or its configuration's where it has none."""
    if hasattr(attention, "sliding_window"):
        return attention.sliding_window  # type: ignore[no-any-return]
    is_windowed = type(attention).__name__ == "MistralAttention"
    return getattr(attention.config, "sliding_window", None) if is_windowed else None


def can_pack() -> bool:
    """Whether weights can be laid out anew for the processor's bfloat16 units."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001
    except (AttributeError, RuntimeError):
        return False


class Block(nn.Module):
    """One decoder block. Takes and gives what the module does that it stands for."""

    def __init__(self, layer: Any) -> None:
        from promptkit.generate.engine.kernels import compiled_block  # noqa: PLC0415 - brings the compiler

        super().__init__()
        attention: Any = layer.self_attn
        mlp: Any = layer.mlp
        self.attention_type = getattr(layer, "attention_type", "full_attention")
        self.head_size = attention.head_dim
        self.num_kept = attention.k_proj.out_features // self.head_size
        self.num_heads = attention.q_proj.out_features // self.head_size
        self.settings = Settings(
            layer=attention.layer_idx,
            scale=attention.scaling,
            window=window_of(attention),
        )
        self.norms: list[tuple[torch.Tensor, float]] = [
            (each.weight.data, float(each.variance_epsilon))
            for each in (layer.input_layernorm, layer.post_attention_layernorm)
        ]
        self.to_heads = Product(attention.q_proj, attention.k_proj, attention.v_proj)
        self.from_heads = Product(attention.o_proj)
        self.to_gates = Product(mlp.gate_proj, mlp.up_proj)
        self.from_gates = Product(mlp.down_proj)
        self.loops = compiled_block("uint16" if attention.q_proj.weight.dtype == torch.bfloat16 else "float32")

    def forward(
        self,
        hidden_states: torch.Tensor,
        *_: Any,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        **rest: Any,
    ) -> torch.Tensor:
        """The block's output (1, T, C) from its input (1, T, C)."""
        add_and_norm, rotate, gate = self.loops
        hidden = hidden_states[0].clone() if self.settings.layer == 0 else hidden_states[0]
        cos, sin = (array(each[0].contiguous()) for each in position_embeddings)
        normed = torch.empty_like(hidden)
        weight, epsilon = self.norms[0]
        add_and_norm(array(hidden), array(normed), array(weight), epsilon, False, array(normed))
        heads = self.to_heads(normed).view(len(hidden), -1, self.head_size)
        rotate(array(heads), cos, sin, self.num_heads + self.num_kept)
        query = heads[:, : self.num_heads].view(len(hidden), self.num_kept, -1, self.head_size)
        keys, values = heads[:, self.num_heads :].transpose(0, 1).chunk(2)
        out = attend_packed(rest[KEYWORD], self.settings, Heads(query, keys, values))
        added = self.from_heads(out.reshape(len(hidden), -1))
        weight, epsilon = self.norms[1]
        add_and_norm(array(hidden), array(added), array(weight), epsilon, True, array(normed))
        both = self.to_gates(normed)
        gated = both.new_empty(len(both), both.shape[1] // 2)
        gate(array(both), array(gated))
        hidden += self.from_gates(gated)
        return hidden[None]


def fuse(model: Any) -> Stack | None:
    """Lays out the model's weights for the processor: the whole of it as a stack, or puts `Block` in the place of layers.

    What is not of the kind that either computes keeps its modules.
    """
    fuse_head(model)
    layers = getattr(model.base_model, "layers", None)
    if not isinstance(layers, nn.ModuleList):
        return None
    angles = getattr(getattr(model.base_model, "rotary_emb", None), "inv_freq", None)
    turns_whole = angles is not None and len(angles) % 16 == 0  # pairs of a head's halves, sixteen at once
    usual = [place for place, layer in enumerate(layers) if is_usual(layer)]
    if (
        turns_whole
        and usual
        and len(usual) == len(layers)
        and plain_head(model) is not None
        and all(map(are_tiles, layers))
    ):
        from promptkit.generate.engine.tiles.stack import Stack  # noqa: PLC0415 - brings the compiler

        return Stack(model)
    for place in usual:
        layers[place] = Block(layers[place])
    return None


def are_tiles(layer: Any) -> bool:
    """Whether a decoder layer of the usual kind can be computed in tiles."""
    attention = layer.self_attn
    size = attention.head_dim
    shape = HeadShape(num_heads=attention.k_proj.out_features // size, key_size=size, value_size=size)
    if not takes_tiles(shape, attention.q_proj.weight):
        return False
    from promptkit.generate.engine.tiles.stack import fits_tiles  # noqa: PLC0415 - brings the compiler

    return fits_tiles(layer)


def plain_head(model: Any) -> Head | TileHead | None:
    """The last product of a model whose logits are that product and nothing more; None for others."""
    head = vars(model.get_output_embeddings()).get("forward")
    is_plain = type(model).__name__.removesuffix("ForCausalLM") in PLAIN
    return head if is_plain and hasattr(head, "log_shares") else None


def fuse_head(model: Any) -> None:
    """Lays out the weights of the last product, which is among the largest."""
    head = model.get_output_embeddings()
    if type(head) is not nn.Linear or head.weight.dtype != torch.bfloat16:
        return
    num_columns, depth = head.weight.shape
    if head.bias is None and num_columns % 32 == depth % 32 == 0 and head.weight.device.type == "cpu":
        from promptkit.generate.engine.tiles.units import has_tiles  # noqa: PLC0415 - brings the compiler

        if has_tiles():
            from promptkit.generate.engine.tiles.stack import TileHead  # noqa: PLC0415

            vars(head).update(forward=TileHead(head))
            return
    if can_pack():
        product = Head(head)
        vars(head).update(forward=product, precise=product.precise)


def is_usual(layer: Any) -> bool:
    """Whether a decoder layer is of the kind that `Block` computes, by its class: the same modules, the same order."""
    return type(layer).__name__ in USUAL and layer.mlp.act_fn.__class__.__name__ in ("SiLUActivation", "SiLU")


USUAL = frozenset({"LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer"})
PLAIN = frozenset({"Llama", "Mistral", "Qwen2", "Qwen3", "Olmo2", "SmolLM3"})


def likeliest(logits: torch.Tensor) -> list[int]:
    """The likeliest token of each row of the logits (n, V); the first of equals."""
    if logits.device.type != "cpu" or logits.dtype == torch.float16:
        best: list[int] = logits.argmax(dim=-1).tolist()
        return best
    from promptkit.generate.engine.kernels import compiled_argmax  # noqa: PLC0415 - brings the compiler

    places, margins = np.empty(len(logits), np.int64), np.empty(len(logits), np.float32)
    compiled_argmax(kind(logits))(array(logits.contiguous()), places, margins)
    return [int(place) for place in places]
