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
    """The new tokens of one row, and their text. Stops are looked for while `is_watched`."""

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int], stop: Sequence[str]) -> None:
        self.token_ids: list[int] = []
        self.is_watched = True
        self._tokenizer = tokenizer
        self._context = list(prompt[-CONTEXT:])
        self._before = tokenizer.decode(self._context)
        self._stop = [each for each in stop if each]
        self._after: int | None = None  # characters of thinking, in which no stop counts
        # a character takes at most four byte tokens; a few more for tokens without text
        self._window = 4 * max(map(len, self._stop), default=0) + 4

    def add(self, token_id: int) -> bool:
        """Takes one more token; True if a stop string is complete now."""
        self.token_ids.append(token_id)
        if not self._stop or not self.is_watched:
            return False
        recent = self.decode(self.token_ids[-self._window :])
        return any(each in recent for each in self._stop) and self.is_stopped()

    def watch(self, after: int | None) -> None:
        """Looks for stops from now on: in the text after so many characters and the white space that follows them."""
        self.is_watched, self._after = True, after

    def is_stopped(self) -> bool:
        """Whether a stop string is complete."""
        return self.is_watched and cut_at_stop(self._parted()[1], self._stop)[1]

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens by themselves."""
        return self._tokenizer.decode(token_ids)

    def whole(self) -> str:
        """The text of all new tokens, as it reads after the prompt."""
        text = self._tokenizer.decode(self._context + self.token_ids)
        if text.startswith(self._before):
            return text[len(self._before) :]
        return self._tokenizer.decode(self.token_ids)

    def cut(self) -> str:
        """The text up to the first stop."""
        before, text = self._parted()
        return before + (cut_at_stop(text, self._stop)[0] if self.is_watched else text)

    def _parted(self) -> tuple[str, str]:
        """The text in which no stop counts, and that in which it does."""
        whole = self.whole()
        if self._after is None:
            return "", whole
        text = whole[self._after :].lstrip()
        return whole[: len(whole) - len(text)], text
