"""What may follow the tokens of a pass, and which of it a row takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from promptkit.generate.constrain.mask import Mask
from promptkit.generate.engine.live import Live
from promptkit.generate.sampling import NO_MASKS, drawn_token

__all__ = ["Following"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What may follow tokens of a pass: the likeliest token after each, and logits (n, V) where a row needs them.

    `hidden` (n, C) are the states behind them, where the logits were not written down. `masks`, by line, are those of
    rows that have a constraint; what is the likeliest is then the likeliest of what it allows.
    """

    likeliest: Sequence[int]
    logits: torch.Tensor | None = None
    hidden: torch.Tensor | None = None
    masks: Mapping[int, Mask] = field(default_factory=lambda: NO_MASKS)

    @classmethod
    def joined(cls, parts: Sequence[Following], lines: Sequence[int]) -> Following:
        """These lines of several passes' taken together."""
        every = [token for part in parts for token in part.likeliest]
        logits, hidden = (
            [each for each in kept if each is not None]
            for kept in ([part.logits for part in parts], [part.hidden for part in parts])
        )
        return cls(
            likeliest=[every[line] for line in lines],
            logits=torch.cat(logits)[list(lines)] if logits else None,
            hidden=torch.cat(hidden)[list(lines)] if hidden else None,
        )

    @property
    def written(self) -> torch.Tensor:
        """The logits, which were asked for."""
        assert self.logits is not None
        return self.logits

    def token(self, live: Live, line: int) -> int:
        """The token that a row takes after this line."""
        sampling = live.row.request.sampling
        if sampling.temperature == 0:
            return self.likeliest[line]
        return drawn_token(self.written[line].float(), sampling, live.row.draw.uniform(), self.masks.get(line))
