"""From logits to the next token: greedy, or drawn by temperature, top-k and top-p."""

from __future__ import annotations

import torch

from promptkit.generate.request import Sampling

__all__ = ["Draw", "draw_token", "next_tokens"]


class Draw:
    """The random numbers of one request: its seed decides them, whatever rows stand beside it."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed & (2**63 - 1))

    def uniform(self) -> float:
        """The next number in [0, 1)."""
        return float(torch.rand((), generator=self._generator, dtype=torch.float64))


def next_tokens(logits: torch.Tensor, samplings: list[Sampling], draws: list[Draw]) -> list[int]:
    """The next token of each row, from its logits (B, V)."""
    greedy = logits.argmax(dim=-1).tolist()
    return [
        best if sampling.temperature == 0 else draw_token(row, sampling, draw.uniform())
        for best, row, sampling, draw in zip(greedy, logits, samplings, draws, strict=True)
    ]


def draw_token(logits: torch.Tensor, sampling: Sampling, uniform: float) -> int:
    """One token by inverse transform sampling: the first, from the likeliest down, whose cumulated share passes
    `uniform`.

    `logits` (V,). Top-k keeps the k likeliest (Fan et al. 2018, section 5.4); top-p then keeps the smallest set
    that holds the share p (Holtzman et al. 2020, section 3.1).
    """
    scaled, order = (logits.double() / sampling.temperature).sort(descending=True, stable=True)
    if sampling.top_k:
        scaled = scaled[: sampling.top_k]
    shares = scaled.softmax(dim=-1)
    cumulated = shares.cumsum(dim=-1)
    if sampling.top_p < 1:
        kept = int((cumulated - shares < sampling.top_p).sum())
        cumulated = cumulated[:kept]
    place = int(torch.searchsorted(cumulated, uniform * float(cumulated[-1]), right=True))
    return int(order[min(place, len(cumulated) - 1)])
