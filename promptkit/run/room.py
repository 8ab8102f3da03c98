"""Demonstrations that do not fit: which whole ones a prompt goes without."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from promptkit.data import Example
from promptkit.errors import PromptTooLong
from promptkit.generate import Tokenizer
from promptkit.prompt import Choice, Demonstrations, Prompt
from promptkit.run.pipeline import Pipeline

__all__ = ["Choices", "Room", "drops"]

Choices = Sequence[Choice | None]  # what each step of a prompt shows, None for a step without demonstrations


def drops(pipeline: Pipeline) -> bool:
    """Whether any of the pipeline's steps drops demonstrations that do not fit: their tokens must be counted then."""
    steps = (step for each in (pipeline, *pipeline.stages.values()) for step in each.declaration.prompt)
    return any(isinstance(step, Demonstrations) and step.fit.drop != "refuse" for step in steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many tokens there may be: the model's context, None where unknown, and the most that the steps allow a prompt."""

    pipeline: Pipeline
    tokenizer: Tokenizer
    context_length: int | None

    @property
    def most(self) -> int | None:
        """The most tokens that any step allows the prompt."""
        steps = (step for step in self.pipeline.declaration.prompt if isinstance(step, Demonstrations))
        return min((step.fit.tokens for step in steps if step.fit.tokens is not None), default=None)

    def fitted(self, choices: Choices, make: Callable[[Choices], Prompt], example: Example) -> Choices:
        """What each step still shows where the fewest demonstrations are dropped with which the prompt fits.

        All that may be dropped is gone where it does not fit even so: what runs the model says by how much. Raises
        `PromptTooLong` where it has more tokens than a step allows.
        """
        if self.holds(make(choices), example):
            return choices
        victims = list(self.victims(choices))
        num = bisect_left(
            range(len(victims)), True, key=lambda num: self.holds(make(without(choices, victims[:num])), example)
        )
        left = without(choices, victims[:num])
        if num == len(victims):
            self.check_allowed(make(left), example)
        return left

    def check_allowed(self, prompt: Prompt, example: Example) -> None:
        """Nothing; or `PromptTooLong` for a prompt that has more tokens than a step allows, with nothing left to drop."""
        num, *_ = self.num_tokens(prompt, example)
        if self.most is not None and num > self.most:
            raise PromptTooLong(
                f"{example.origin}: the prompt has {num} tokens with nothing left to drop, and `fit` allows {self.most}\n"
                "    more `tokens`, or a shorter prompt; nothing but whole demonstrations is ever dropped"
            )

    def victims(self, choices: Choices) -> Iterator[tuple[int, int]]:
        """The step and the place of each demonstration, in the order in which they are dropped."""
        for number, (step, choice) in enumerate(zip(self.pipeline.declaration.prompt, choices, strict=True)):
            if isinstance(step, Demonstrations) and choice is not None:
                texts = [step.text_of(row) for row in choice.rows]
                yield from ((number, place) for place in step.fit.victims(choice, texts))

    def holds(self, prompt: Prompt, example: Example) -> bool:
        """Whether the prompt fits, with what is to be written after it."""
        prompt_alone, *with_option = self.num_tokens(prompt, example)
        new = 0 if with_option else self.pipeline.generate.max_tokens(self.tokenizer)
        needed = max(with_option, default=prompt_alone) + new
        fits_context = self.context_length is None or needed <= self.context_length
        return fits_context and (self.most is None or prompt_alone <= self.most)

    def num_tokens(self, prompt: Prompt, example: Example) -> list[int]:
        """The tokens of the prompt, and of the prompt with each option."""
        texts = [prompt.text, *(prompt.text + option for option in self.options(example))]
        return list(map(len, self.tokenizer.encode_all(texts, add_special_tokens=not prompt.is_chat)))

    def options(self, example: Example) -> list[str]:
        """The options with their lead; none where they are not as they should be, which the plan will tell."""
        choose = self.pipeline.declaration.choose
        try:
            return [choose.lead + option for option in choose.options_for(example.fields)] if choose else []
        except ValueError:
            return []


def without(choices: Choices, gone: Collection[tuple[int, int]]) -> Choices:
    """What each step still shows, where some places of some are gone."""
    return [
        choice and kept(choice, {at for step, at in gone if step == number}) for number, choice in enumerate(choices)
    ]


def kept(choice: Choice, gone: Collection[int]) -> Choice:
    """What a step still shows, where some of its places are gone."""
    places = [place for place in range(len(choice.rows)) if place not in gone]
    ids = {choice.rows[place].id for place in places}
    return replace(
        choice,
        rows=tuple(choice.rows[place] for place in places),
        ranks=tuple(choice.ranks[place] for place in places),
        relabelled=tuple(each for each in choice.relabelled if each.id in ids),
    )
