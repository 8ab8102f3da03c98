"""A model whose completions are written down: for tests, for examples, and to try a pipeline without a model."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from promptkit.errors import GenerationError
from promptkit.generate.answered import is_answered
from promptkit.generate.model import Loading, ModelDeclaration
from promptkit.generate.new_text import cut_at_stop
from promptkit.generate.request import Completion, Ended, OptionScore, Request, Work
from promptkit.generate.think.thinking import Thinking, Thought
from promptkit.spec import Declaration, Texts

__all__ = ["Rule", "ScriptedGenerator", "ScriptedModel"]

CHOSEN, NOT_CHOSEN = 0.0, -10.0  # the log-likelihood of an option that is the completion, and of any other
SHOWN = 60  # characters of a prompt's end in a message


class Rule(Declaration):
    """What the model writes after the prompts in which a pattern is found."""

    when: str = Field(description="a regular expression, searched in the prompt")
    completion: Texts = Field(
        min_length=1, description="what the model writes; of a list, each sample of a prompt takes the next, over again"
    )
    ended: Literal["stop", "eos", "length"] = Field(
        default="eos", description="why the completion ended, where no stop string of the request cuts it"
    )
    log_likelihoods: tuple[float, ...] = Field(
        default=(), description="the log-likelihood of each of these completions; 0 if not given"
    )
    scores: Mapping[str, float] = Field(
        default_factory=dict,
        description=f"log-likelihoods of options; one that is not here has {CHOSEN:g} if it is the completion, "
        f"else {NOT_CHOSEN:g}",
    )

    @field_validator("log_likelihoods", mode="after")
    @classmethod
    def _one_each(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        num = len(info.data.get("completion", value))
        if value and len(value) != num:
            message = "there are {num} completions, and {given} log-likelihoods"
            raise PydanticCustomError("log_likelihoods", message, {"num": num, "given": len(value)})
        return value

    @field_validator("when", mode="after")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise PydanticCustomError(
                "pattern", "not a regular expression: {reason}", {"reason": str(error)}
            ) from error
        return value


class ScriptedModel(ModelDeclaration):
    """Completions by rule, the first that matches. It reads no tokens: limits on their number change nothing."""

    kind = "scripted"
    main: ClassVar[str | None] = "rules"

    rules: tuple[Rule, ...] = Field(default=(), description="what is written after which prompts; the first match wins")
    default: str | None = Field(
        default=None, description="the completion where no rule matches; null makes such a prompt an error"
    )

    @property
    def label(self) -> str:
        """The same for every script."""
        return "scripted"

    def open(self, loading: Loading) -> ScriptedGenerator:
        """The generator; there is nothing to load."""
        return ScriptedGenerator(self)


class ScriptedGenerator:
    """The completions that the rules give.

    Stop strings cut a completion exactly, as they do with any model, and a rule that says when a text is answered ends
    it at the first character at which it does. Numbers of tokens are numbers of words. An
    option is the completion, or in a rule's `scores`, if they are the same text but for white space around it.
    """

    name = "scripted"
    tokenizer: None = None
    context_length: None = None
    work = Work()

    def __init__(self, declared: ScriptedModel) -> None:
        self.declared = declared

    @property
    def identity(self) -> Mapping[str, Any]:
        """The fingerprint of rules and default."""
        written = json.dumps(self.declared.model_dump(mode="json"), sort_keys=True)
        return {"kind": "scripted", "rules": hashlib.sha256(written.encode()).hexdigest()}

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Completions, in the requests' order.

        Of a rule's several completions, a prompt that comes again in the same call, with a temperature above 0,
        takes the next; greedy text and options take the first. Raises `GenerationError` where no rule matches and
        there is no default.
        """
        num_before: Counter[str] = Counter()
        for index, request in enumerate(requests):
            yield index, completed(self.rule_for(request), request, num_before[request.prompt])
            num_before[request.prompt] += request.sampling.temperature > 0

    def rule_for(self, request: Request) -> Rule:
        """The first rule that matches the prompt, else the default as a rule."""
        for rule in self.declared.rules:
            if re.search(rule.when, request.prompt):
                return rule
        if self.declared.default is None:
            raise GenerationError(
                f"{request.label}: no rule of the scripted model matches the prompt, which ends with "
                f"{request.prompt[-SHOWN:]!r}\n    `default` gives the completion of all other prompts"
            )
        return Rule(when="", completion=(self.declared.default,))


def completed(rule: Rule, request: Request, num_before: int) -> Completion:
    """The completion that a rule gives to a request; `num_before` samples of the same prompt came before it."""
    place = num_before % len(rule.completion)
    written = rule.completion[place]
    if request.options:
        scores = tuple(option_score(rule, option, written) for option in request.options)
        best = max(scores, key=lambda each: each.log_likelihood)
        return Completion(text=best.text, ended="scored", options=scores)
    likelihood = (rule.log_likelihoods[place] if rule.log_likelihoods else 0.0) if request.wants_likelihood else None
    before, written, thought = parted(written, request.thinking) if request.thinking else ("", written, None)
    if thought is not None and thought.state == "open":
        ended: Ended = rule.ended if before == written else "length"
        return made(before, ended, likelihood, thought)
    text, is_cut = cut_at_stop(written, request.sampling.stop)
    if request.settled is not None:
        so_far = (text[:end] for end in range(1, len(text) + 1))
        answered = next((each for each in so_far if is_answered(request, each)), None)
        if answered is not None:
            return made(before + answered, "answered", likelihood, thought)
    return made(before + text, "stop" if is_cut else rule.ended, likelihood, thought)


def made(text: str, ended: Ended, likelihood: float | None, thought: Thought | None) -> Completion:
    """A completion whose tokens are its words."""
    num = len(text.split())
    return Completion(text=text, ended=ended, num_new_tokens=num, log_likelihood=likelihood, thought=thought)


def parted(written: str, thinking: Thinking) -> tuple[str, str, Thought]:
    """The thinking in what a rule writes, with all that closes it, and the answer after it.

    Where the budget, in words, is spent, what a rule has as answer is written after `then`. Of thinking that stays open
    the first text is as much as there may be, the second all of it.
    """
    said = written.lstrip()
    if not (thinking.is_open or said.startswith(thinking.open)):
        return "", written, Thought(state="none", num_tokens=0, num_forced=0, end=0)
    begin = 0 if thinking.is_open else len(written) - len(said) + len(thinking.open)
    place = written.find(thinking.close, begin)
    is_closed = place >= 0
    answer = written[place + len(thinking.close) :].lstrip() if is_closed else ""
    before = written[: len(written) - len(answer)]
    words = list(re.finditer(r"\S+", written[:place] if is_closed else written))
    if len(words) > thinking.limit:
        before = written[: words[thinking.limit - 1].end()] if thinking.limit else ""
        if not thinking.has_budget:
            return before, written, open_thought(before)
        end = len(before) + thinking.then.index(thinking.close) + len(thinking.close)
        text = before + thinking.then
        end += len(text[end:]) - len(text[end:].lstrip())
        num_forced = len(thinking.then.split())
        return text, answer, Thought(state="forced", num_tokens=thinking.limit, num_forced=num_forced, end=end)
    if not is_closed:
        return written, written, open_thought(written)
    return before, answer, Thought(state="closed", num_tokens=len(before.split()), num_forced=0, end=len(before))


def open_thought(text: str) -> Thought:
    """The thinking that is all of a text."""
    return Thought(state="open", num_tokens=len(text.split()), num_forced=0, end=len(text))


def option_score(rule: Rule, option: str, written: str) -> OptionScore:
    """The score that a rule gives to one option: written down, or by whether the option is the completion."""
    scores = {text.strip(): score for text, score in rule.scores.items()}
    otherwise = CHOSEN if option.strip() == written.strip() else NOT_CHOSEN
    value = scores.get(option.strip(), otherwise)
    return OptionScore(text=option, log_likelihood=value, num_tokens=max(1, len(option.split())))
