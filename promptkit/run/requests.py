"""What the model is asked for one prompt: a completion, or the score of each option; with a seed of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.generate import (
    Choose,
    Constraint,
    Generate,
    NotConstrained,
    Request,
    Sampling,
    Thinking,
    Tokenizer,
)
from promptkit.prompt import Prompt
from promptkit.run.asking import alone, unconditional
from promptkit.run.pipeline import Pipeline

__all__ = ["choice_parts", "options_of", "options_request", "text_request"]

RULE = 1  # raised when a chain may know its answer at another place than before


def text_request(  # noqa: PLR0913, PLR0917 - what a request is made of
    pipeline: Pipeline, example: Example, prompt: Prompt, tokenizer: Tokenizer | None, sample: int, purpose: str = ""
) -> Request:
    """The request for one free completion; its seed follows from the run's, the example's id and the sample."""
    generate = pipeline.generate
    stops = generate.stop_when_answered
    return Request(
        label=label_of(example),
        prompt=prompt.text,
        token_ids=prompt_tokens(tokenizer, prompt, example),
        sampling=generate.sampling(),
        seed=derived_seed(generate.seed, f"{example.id}\0{purpose}" if purpose else example.id, sample),
        settled=partial(pipeline.answer_chain.is_settled, fields=example.fields) if stops else None,
        until=rule_of(pipeline, example) if stops else "",
        wants_likelihood=pipeline.deciding is not None and pipeline.deciding.needs_likelihood,
        constraint=constraint_of(pipeline, example),
        thinking=thinking_of(generate, prompt, tokenizer),
    )


def thinking_of(generate: Generate, prompt: Prompt, tokenizer: Tokenizer | None) -> Thinking | None:
    """What the completion may begin with, where that is declared."""
    if generate.thinking is None:
        return None
    return generate.thinking.thinking(prompt.opening, generate.max_new_tokens, tokenizer)


def constraint_of(pipeline: Pipeline, example: Example) -> Constraint | None:
    """What the example's completion must be. Raises `DataError` where no option can be named."""
    if pipeline.constraining is None:
        return None
    try:
        return pipeline.constraining.of(example.fields)
    except (ValueError, NotConstrained) as error:
        raise DataError(f"{example.origin}: {error}") from error


def rule_of(pipeline: Pipeline, example: Example) -> str:
    """The identity of what ends a completion with its answer: SHA-256 of the chain as declared, and of the fields.

    The fields count, since steps may read options from them, and so does what files say that the chain names. A
    function that it names counts by its name.
    """
    rule = {"rule": RULE, "align": pipeline.plain_chain, "fields": example.fields}
    if pipeline.named_files:
        rule["files"] = pipeline.named_files
    return hashlib.sha256(json.dumps(rule, default=str).encode()).hexdigest()


def choice_parts(choose: Choose, example: Example, prompt: Prompt, tokenizer: Tokenizer | None) -> dict[str, Any]:
    """The parts of the job that scores an example's options."""
    options = options_of(choose, example)
    ask = partial(options_request, choose, example, options=options, tokenizer=tokenizer)
    asked = {each.key: ask(alone(each)) for each in unconditional(choose, example.fields)}
    return {"request": ask(prompt), "options": options, "asked": asked}


def options_of(choose: Choose, example: Example) -> tuple[str, ...]:
    """An example's options, without their lead. Raises `DataError` where they are not two or more different texts."""
    try:
        return choose.options_for(example.fields)
    except ValueError as error:
        raise DataError(f"{example.origin}: {error}") from error


def options_request(
    choose: Choose, example: Example, prompt: Prompt, *, options: Sequence[str], tokenizer: Tokenizer | None
) -> Request:
    """The request for the log-likelihood of each option, its lead before it."""
    texts = tuple(choose.lead + option for option in options)
    alone, *joint = encode_all(tokenizer, prompt, ("", *texts))
    return Request(
        label=label_of(example),
        prompt=prompt.text,
        token_ids=some_tokens(tokenizer, alone, example),
        sampling=Sampling(),
        options=texts,
        option_token_ids=tuple(joint) if tokenizer else (),
    )


def label_of(example: Example) -> str:
    """How messages name an example."""
    return f"example {example.id!r} ({example.origin})"


def prompt_tokens(tokenizer: Tokenizer | None, prompt: Prompt, example: Example) -> tuple[int, ...]:
    """The tokens of a prompt. Raises `DataError` where there are none: a model cannot go on from nothing."""
    (tokens,) = encode_all(tokenizer, prompt, ("",))
    return some_tokens(tokenizer, tokens, example)


def some_tokens(tokenizer: Tokenizer | None, tokens: tuple[int, ...], example: Example) -> tuple[int, ...]:
    """The tokens. Raises `DataError` where a tokenizer made none: a model cannot go on from nothing."""
    if tokenizer is not None and not tokens:
        raise DataError(
            f"{label_of(example)}: the prompt is empty, and the model's tokenizer puts nothing before it\n"
            "    a model can go on only from at least one token"
        )
    return tokens


def encode_all(tokenizer: Tokenizer | None, prompt: Prompt, endings: Sequence[str]) -> list[tuple[int, ...]]:
    """The tokens of a prompt with each of the texts that may follow it; a chat template has written BOS itself."""
    if tokenizer is None:
        return [() for _ in endings]
    return tokenizer.encode_all([prompt.text + each for each in endings], add_special_tokens=not prompt.is_chat)


def derived_seed(seed: int, example: str, sample: int) -> int:
    """A seed in [0, 2^63) for one request, from nothing but these three."""
    digest = hashlib.sha256(f"{seed}\0{example}\0{sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
