"""What a step may know beside the completion: the example, the prompt, how the completion ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from promptkit.align.weighing import Weighed

__all__ = ["NOTHING_KNOWN", "Apart", "Context", "Ended"]

Ended = Literal["stop", "eos", "length", "answered", "scored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What is known of a completion's thinking by whoever wrote it: whether it closed, and where the answer begins."""

    is_open: bool
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that is known of a completion but its text.

    `fields` are the example's. `prompt` is the exact text that the model went on from, empty where nobody knows it: a
    completion from anywhere. `question` is the text that was asked, `formats` are the words with which the prompt's own
    format begins a next question (`Q:`), for steps that cut where the model goes on to ask itself. `ended` says how
    the completion came to its end. `scores` are the log-likelihoods of the options that it was chosen from, in their
    order, empty for free text; `weighed` is what the chain's first step made of those of all rows. `thinking` is what is
    known of the thinking that the completion begins with, None where it has none, or nobody knows. `is_traced` asks the
    chain to keep a ledger.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = ""
    question: str = ""
    formats: tuple[str, ...] = ()
    ended: Ended = "eos"
    scores: tuple[float, ...] = ()
    weighed: Weighed | None = None
    thinking: Apart | None = None
    is_traced: bool = False


NOTHING_KNOWN = Context()
