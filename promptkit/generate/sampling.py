"""From logits to the next token: greedy, or drawn by temperature, top-k and top-p."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from promptkit.generate.constrain.mask import Mask
from promptkit.generate.request import Sampling

__all__ = ["NO_MASKS", "Draw", "draw_token", "drawn_token", "likeliest_token", "log_share", "next_tokens"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NO_MASKS: Mapping[int, Mask] = {}
NEAR = 10.0  # logits: what is further below the greatest has less than 5e-5 of its share


class Draw:
    """The random numbers of one request: its seed decides them, whatever rows stand beside it."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed & (2**63 - 1))

    def uniform(self) -> float:
        """The next number in [0, 1)."""
        return float(torch.rand((), generator=self._generator, dtype=torch.float64))


def next_tokens(
    logits: torch.Tensor, samplings: list[Sampling], draws: list[Draw], masks: Mapping[int, Mask] = NO_MASKS
) -> list[int]:
    """The next token of each row, from its logits (B, V); rows that have a mask take what it allows."""
    greedy = logits.argmax(dim=-1).tolist()
    rows = zip(greedy, logits, samplings, draws, strict=True)
    return [
        likeliest_token(best, row, masks.get(place))
        if sampling.temperature == 0
        else drawn_token(row, sampling, draw.uniform(), masks.get(place))
        for place, (best, row, sampling, draw) in enumerate(rows)
    ]


def log_share(logits: torch.Tensor, token: int) -> float:
    """The log-probability of one token by its logits (V,)."""
    wide = logits.double()
    return float(wide[token] - wide.logsumexp(dim=-1))


def likeliest_token(best: int, logits: torch.Tensor, mask: Mask | None) -> int:
    """The likeliest token that may come next; `best` is the likeliest of all."""
    token = mask.taken(best) if mask else best
    if token is not None:
        return token
    assert mask is not None
    return mask.likeliest(logits)


def drawn_token(logits: torch.Tensor, sampling: Sampling, uniform: float, mask: Mask | None) -> int:
    """One token of those that may come next. Where the text may end, what leads out of the constraint ends it."""
    if mask is None:
        return draw_token(logits, sampling, uniform)
    if mask.end is None:
        return draw_token(mask.applied(logits), sampling, uniform)
    token = draw_token(logits, sampling, uniform)
    return token if mask.allows(token) else mask.end


def draw_token(logits: torch.Tensor, sampling: Sampling, uniform: float) -> int:
    """One token by inverse transform sampling: the first, from the likeliest down, whose cumulated share passes
    `uniform`.

    `logits` (V,). Top-k keeps the k likeliest (Fan et al. 2018, section 5.4); top-p then keeps the smallest set
    that holds the share p (Holtzman et al. 2020, section 3.1). Equally likely tokens stand in the order of their ids.
    """
    scaled = logits.double().cpu().numpy() / sampling.temperature
    shares = np.exp(scaled - scaled.max())
    for near in (NEAR, np.inf):
        token = drawn(likeliest(scaled, near), shares, sampling, uniform)
        if token is not None:
            return token
    raise AssertionError("all tokens together decide")


def likeliest(scaled: Floats, near: float) -> Ints:
    """The tokens whose logits are no more than `near` below the greatest, the likeliest first."""
    tokens = np.flatnonzero(scaled >= scaled.max() - near)
    order: Ints = tokens[np.argsort(-scaled[tokens], kind="stable")]
    return order


def drawn(order: Ints, shares: Floats, sampling: Sampling, uniform: float) -> int | None:
    """The token drawn from these, the likeliest of all; None where the others decide about it.

    Sorting all tokens takes most of the time of a step, and hardly ever are more than a few hundred needed.
    """
    is_all = len(order) == len(shares)
    if sampling.top_k and (is_all or sampling.top_k <= len(order)):
        order, is_all = order[: sampling.top_k], True
    cumulated = np.cumsum(shares[order])
    total = cumulated[-1] if is_all else shares.sum()
    if sampling.top_p < 1:
        kept = int(np.searchsorted(cumulated - shares[order], sampling.top_p * total))
        is_all = is_all or kept < len(order)
        cumulated = cumulated[: max(1, kept)]
        total = cumulated[-1]
    if not is_all and (sampling.top_k or sampling.top_p < 1 or uniform * total >= cumulated[-1]):
        return None
    place = int(np.searchsorted(cumulated, uniform * total, side="right"))
    return int(order[min(place, len(cumulated) - 1)])
