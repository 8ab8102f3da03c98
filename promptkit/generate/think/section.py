"""`thinking` of `generate:`: how a completion's thinking opens and closes, and how much of it there may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.generate.think.thinking import Thinking
from promptkit.generate.tokenizer import Tokenizer
from promptkit.spec import Declaration, NaturalNumber

__all__ = ["Think"]


class Think(Declaration):
    """The thinking that a completion begins with: stops, constraints and `max_new_tokens` are for what comes after it.

    A completion that does not begin with `open`, after a prompt that has not opened it either, is all answer.
    """

    main: ClassVar[str | None] = "budget"

    open: str = Field(default="<think>", description="the text that opens the thinking")
    close: str = Field(default="</think>", description="the text that closes it")
    budget: NaturalNumber | None = Field(
        default=None,
        description="the most tokens of thinking, `open` among them; then `then` is written, and the model goes on from "
        "there. null: as many as `max_new_tokens`, and the completion ends where they do not suffice",
    )
    then: str | None = Field(
        default=None, description="what is written where the budget is spent; `close` and an empty line if not given"
    )
    opened: bool | None = Field(
        default=None, strict=True, description="whether the prompt has opened it; found out from its text if not given"
    )

    @field_validator("open", "close")
    @classmethod
    def _is_a_tag(cls, tag: str) -> str:
        if not tag.strip():
            raise PydanticCustomError("tag", "a tag must not be empty")
        return tag

    @model_validator(mode="after")
    def _closes(self) -> Think:
        if self.close in self.open:
            message = "{close} stands in {open}: the thinking would close where it opens"
            tags = {"close": repr(str(self.close)), "open": repr(str(self.open))}
            raise PydanticCustomError("tags", message, {**tags, "at": ("close",)})
        if self.then is not None and self.close not in self.then:
            message = "does not close the thinking: it must hold {close}"
            raise PydanticCustomError("then", message, {"close": repr(str(self.close)), "at": ("then",)})
        return self

    @property
    def closing(self) -> str:
        """What is written where the budget is spent."""
        return f"{self.close}\n\n" if self.then is None else self.then

    def thinking(self, prompt: str, max_new_tokens: int, tokenizer: Tokenizer | None) -> Thinking:
        """What the request for one completion carries. `prompt` is its end, in which the thinking may be open already."""
        return Thinking(
            open=str(self.open),
            close=str(self.close),
            then=str(self.closing),
            limit=max_new_tokens if self.budget is None else self.budget,
            has_budget=self.budget is not None,
            is_open=self.is_open_in(prompt) if self.opened is None else self.opened,
            open_ids=tokens_of(self.open, tokenizer),
            close_ids=tokens_of(self.close, tokenizer),
            then_ids=tokens_of(self.closing, tokenizer),
        )

    def is_open_in(self, prompt: str) -> bool:
        """Whether the last that opens in a text is not closed in it."""
        return prompt.rfind(self.open) > prompt.rfind(self.close)


def tokens_of(text: str, tokenizer: Tokenizer | None) -> tuple[int, ...]:
    """The tokens of a text that stands within another; none where nobody knows them.

    Some tokenizers put a space before what they are given. A line's end before it, which is left out again, keeps it off.
    """
    if tokenizer is None:
        return ()
    before, joint, alone = (tokenizer.encode(each, add_special_tokens=False) for each in ("\n", f"\n{text}", text))
    return joint[len(before) :] if begins_with(joint, before) else alone


def begins_with(tokens: Sequence[int], before: Sequence[int]) -> bool:
    """Whether tokens begin with others, and go on after them."""
    return len(tokens) > len(before) and list(tokens[: len(before)]) == list(before)
