"""A model behind a server that speaks the OpenAI completions API (`POST {base_url}/completions`).

Raw text goes in and raw text comes out: no chat format, and what the server leaves undone is done here. Text is cut
exactly at the earliest stop string, since servers take four at most. Options are scored by having the server echo
prompt and option with the log-probability of each token.
"""

from __future__ import annotations

import json
import math
import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, BaseModel, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from promptkit.errors import GenerationError, ModelError
from promptkit.generate.meter import Meter
from promptkit.generate.model import Loading, ModelDeclaration
from promptkit.generate.new_text import cut_at_stop
from promptkit.generate.request import Completion, Ended, OptionScore, Request, Work
from promptkit.spec import Count, NaturalNumber
from promptkit.version import __version__

__all__ = ["ServerGenerator", "ServerModel"]

MAX_STOPS = 4  # more are refused by servers that keep to the API
CONNECT_S = 10.0  # how long a connection may take to come about
FIRST_DELAY_S = 0.5  # before the second try; each further delay is twice the one before
MAX_DELAY_S = 600.0  # the longest delay, also where the server asks for a longer one
TRANSIENT = {408, 429, *range(500, 600)}
REFUSED = {400, 422}  # how servers say that a field's value is not to their liking
SHOWN = 200  # characters of a server's answer in a message


class ServerModel(ModelDeclaration):
    """A model behind an OpenAI-compatible server."""

    kind = "server"

    base_url: str = Field(description="the server's address up to its version, such as http://127.0.0.1:8000/v1")
    name: str = Field(min_length=1, description="the model's name on the server")
    api_key_env: str | None = Field(
        default=None, description="the environment variable that holds the key, which is never recorded or shown"
    )
    concurrency: Count = Field(default=8, description="how many requests are on their way at once")
    timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=120.0,
        description="the longest silence before a request is sent again; a server is silent while its model writes",
    )
    max_retries: NaturalNumber = Field(
        default=4, description="how often a request is sent again after a lost connection, a 429 or a 5xx"
    )

    @field_validator("base_url", mode="after")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_address(value):
            message = "must be an http or https address such as http://127.0.0.1:8000/v1, not {value}"
            raise PydanticCustomError("base_url", message, {"value": repr(str(value))})
        if "@" in urlsplit(value).netloc:
            raise PydanticCustomError("base_url", "must hold no key or password: `api_key_env` names where the key is")
        return str(value).rstrip("/")

    @property
    def label(self) -> str:
        """The model's name on the server."""
        return self.name

    def open(self, loading: Loading) -> ServerGenerator:
        """The generator; the server is asked with the first completion. `loading` is the server's own matter.

        Raises `ModelError` where the environment does not hold the key.
        """
        return ServerGenerator(self, self._key())

    def _key(self) -> str | None:
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ModelError(f"model {self.name!r}: the environment variable {self.api_key_env!r} holds no key")
        if not re.fullmatch(r"[!-~]+", key):
            raise ModelError(f"model {self.name!r}: what {self.api_key_env!r} holds is not plain ASCII, so no key")
        return key


def is_address(value: str) -> bool:
    """Whether a text is an address that requests can be sent to."""
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0  # reading it also checks that it is a number
            and not (parts.query or parts.fragment)
            and re.fullmatch(r"[!-~]+", value) is not None  # plain ASCII without spaces
        )
    except ValueError:
        return False


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
class Answer:
    """What came back over HTTP, at last, and after how many tries."""

    status: int
    body: bytes
    retry_after: str | None
    num_tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """A text's tokens, as the server shows them, and the log-likelihood of each after those before it."""

    tokens: tuple[str, ...]
    log_likelihoods: tuple[float | None, ...]


class Line:
    """Connections to one server, kept open from request to request; threads share them."""

    def __init__(self, declared: ServerModel, api_key: str | None, first_delay_s: float) -> None:
        self.declared = declared
        self.url = f"{declared.base_url}/completions"
        self.first_delay_s = first_delay_s
        self._headers = {"Content-Type": "application/json", "User-Agent": f"promptkit/{__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._lock = threading.Lock()
        self._idle: list[HTTPConnection] = []
        self._busy: set[HTTPConnection] = set()
        self._is_over = threading.Event()
        self._is_closed = False

    def post(self, body: Mapping[str, Any]) -> Answer:
        """The server's last word: an answer of any status, after trying again where that may help.

        Raises `GenerationError` where no answer came.
        """
        sent, num_tries, delay_s = json.dumps(body).encode(), 0, self.first_delay_s
        while True:
            num_tries += 1
            is_last = num_tries > self.declared.max_retries
            try:
                answer = self._send(sent, num_tries)
            except (OSError, HTTPException) as error:
                if is_last or self._is_over.wait(min(delay_s, MAX_DELAY_S)):
                    message = f"no answer from {self.url}: {reason(error)}{tries(num_tries)}"
                    raise GenerationError(message) from error
            else:
                asked_s = max(delay_s, asked_delay_s(answer.retry_after))
                if answer.status not in TRANSIENT or is_last or self._is_over.wait(min(asked_s, MAX_DELAY_S)):
                    return answer
            delay_s *= 2

    def _send(self, sent: bytes, num_tries: int) -> Answer:
        with self._borrowed() as connection:
            if connection.sock is None:
                connect(connection, self.declared.timeout_s)
                if self._is_closed:  # `hang_up` came before there was a socket to shut
                    raise ConnectionAbortedError("stopped")
            connection.request("POST", urlsplit(self.url).path, body=sent, headers=self._headers)
            with connection.getresponse() as response:
                body = response.read()
            if response.status != 200:
                connection.close()  # it may be gone by the next try
            asked = response.getheader("Retry-After")
            return Answer(status=response.status, body=body, retry_after=asked, num_tries=num_tries)

    @contextmanager
    def _borrowed(self) -> Iterator[HTTPConnection]:
        """A connection for one request, opened or not."""
        with self._lock:
            if self._is_closed:
                raise ConnectionAbortedError("stopped")
            connection = self._idle.pop() if self._idle else new_connection(urlsplit(self.url))
            self._busy.add(connection)
        is_sound = False
        try:
            yield connection
            is_sound = True
        finally:
            with self._lock:
                self._busy.discard(connection)
                if is_sound and not self._is_closed:
                    self._idle.append(connection)
                else:
                    connection.close()

    def give_up(self) -> None:
        """Lets what is on its way come back, but tries nothing again."""
        self._is_over.set()

    def hang_up(self) -> None:
        """Ends everything at once: threads that wait for the server wake with an error."""
        self._is_over.set()
        with self._lock:
            self._is_closed = True
            for connection in self._idle:
                connection.close()
            for connection in self._busy:
                if connection.sock is not None:
                    with suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)


def new_connection(parts: SplitResult) -> HTTPConnection:
    """A connection to a server, not yet opened; straight to it, whatever proxy the environment names."""
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    assert parts.hostname is not None
    return kind(parts.hostname, parts.port, timeout=CONNECT_S)


def connect(connection: HTTPConnection, timeout_s: float) -> None:
    """Opens a connection, and sets how long it may be silent from now on."""
    connection.connect()
    connection.sock.settimeout(timeout_s)


def reason(error: Exception) -> str:
    """Why no answer came, in few words."""
    if isinstance(error, IncompleteRead):
        return "it hung up in the middle of its answer"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).lower()


def asked_delay_s(retry_after: str | None) -> float:
    """The delay that a `Retry-After` header asks for, in seconds or as a date; 0 where it asks for none."""
    if not retry_after:
        return 0.0
    try:
        asked_s = float(retry_after)
    except ValueError:
        try:
            asked_s = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0.0
    return asked_s if asked_s > 0 else 0.0


def tries(number: int) -> str:
    """How often something was tried, for the end of a message."""
    return f" (tried {number} times)" if number > 1 else ""


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

        Closing the iterator, or Ctrl-C, ends all of it at once.
        """
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
        completion = Completion(text=text, ended=ended, num_new_tokens=usage.completion_tokens or 0)
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
    return body


def echo_body(name: str, text: str, max_tokens: int) -> dict[str, Any]:
    """What is asked of the server for the log-likelihoods of a text; temperature 1 leaves them as they are."""
    fixed = {"temperature": 1, "n": 1, "echo": True, "logprobs": 1}
    return {"model": name, "prompt": text, "max_tokens": max_tokens, **fixed}


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
