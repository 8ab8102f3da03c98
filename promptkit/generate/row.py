"""One request while it is being completed, whichever engine computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch

from promptkit.generate.answered import is_answered
from promptkit.generate.new_text import NewText
from promptkit.generate.request import Completion, Ended, Request
from promptkit.generate.sampling import Draw, log_share
from promptkit.generate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from promptkit.generate.constrain.guide import Guide, Guides

__all__ = ["Row"]


@dataclass(slots=True, kw_only=True)
class Row:
    """One request while it is being completed; `guide` says what it may write, where it has a constraint."""

    index: int
    request: Request
    text: NewText
    draw: Draw
    guide: Guide | None = None
    asked: str = ""  # the text that the request's rule was last asked about
    log_likelihood: float = 0.0  # of its new tokens, where that is asked for

    @classmethod
    def start(
        cls, index: int, request: Request, tokenizer: Tokenizer, guides: Callable[[], Guides] | None = None
    ) -> Self:
        """The row of the request at `index`, with no new token yet. `guides` are asked for by a constraint alone."""
        text = NewText(tokenizer, request.token_ids, request.sampling.stop)
        guide = guides().guide(request.label, request.constraint) if guides and request.constraint else None
        return cls(index=index, request=request, text=text, draw=Draw(request.seed), guide=guide)

    def weigh(self, logits: torch.Tensor, token: int) -> None:
        """Counts the likelihood of its next token, by the logits (V,) that it was taken from."""
        self.log_likelihood += log_share(logits, token)

    def finished(self, token: int, eos: frozenset[int]) -> Ended | None:
        """Takes the row's next token, and says why the row ends with it, or None."""
        if token in eos:
            self.text.token_ids.append(token)
            return "eos"
        if self.text.add(token):
            return "stop"
        if self.guide is not None:
            self.guide.take(token)
            if self.guide.is_over:
                return "stop"
        if self.request.settled is not None and self.is_answered():
            return "answered"
        return "length" if len(self.text.token_ids) >= self.request.sampling.max_new_tokens else None

    def is_answered(self) -> bool:
        """Whether the text holds its answer, whatever follows. Tokens without text of their own change nothing."""
        text = self.text.whole()
        is_new, self.asked = text != self.asked, text
        return is_new and is_answered(self.request, text)

    def completion(self, ended: Ended) -> Completion:
        """The completion of a row that has ended."""
        ids = tuple(self.text.token_ids)
        likelihood = self.log_likelihood if self.request.wants_likelihood else None
        return Completion(
            text=self.text.cut(), token_ids=ids, ended=ended, num_new_tokens=len(ids), log_likelihood=likelihood
        )
