"""Which tokens a row may take next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Mask"]

Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """The tokens that may come next, a bit each; `end` ends the text, None where it may not end yet."""

    words: Words
    end: int | None

    def allows(self, token: int) -> bool:
        """Whether a token may come next."""
        word = token >> 5
        return word < len(self.words) and bool(int(self.words[word]) >> (token & 31) & 1)

    def taken(self, best: int) -> int | None:
        """The token that a greedy row takes whose likeliest one is `best`; None where the logits must say.

        Where the text may end, what leads out of the constraint ends it.
        """
        if self.allows(best):
            return best
        return self.end if self.end is not None else self._only()

    def _only(self) -> int | None:
        """The token that is allowed, where it is one alone."""
        places = np.flatnonzero(self.words)
        if len(places) != 1:
            return None
        word = int(self.words[places[0]])
        return None if word & (word - 1) else int(places[0]) * 32 + word.bit_length() - 1

    def allowed(self, num_tokens: int) -> npt.NDArray[np.int64]:
        """The tokens that may come next, of so many, in the order of their ids."""
        return np.flatnonzero(np.unpackbits(self.words.view(np.uint8), bitorder="little")[:num_tokens])

    def likeliest(self, logits: torch.Tensor) -> int:
        """The likeliest token that may come next, by its logits (V,); the first of equals."""
        allowed = self.allowed(logits.shape[-1])
        return int(allowed[logits.float().cpu().numpy()[allowed].argmax()])

    def applied(self, logits: torch.Tensor) -> torch.Tensor:
        """The logits (V,), minus infinity where a token is not allowed."""
        allowed = torch.from_numpy(self.allowed(logits.shape[-1])).to(logits.device)
        left = torch.full_like(logits, -torch.inf)
        left[allowed] = logits[allowed]
        return left
