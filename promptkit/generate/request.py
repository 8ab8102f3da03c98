"""What a generator is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from promptkit.generate.constrain.constraint import Constraint
from promptkit.generate.think.thinking import Thinking, Thought
from promptkit.generate.tokenizer import Tokenizer

__all__ = ["Completion", "Ended", "Generator", "HasWeights", "Keeping", "OptionScore", "Request", "Sampling", "Work"]

Ended = Literal["stop", "eos", "length", "answered", "scored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How free text is drawn. `temperature` 0 is greedy; then `top_p`, `top_k` and the seed mean nothing."""

    max_new_tokens: int = 256
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing to compute: a completion of `prompt`, or the log-likelihood of each of `options` after it.

    `label` names the example in messages and is no part of what is computed. `token_ids` are the prompt's tokens,
    `option_token_ids` those of prompt and option, tokenised together (both empty where a server tokenises for
    itself). `seed` belongs to this request alone. `settled` says of a text so far whether what is looked for in it is
    there, whatever text follows; then the completion ends. `until` is that rule's identity, empty where there is none.
    `wants_likelihood` asks for the log-likelihood of what is written. `keeps` says that a later request may begin with
    this prompt and what is written after it, so that their keys and values are worth keeping; it changes no completion.
    `constraint` is what a completion must be, `thinking` what it may begin with: stops, rule, constraint and
    `max_new_tokens` are for what comes after that.
    """

    label: str
    prompt: str
    token_ids: tuple[int, ...] = ()
    sampling: Sampling = Sampling()
    seed: int = 0
    options: tuple[str, ...] = ()
    option_token_ids: tuple[tuple[int, ...], ...] = ()
    settled: Callable[[str], bool] | None = field(default=None, compare=False, repr=False)
    until: str = ""
    wants_likelihood: bool = False
    keeps: bool = field(default=False, compare=False)
    constraint: Constraint | None = None
    thinking: Thinking | None = None

    @property
    def max_tokens(self) -> int:
        """The most tokens that its completion may have, those of its thinking among them."""
        return self.sampling.max_new_tokens + (self.thinking.max_tokens if self.thinking else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a generator has done so far: seconds, by sort of work, the prompt tokens that it computed, and the new ones.

    `num_live` is no total: it is how many rows are in progress now. Both of the last are 0 where a generator does not
    count them.
    """

    load_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    computed_prompt_tokens: int = 0
    num_new_tokens: int = 0
    num_live: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionScore:
    """The log-likelihood (natural logarithm, summed over tokens) of one option after the prompt, and its size."""

    text: str
    log_likelihood: float
    num_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model gave: text up to the stop, all new tokens, why it ended; or the score of each option.

    `ended` is "stop" (a stop string came, and is cut off), "eos" (the model ended), "length" (`max_new_tokens`),
    "answered" (`Request.settled` said so; nothing is cut off), or "scored" for options. A constraint that is
    complete, and after which nothing may come, is a "stop", with nothing cut off. `log_likelihood` is that of all
    new tokens, the one that ended them included, summed: what the model itself gives them, whatever the temperature and
    whatever was shut out of the draw; tokens that were written for it to close its thinking count nothing. None where
    nobody asked for it. `thought` is what came of its thinking, None where none was declared.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    ended: Ended = "eos"
    options: tuple[OptionScore, ...] = ()
    num_new_tokens: int = 0
    log_likelihood: float | None = None
    thought: Thought | None = None


@runtime_checkable
class Keeping(Protocol):
    """A generator that keeps what it computed of requests with `keeps`, and uses it for later ones that begin alike."""

    def let_go(self) -> None:
        """Lets all of that go."""


@runtime_checkable
class HasWeights(Protocol):
    """A generator that has its weights in memory from when they are first needed."""

    @property
    def num_bytes(self) -> int:
        """What its weights take there."""

    def unload(self) -> None:
        """Lets the weights go, with all that was computed by them; they are read again when they are next needed."""


class Generator(Protocol):
    """f, frozen: maps requests to completions, and yields each with its index in `requests` as soon as it is finished.

    `identity` is part of the key under which completions are kept; reading it loads no weights. `tokenizer` is None
    where a server has it.
    """

    @property
    def name(self) -> str:
        """The model's name, as tables and folders show it."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that can change a completion, as JSON values."""

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The model's own tokenizer."""

    @property
    def work(self) -> Work:
        """What was done so far, in this process."""

    @property
    def context_length(self) -> int | None:
        """In tokens, prompt and new ones together; None where unknown."""

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Completions in the order in which they finish. Raises `GenerationError`; finished ones were yielded."""
