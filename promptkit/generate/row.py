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
from promptkit.generate.think.thinker import Thinker
from promptkit.generate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from promptkit.generate.constrain.guide import Guesser, Guide, Guides

__all__ = ["Row"]


@dataclass(slots=True, kw_only=True)
class Row:
    """One request while it is being completed; `guide` says what it may write, where it has a constraint, and `thinker`
    where it stands in its thinking, where that is declared.
    """

    index: int
    request: Request
    text: NewText
    draw: Draw
    guide: Guide | None = None
    thinker: Thinker | None = None
    asked: str = ""  # the text that the request's rule was last asked about
    log_likelihood: float = 0.0  # of its new tokens, where that is asked for

    @classmethod
    def start(
        cls, index: int, request: Request, tokenizer: Tokenizer, guides: Callable[[], Guides] | None = None
    ) -> Self:
        """The row of the request at `index`, with no new token yet. `guides` are asked for by a constraint alone."""
        text = NewText(tokenizer, request.token_ids, request.sampling.stop)
        guide = guides().guide(request.label, request.constraint) if guides and request.constraint else None
        thinker = Thinker(request.thinking, text) if request.thinking else None
        if guide is not None and thinker is not None:
            guide.follow(thinker)
        return cls(index=index, request=request, text=text, draw=Draw(request.seed), guide=guide, thinker=thinker)

    @property
    def is_thinking(self) -> bool:
        """Whether what it writes is no answer yet, or may be none."""
        return self.thinker is not None and not self.thinker.is_done

    @property
    def forced(self) -> tuple[int, ...]:
        """The tokens that are written for it now, whatever the model would write."""
        return self.thinker.forced if self.thinker else ()

    def taken(self, token: int) -> int:
        """The token that it takes where the model gives `token`."""
        return self.forced[0] if self.forced else token

    def weigh(self, logits: torch.Tensor, token: int) -> None:
        """Counts the likelihood of its next token, by the logits (V,) that it was taken from."""
        if not self.forced:
            self.log_likelihood += log_share(logits, token)

    def guesses(self, guesser: Guesser | None, most: int) -> list[int]:
        """Tokens that may come next: what is written for it, or else what is guessed.

        None of a row under a constraint would begin it: what follows is not known before.
        """
        if most <= 0:
            return []
        if self.forced:
            return list(self.forced[: min(most, len(self.forced) - (self.guide is not None))])
        if guesser is None:
            return []
        if self.guide is None:
            return guesser.guess(most)
        if self.thinker is None or self.thinker.is_done:
            return self.guide.guesses(guesser, most)
        return self.thinker.guesses(guesser.guess(most)) if self.thinker.is_thinking else []

    def finished(self, token: int, eos: frozenset[int]) -> Ended | None:
        """Takes the row's next token, and says why the row ends with it, or None."""
        if token in eos and not self.forced:
            self.text.token_ids.append(token)
            return "eos"
        is_stop = self.text.add(token)
        if self.thinker is not None and not self.thinker.is_done:
            self.thinker.take()
            if self.guide is not None:
                self.guide.follow(self.thinker, token)
            if not self.thinker.is_done:
                return "length" if self.is_spent() else None
            is_stop = self.text.is_stopped()
        elif self.guide is not None and not is_stop:
            self.guide.take(token)
        if is_stop or (self.guide is not None and self.guide.is_over):
            return "stop"
        if self.request.settled is not None and self.is_answered():
            return "answered"
        return "length" if self.is_spent() else None

    def is_spent(self) -> bool:
        """Whether it may have no more tokens: of its answer, or of its thinking, where nothing closes that."""
        thinker, num, most = self.thinker, len(self.text.token_ids), self.request.sampling.max_new_tokens
        if thinker is None or (not thinker.is_thinking and not thinker.is_done):
            return num >= most
        return num - thinker.num_before >= most if thinker.is_done else thinker.is_spent

    def is_answered(self) -> bool:
        """Whether the text holds its answer, whatever follows. Tokens without text of their own change nothing."""
        text = self.text.whole()
        is_new, self.asked = text != self.asked, text
        answer = text[self.thinker.answer_start(text) :] if self.thinker else text
        return is_new and is_answered(self.request, answer)

    def completion(self, ended: Ended) -> Completion:
        """The completion of a row that has ended."""
        if self.thinker is not None:
            self.thinker.finish()
        ids = tuple(self.text.token_ids)
        return Completion(
            text=self.text.cut(),
            token_ids=ids,
            ended=ended,
            num_new_tokens=len(ids),
            log_likelihood=self.log_likelihood if self.request.wants_likelihood else None,
            thought=self.thinker.thought() if self.thinker else None,
        )
