"""A model behind a server that speaks the OpenAI completions API (`POST {base_url}/completions`).

Raw text goes in and raw text comes out: no chat format, and what the server leaves undone is done here. Text is cut
exactly at the earliest stop string, since servers take four at most. Options are scored by having the server echo
prompt and option with the log-probability of each token.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from promptkit.errors import GenerationError, ModelError
from promptkit.generate.meter import Meter
from promptkit.generate.new_text import cut_at_stop
from promptkit.generate.request import Completion, Ended, OptionScore, Request, Work
from promptkit.generate.server import ServerModel
from promptkit.generate.server_line import FIRST_DELAY_S, Answer, Line, tries

__all__ = ["ServerGenerator"]

MAX_STOPS = 4  # more are refused by servers that keep to the API
REFUSED = {400, 422}  # how servers say that a field's value is not to their liking
SHOWN = 200  # characters of a server's answer in a message


class Usage(BaseModel):
    """The tokens that the server counted."""

    prompt_tokens: int | None = Field(default=None, description="tokens of the prompt, BOS among them")
    completion_tokens: int | None = Field(default=None, description="tokens that the model wrote")


class TokenScores(BaseModel):
    """The tokens of an echoed text. Offsets are not read: servers disagree about BOS and split characters."""

    tokens: tuple[str, ...] | None = Field(default=None, description="each token's text")
    token_logprobs: tuple[float | None, ...] | None = Field(
        default=None, description="each token's natural log-probability; null for the first"
    )


class Choice(BaseModel):
    """One completion, as the server gives it."""

    text: str = Field(description="the new text, after the prompt if that is echoed")
    finish_reason: str | None = Field(default=None, description="why the text ended: 'stop' or 'length'")
    named_stop: int | str | None = Field(
        default=None,
        validation_alias=AliasChoices("stop_reason", "matched_stop"),  # vLLM's name and SGLang's
        description="the stop string that was hit, or the token, where the server says it",
    )
    logprobs: TokenScores | None = Field(default=None, description="the tokens' log-probabilities, where asked for")


class Reply(BaseModel):
    """A server's answer to one request."""

    choices: tuple[Choice, ...] = Field(min_length=1, description="one completion, since one was asked for")
    usage: Usage | None = Field(default=None, description="tokens, where the server counts them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """A text's tokens, as the server shows them, and the log-likelihood of each after those before it."""

    tokens: tuple[str, ...]
    log_likelihoods: tuple[float | None, ...]


class ServerGenerator:
    """Completions and option scores from a server, several requests at a time.

    A server's weights have no fingerprint: completions are kept under the model's name and the server's address,
    and whoever changes the model behind both must refresh them. Servers that batch may give even greedy text with
    small differences from one time to the next.
    """

    tokenizer: None = None
    context_length: None = None

    def __init__(
        self, declared: ServerModel, api_key: str | None = None, *, first_delay_s: float = FIRST_DELAY_S
    ) -> None:
        self.declared = declared
        self.name = declared.name
        self.first_delay_s = first_delay_s
        self._api_key = api_key
        self._meter = Meter()
        self._least_tokens = 0  # what an echo asks to be written: 1 for servers that refuse 0

    @property
    def identity(self) -> Mapping[str, Any]:
        """The server's address and the model's name on it."""
        return {"kind": "server", "base_url": self.declared.base_url, "name": self.name}

    @property
    def work(self) -> Work:
        """What was done so far: time spent waiting for the server, and the prompt tokens that it counted."""
        return Work(**asdict(self._meter))

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Completions as they finish. After a failure, those on their way are still waited for and yielded.

        Closing the iterator, or Ctrl-C, ends all of it at once. Raises `ModelError`, before anything is sent, where a
        completion is to end with its answer, has a constraint, or has thinking of its own.
        """
        if any(request.thinking is not None for request in requests):
            raise ModelError(
                f"model {self.name!r}: a server does not part thinking from answer, as `generate.thinking` asks; a model "
                "on this machine can"
            )
        if any(request.constraint is not None for request in requests):
            raise ModelError(
                f"model {self.name!r}: a server is not told of a constraint, as `generate.constrain` asks; a model on "
                "this machine can follow one"
            )
        if any(request.settled is not None for request in requests):
            raise ModelError(
                f"model {self.name!r}: a server cannot end a completion with its answer, as "
                "`generate.stop_when_answered` asks; a model on this machine can"
            )
        line = Line(self.declared, self._api_key, self.first_delay_s)
        pool = ThreadPoolExecutor(self.declared.concurrency, thread_name_prefix="promptkit-server")
        failure: BaseException | None = None
        try:
            futures = {pool.submit(self._answer, line, each): index for index, each in enumerate(requests)}
            started = time.perf_counter()
            for future in as_completed(futures):
                if future.cancelled():
                    continue
                if (error := future.exception()) is None:
                    completion, num_prompt_tokens = future.result()
                    self._note(completion, num_prompt_tokens, time.perf_counter() - started)
                    yield futures[future], completion
                    started = time.perf_counter()
                elif failure is None:
                    failure = error
                    line.give_up()
                    for each in futures:
                        each.cancel()
        finally:
            line.hang_up()
            pool.shutdown(wait=False, cancel_futures=True)
        if failure is not None:
            raise failure

    def _note(self, completion: Completion, num_prompt_tokens: int, seconds: float) -> None:
        """Adds one completion to what was done."""
        if completion.ended == "scored":
            self._meter.prefill_s += seconds
        else:
            self._meter.decode_s += seconds
        self._meter.computed_prompt_tokens += num_prompt_tokens

    def _answer(self, line: Line, request: Request) -> tuple[Completion, int]:
        """The completion of one request, and the prompt tokens that the server computed for it."""
        return self._score(line, request) if request.options else self._complete(line, request)

    def _complete(self, line: Line, request: Request) -> tuple[Completion, int]:
        reply = self._read(line, request, line.post(completion_body(self.name, request)))
        choice, usage = reply.choices[0], reply.usage or Usage()
        text, is_cut = cut_at_stop(choice.text, request.sampling.stop)
        ended = "stop" if is_cut else how_it_ended(choice, request.sampling.stop)
        if ended is None:
            raise GenerationError(
                f"{request.label}: {line.url} ended the completion with finish_reason {choice.finish_reason!r}; "
                "known: length, stop"
            )
        likelihood = log_likelihood(choice) if request.wants_likelihood else None
        if request.wants_likelihood and likelihood is None:
            raise GenerationError(
                f"{line.url}: the server does not return log-likelihoods of what it writes (logprobs); a vote weighted "
                "by likelihood, and `best`, need them"
            )
        completion = Completion(
            text=text, ended=ended, num_new_tokens=usage.completion_tokens or 0, log_likelihood=likelihood
        )
        return completion, usage.prompt_tokens or 0

    def _score(self, line: Line, request: Request) -> tuple[Completion, int]:
        """The completion that holds each option's score.

        Prompt and option are tokenised together, by the server. All options are scored from the same token on: the
        first at which any of them departs from the prompt's own tokens, which are therefore asked for as well.
        """
        own = [self._echo(line, request, request.prompt)] if request.prompt else []
        rows = [self._echo(line, request, request.prompt + option) for option in request.options]
        start = shared_length([each.tokens for each in own] or [rows[0].tokens[:1]], [row.tokens for row in rows])
        if any(None in row.log_likelihoods[start:] for row in rows):
            raise GenerationError(
                f"{request.label}: the prompt is too short to choose after it: the first token of a text has no "
                "log-likelihood"
            )
        scores = tuple(option_score(text, row, start) for text, row in zip(request.options, rows, strict=True))
        best = max(scores, key=lambda each: each.log_likelihood)
        num_prompt_tokens = sum(len(each.tokens) for each in [*own, *rows])
        return Completion(text=best.text, ended="scored", options=scores), num_prompt_tokens

    def _echo(self, line: Line, request: Request, text: str) -> Echo:
        """The tokens of a text and their log-likelihoods."""
        least = self._least_tokens
        answer = line.post(echo_body(self.name, text, least))
        if answer.status in REFUSED and least == 0:
            least = 1
            answer = line.post(echo_body(self.name, text, least))
        reply = self._read(line, request, answer)
        self._least_tokens = least
        echo = echo_of(reply, text, least)
        if echo is None:
            raise GenerationError(
                f"{line.url}: the server does not return log-likelihoods of the prompt (echo with logprobs); "
                "choose needs them"
            )
        return echo

    def _read(self, line: Line, request: Request, answer: Answer) -> Reply:
        """The reply that an answer holds. Raises `GenerationError` in the server's words where it holds none."""
        if answer.status != 200:
            words = self._without_key(server_message(answer.body))
            raise GenerationError(
                f"{request.label}: {line.url} answered {answer.status}{tries(answer.num_tries)}: {words}"
            )
        try:
            return Reply.model_validate_json(answer.body)
        except ValidationError as error:
            shown = self._without_key(readable(answer.body))
            raise GenerationError(f"{request.label}: {line.url} answered with no completion: {shown!r}") from error

    def _without_key(self, text: str) -> str:
        """The text with the key blotted out, which some servers quote."""
        return text.replace(self._api_key, "***") if self._api_key else text


def completion_body(name: str, request: Request) -> dict[str, Any]:
    """What is asked of the server for free text. Seeds are folded to 31 bits, which every server can read."""
    sampling = request.sampling
    limits = {"max_tokens": sampling.max_new_tokens, "temperature": sampling.temperature, "top_p": sampling.top_p}
    body = {"model": name, "prompt": request.prompt, **limits, "n": 1, "seed": request.seed % 2**31}
    if sampling.stop:
        body["stop"] = list(sampling.stop[:MAX_STOPS])
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    if request.wants_likelihood:
        body["logprobs"] = 1
    return body


def echo_body(name: str, text: str, max_tokens: int) -> dict[str, Any]:
    """What is asked of the server for the log-likelihoods of a text; temperature 1 leaves them as they are."""
    fixed = {"temperature": 1, "n": 1, "echo": True, "logprobs": 1}
    return {"model": name, "prompt": text, "max_tokens": max_tokens, **fixed}


def log_likelihood(choice: Choice) -> float | None:
    """The log-likelihood of what was written, as the server has it; None where it does not say."""
    values = choice.logprobs.token_logprobs if choice.logprobs else None
    return math.fsum(value for value in values if value is not None) if values else None


def how_it_ended(choice: Choice, stop: Sequence[str]) -> Ended | None:
    """Why the server ended a text that holds no stop string; None where it says neither stop nor length.

    The API has one word, "stop", for a stop string, which is cut off, and for the model's own end. Where the server
    does not name the stop string, this is taken for "eos".
    """
    if choice.finish_reason == "length":
        return "length"
    if choice.finish_reason == "stop":
        return "stop" if choice.named_stop in stop else "eos"
    return None


def echo_of(reply: Reply, text: str, max_tokens: int) -> Echo | None:
    """The tokens of `text` alone, from a reply that may go on after it; None where they are not all there."""
    choice, scores = reply.choices[0], reply.choices[0].logprobs or TokenScores()
    tokens, values = scores.tokens or (), scores.token_logprobs or ()
    counted = reply.usage.prompt_tokens if reply.usage else None
    num_tokens = len(tokens)
    if max_tokens > 0 or choice.text != text:  # the model has written, too
        num_tokens = counted if counted is not None else num_tokens - max_tokens
    is_whole = len(tokens) >= counted if counted is not None else choice.text.startswith(text)
    if not is_whole or not 0 < num_tokens <= len(tokens) or len(values) != len(tokens):
        return None
    values = values[:num_tokens]
    return None if None in values[1:] else Echo(tokens=tokens[:num_tokens], log_likelihoods=values)


def shared_length(own: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> int:
    """How many tokens all begin with in common, at the most one less than the shortest of `rows` has."""
    longest = min(*(len(each) for each in own), *(len(row) - 1 for row in rows))
    for place in range(longest):
        if len({each[place] for each in [*own, *rows]}) > 1:
            return place
    return longest


def option_score(text: str, row: Echo, start: int) -> OptionScore:
    """The score of one option, whose own tokens begin at `start`."""
    own = [value for value in row.log_likelihoods[start:] if value is not None]
    return OptionScore(text=text, log_likelihood=math.fsum(own), num_tokens=len(own))


def server_message(body: bytes) -> str:
    """What a server says went wrong: its message where it is found, else the answer as it is."""
    try:
        said = json.loads(body)
    except ValueError:
        return readable(body) or "nothing more"
    inner = said.get("error", said) if isinstance(said, dict) else said
    if isinstance(inner, dict):
        inner = inner.get("message") or inner.get("detail") or inner
    return inner if isinstance(inner, str) else readable(body)


def readable(body: bytes) -> str:
    """The beginning of an answer, as text on one line."""
    words = " ".join(body.decode("utf-8", "replace").split())
    return words if len(words) <= SHOWN else words[:SHOWN] + "..."
