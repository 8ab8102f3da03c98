"""The model's last product, from hidden states to logits, in float32 whatever its own dtype."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

__all__ = ["float32_head"]

HEAD_ROWS = 16_384  # of the vocabulary, widened at once


@contextlib.contextmanager
def float32_head(model: Any) -> Iterator[None]:
    """For as long as it lasts, the model's last product gives float32 logits, whatever its own dtype.

    bfloat16 has 8 bits of precision: options then tie, one in ten on the default model, though their hidden states
    tell them apart. A head that has a `precise` product of its own uses that.
    """
    head = model.get_output_embeddings()
    if head.weight.dtype == torch.float32:
        yield
        return
    usual = vars(head).get("forward")
    head.forward = getattr(head, "precise", None) or (lambda hidden: in_float32(hidden, head.weight, head.bias))
    try:
        yield
    finally:
        if usual is None:
            del head.forward
        else:
            head.forward = usual


def in_float32(hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """The logits (..., V), float32, of hidden states (..., C) under the weight (V, C). The weight is widened a slice at a time."""
    hidden = hidden.float()
    logits = torch.cat([hidden @ rows.float().T for rows in torch.split(weight, HEAD_ROWS)], dim=-1)
    return logits if bias is None else logits + bias.float()
