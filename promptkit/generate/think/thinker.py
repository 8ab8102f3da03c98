"""Where one row stands in its thinking, token after token, and what is written for it when its budget is spent."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.generate.answered import INCOMPLETE
from promptkit.generate.new_text import NewText
from promptkit.generate.think.thinking import OPENING, Thinking, Thought, ThoughtState

__all__ = ["Thinker"]


class Thinker:
    """Follows one row's thinking; `text` is the row's, whose stops are looked for only once `is_done`."""

    def __init__(self, thinking: Thinking, text: NewText) -> None:
        self.thinking = thinking
        self.is_thinking = thinking.is_open  # until it is known whether the row thinks at all, this is False
        self.forced: tuple[int, ...] = ()  # tokens that are still to be written for the row
        self.num_before = 0  # tokens before the answer
        self._text = text
        self._state: ThoughtState | None = None
        self._num_forced = 0
        self._begin = 0  # characters before the thinking's own text
        self._end = 0  # characters up to the thinking's end
        self._window = 4 * len(thinking.close) + 4  # a character takes at most four tokens
        text.is_watched = False
        self._force_if_due()

    @property
    def is_done(self) -> bool:
        """Whether what comes now is answer."""
        return self._state is not None

    @property
    def is_spent(self) -> bool:
        """Whether the row ends here, since its thinking may not go on and nothing closes it."""
        limit = self.thinking.limit
        is_at_limit = len(self._text.token_ids) >= limit
        return self.is_thinking and not self.is_done and not self.thinking.has_budget and is_at_limit

    @property
    def opening(self) -> int | None:
        """The token that would open the thinking now, or go on to open it; None where none would."""
        written, tag = self._text.token_ids, self.thinking.open_ids
        if self.is_done or self.is_thinking or not tag:
            return None
        for size in range(min(len(tag) - 1, len(written)), 0, -1):
            if tuple(written[-size:]) == tag[:size]:
                return tag[size]
        return None if self._text.whole().strip() else tag[0]

    def take(self) -> None:
        """Looks at the row's newest token."""
        if self.forced:
            self.forced = self.forced[1:]
            if not self.forced:
                self._close("forced")
            return
        if not self.is_thinking:
            self._look_for_open()
        if self.is_thinking:
            self._look_for_close()
            self._force_if_due()

    def finish(self) -> None:
        """Tells that the row has ended: what had not opened by now is answer."""
        if not self.is_done and not self.is_thinking:
            self._answer_at_once()

    def thought(self) -> Thought:
        """What came of it."""
        num, whole = len(self._text.token_ids), self._text.whole()
        if self._state is None:
            return Thought(state="open", num_tokens=num - self._num_forced, num_forced=self._num_forced, end=len(whole))
        return Thought(
            state=self._state,
            num_tokens=self.num_before - self._num_forced,
            num_forced=self._num_forced,
            end=self.answer_start(whole),
        )

    def answer_start(self, whole: str) -> int:
        """Where the answer begins in the row's text; the white space after the thinking belongs to neither."""
        return 0 if self._state == "none" else len(whole) - len(whole[self._end :].lstrip())

    def rest(self) -> str:
        """What the token that ended the thinking, or what was written for it, brings of the answer already."""
        whole = self._text.whole()
        return whole[self.answer_start(whole) :] if self._state in ("closed", "forced") else ""

    def begin_here(self) -> None:
        """Begins the answer after all that is written."""
        self._end = len(self._text.whole())

    def may_close(self, token: int) -> bool:
        """Whether the thinking may end with a token."""
        tag = self.thinking.close_ids
        return (len(tag) == 1 and token == tag[0]) or self.thinking.close[-1] in self._text.decode([token])

    def guesses(self, known: Sequence[int]) -> list[int]:
        """Of tokens that may come next, those after none of which the thinking may have ended."""
        ends = (place for place, each in enumerate(known) if self.may_close(each))
        return list(known[: next(ends, len(known))])

    def _look_for_open(self) -> None:
        text, tag = self._text.whole(), self.thinking.open
        said = text.lstrip()
        begun = said.rstrip(INCOMPLETE)  # the first bytes of a character that the tag may have
        if said.startswith(tag):
            self.is_thinking, self._begin = True, len(text) - len(said) + len(tag)
        elif self._is_token(self.thinking.open_ids) and not said:
            self.is_thinking, self._begin = True, len(text)
        elif not tag.startswith(begun) or len(self._text.token_ids) >= OPENING:
            self._answer_at_once()

    def _look_for_close(self) -> None:
        if self.thinking.close in self._text.decode(self._text.token_ids[-self._window :]):
            place = self._text.whole().find(self.thinking.close, self._begin)
            if place >= 0:
                self._close("closed", place + len(self.thinking.close))
        elif self._is_token(self.thinking.close_ids):
            self._close("closed", len(self._text.whole()))

    def _is_token(self, tag: Sequence[int]) -> bool:
        """Whether the newest token is a tag that is one token, whose text may not be decoded."""
        return len(tag) == 1 and self._text.token_ids[-1] == tag[0]

    def _force_if_due(self) -> None:
        num = len(self._text.token_ids)
        if self.is_thinking and not self.is_done and self.thinking.has_budget and num >= self.thinking.limit:
            self.forced = self.thinking.then_ids
            self._num_forced = len(self.forced)

    def _close(self, state: ThoughtState, end: int | None = None) -> None:
        """The thinking ends at a place of the text; where it was closed for the row, at the tag in what was written."""
        whole = self._text.whole()
        if end is None:
            end = len(whole) - len(self.thinking.then.partition(self.thinking.close)[2])
        self._state, self._end, self.num_before = state, end, len(self._text.token_ids)
        self._text.watch(end if state == "closed" else len(whole))

    def _answer_at_once(self) -> None:
        self._state = "none"
        self._text.watch(None)
