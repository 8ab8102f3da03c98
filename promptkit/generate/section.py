"""The sections `generate:` and `choose:`: f as a writer of free text, or as a scorer of options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.generate.constrain.section import Constrain
from promptkit.generate.request import OptionScore, Sampling
from promptkit.generate.think.section import Think
from promptkit.generate.tokenizer import Tokenizer
from promptkit.spec import Count, Declaration, NaturalNumber, Seed, Template, Texts

__all__ = ["Choose", "Generate", "Normalization", "normalized"]

Normalization = Literal["raw", "token", "byte", "unconditional"]


class Generate(Declaration):
    """How the model writes."""

    max_new_tokens: Count = Field(
        default=256, description="the most tokens that a completion may have; with `thinking`, that may follow it"
    )
    stop: Texts = Field(default=(), description="texts that end a completion; they are cut off")
    samples: Count = Field(default=1, description="completions of each prompt, each with a seed of its own")
    temperature: Annotated[float, Field(ge=0)] = Field(default=0.0, description="0 is greedy")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="the share of the likeliest tokens kept"
    )
    top_k: NaturalNumber = Field(default=0, description="how many of the likeliest tokens are kept; 0 keeps all")
    stop_when_answered: bool = Field(
        default=False,
        strict=True,
        description="whether a completion ends as soon as the align chain's answer can no longer change, whatever text "
        "follows",
    )
    constrain: Constrain | None = Field(
        default=None,
        description="what a completion can be, and nothing else: grammar, regex, json or choice for what the align chain's "
        "first step of that kind reads; or what it says itself",
    )
    thinking: Think | None = Field(
        default=None,
        description="the thinking that a completion begins with, of a reasoning model: its tags, and its budget in tokens",
    )
    seed: Seed = Field(default=0, description="the run's seed; every request's own is derived from it")

    @field_validator("stop", mode="after")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "" in value:
            raise PydanticCustomError("empty_stop", "an empty stop would end every completion before it begins")
        return tuple(str(each) for each in value)

    @model_validator(mode="after")
    def _samples_differ(self) -> Generate:
        if self.samples > 1 and self.temperature == 0:
            raise PydanticCustomError("same_samples", "several samples at temperature 0 are all the same")
        return self

    @model_validator(mode="after")
    def _ends_by_itself(self) -> Generate:
        if self.constrain is not None and self.stop:
            message = "`stop` and `constrain`: what is constrained ends where it is complete, and nowhere else"
            raise PydanticCustomError("stop", message, {"at": ("stop",), "hint": "leave `stop` out"})
        if self.constrain is not None and self.thinking is not None and self.constrain.after:
            message = "`constrain.after` and `thinking`: the constraint begins where the thinking ends"
            context = {"at": ("constrain", "after"), "hint": "leave `after` out"}
            raise PydanticCustomError("after", message, context)
        return self

    def max_tokens(self, tokenizer: Tokenizer | None) -> int:
        """The most tokens that a completion may have, those of its thinking among them."""
        thinking = self.thinking.thinking("", self.max_new_tokens, tokenizer) if self.thinking else None
        return self.max_new_tokens + (thinking.max_tokens if thinking else 0)

    def sampling(self) -> Sampling:
        """What each request is told."""
        return Sampling(
            max_new_tokens=self.max_new_tokens,
            stop=self.stop,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
        )


class Choose(Declaration):
    """How the model chooses: by the log-likelihood of each option after the prompt."""

    options: Template | tuple[str, ...] = Field(description="the options: a list, or a template that gives one")
    lead: str = Field(default=" ", description="text put before each option, scored with it")
    normalize: Normalization = Field(
        default="raw",
        description="what makes options of different length comparable: raw (nothing), token or byte (divided by the "
        "option's tokens, or by its UTF-8 bytes without the lead), unconditional (less the log-likelihood after "
        "`unconditional_prompt`; Holtzman et al. 2021, section 3)",
    )
    unconditional_prompt: Template | None = Field(
        default=None, description="the prompt that says nothing of the example, such as 'Answer:'"
    )

    @model_validator(mode="after")
    def _unconditional_together(self) -> Choose:
        if (self.normalize == "unconditional") != (self.unconditional_prompt is not None):
            raise PydanticCustomError(
                "unconditional", "`normalize: unconditional` and `unconditional_prompt` go together"
            )
        return self

    def options_for(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """The options of one example. Raises `ValueError` where they are not two or more different texts."""
        value = self.options.value(fields) if isinstance(self.options, Template) else self.options
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError(f"`options` must give a list of texts, not {value!r}")  # noqa: TRY004 - a value of the data
        options = tuple(each if isinstance(each, str) else str(each) for each in value)
        if len(options) < 2 or len(set(options)) < len(options) or "" in options:
            raise ValueError(f"`options` must give two or more different texts, not {list(options)!r}")
        return options


def normalized(
    scores: Sequence[OptionScore], how: Normalization, unconditional: Sequence[OptionScore] = ()
) -> list[float]:
    """The options' scores, made comparable as declared; the order is that of `scores`."""
    if how == "token":
        return [each.log_likelihood / each.num_tokens for each in scores]
    if how == "byte":
        return [each.log_likelihood / len(each.text.encode()) for each in scores]
    if how == "unconditional":
        return [each.log_likelihood - base.log_likelihood for each, base in zip(scores, unconditional, strict=True)]
    return [each.log_likelihood for each in scores]
