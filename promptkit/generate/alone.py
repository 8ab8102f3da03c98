"""A row that is computed once more, alone, by a model's plain reference: what a run is checked against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from promptkit.generate.new_text import NewText
from promptkit.generate.request import Completion, Request
from promptkit.generate.tokenizer import FastTokenizer

__all__ = ["HasReference", "Parting", "parting_place", "token_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where a completion parts from the one that was computed alone.

    `token` is the number of the first new token that differs, from 1; `run` and `alone` are the two tokens as text,
    None where one of the completions has ended before. `margin` is how far the two tokens' logits lie from each other
    in the reference's own computation, None where there are no two.
    """

    token: int
    run: str | None
    alone: str | None
    margin: float | None


@runtime_checkable
class HasReference(Protocol):
    """A generator that can compute a row a second time, by plainer means than its usual ones."""

    def alone(self, request: Request) -> Completion:
        """The request's completion, or the score of each of its options, with nothing beside it."""

    def parting(self, request: Request, made: Completion, alone: Completion) -> Parting | None:
        """Where `made` parts from what was computed alone; None where they are the same token for token."""


def parting_place(made: Sequence[int], alone: Sequence[int]) -> int | None:
    """The first place at which the tokens differ; None where they do not.

    >>> parting_place([5, 6, 7], [5, 9, 7]), parting_place([5, 6], [5, 6, 7]), parting_place([5, 6], [5, 6])
    (1, 2, None)
    """
    pairs = zip(made, alone, strict=False)
    longest = None if len(made) == len(alone) else min(len(made), len(alone))
    return next((place for place, (one, other) in enumerate(pairs) if one != other), longest)


def token_text(tokenizer: FastTokenizer, before: Sequence[int], token: int) -> str:
    """The text of a token as it reads after those before it; its own name where it has no text."""
    text = NewText(tokenizer, before, ())
    text.add(token)
    return text.whole() or tokenizer.backend.id_to_token(token) or ""
