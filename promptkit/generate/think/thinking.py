"""What a request carries of its thinking, and what came of it in the completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["OPENING", "THOUGHTS", "Thinking", "Thought", "ThoughtState"]

RULE = 1  # raised when the same thinking may give another completion than before
OPENING = 16  # tokens within which a completion that thinks has opened its thinking

ThoughtState = Literal["closed", "forced", "open", "none"]
THOUGHTS: tuple[ThoughtState, ...] = ("closed", "forced", "open", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """How a completion's thinking opens and closes, as text and as tokens, and how long it may be.

    After `limit` tokens of it `then` is written, where `has_budget`; else the completion ends. `is_open` says that the
    prompt has opened it. The tokens are empty where a server tokenises for itself.
    """

    open: str
    close: str
    then: str
    limit: int
    has_budget: bool
    is_open: bool
    open_ids: tuple[int, ...] = ()
    close_ids: tuple[int, ...] = ()
    then_ids: tuple[int, ...] = ()

    @property
    def max_tokens(self) -> int:
        """The most tokens before an answer begins."""
        return max(self.limit, OPENING) + (len(self.then_ids) if self.has_budget else 0)

    @property
    def identity(self) -> Mapping[str, Any]:
        """All of it that can change a completion, as JSON values."""
        return {**asdict(self), "rule": RULE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """What came of the thinking of a completion.

    `state` is "closed" (by the model), "forced" (the budget was spent, and `then` was written), "open" (it never closed:
    there is no answer), or "none" (the completion is all answer). `num_tokens` are those that the model wrote before the
    answer, tags among them, `num_forced` those that were written for it; both are part of the completion's new tokens.
    `end` is the place in the text at which the answer begins, after the white space that follows the thinking.
    """

    state: ThoughtState
    num_tokens: int
    num_forced: int
    end: int
