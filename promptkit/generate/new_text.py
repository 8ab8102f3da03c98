"""The text of a row while it grows: exact across tokens, cut exactly at a stop."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.generate.tokenizer import Tokenizer

__all__ = ["NewText", "cut_at_stop"]

CONTEXT = 4  # prompt tokens decoded along, for tokenizers whose text depends on what stands before


def cut_at_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """The text up to the first stop string in it, and whether there was one.

    >>> cut_at_stop("7. Q: 8. A:", ["A:", " Q:"])
    ('7.', True)
    """
    places = [place for place in (text.find(each) for each in stop) if place >= 0]
    return (text[: min(places)], True) if places else (text, False)


class NewText:
    """The new tokens of one row, and their text."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int], stop: Sequence[str]) -> None:
        self.token_ids: list[int] = []
        self._tokenizer = tokenizer
        self._context = list(prompt[-CONTEXT:])
        self._before = tokenizer.decode(self._context)
        self._stop = [each for each in stop if each]
        # a character takes at most four byte tokens; a few more for tokens without text
        self._window = 4 * max(map(len, self._stop), default=0) + 4

    def add(self, token_id: int) -> bool:
        """Takes one more token; True if a stop string is complete now."""
        self.token_ids.append(token_id)
        if not self._stop:
            return False
        recent = self._tokenizer.decode(self.token_ids[-self._window :])
        return any(each in recent for each in self._stop) and cut_at_stop(self.whole(), self._stop)[1]

    def whole(self) -> str:
        """The text of all new tokens, as it reads after the prompt."""
        text = self._tokenizer.decode(self._context + self.token_ids)
        if text.startswith(self._before):
            return text[len(self._before) :]
        return self._tokenizer.decode(self.token_ids)

    def cut(self) -> str:
        """The text up to the first stop."""
        return cut_at_stop(self.whole(), self._stop)[0]
