"""A completions server for tests: a real, tiny, random model behind `POST /v1/completions` on loopback.

Started as a program it prints its port. The model is named `tiny`; what follows a question mark in the name is how the
server misbehaves for requests of that name, such as `tiny?fail=2&status=503` (see `Behaviour`). `GET /log?NAME` tells
what was asked under a name.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM

LINES = [
    "Question: what is three plus four? Answer: seven.",
    "Question: what is the answer? The answer is yes, the answer is no.",
    "Is the film good? The review says that the film is good.",
    "äöü ß 東京 naïve café 🙂",
] * 4
BOS, EOS = "<s>", "</s>"


class TinyModel:
    """A random Llama of two layers and its byte-level tokenizer, the same in every process."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self.lock = threading.Lock()
        self.tokenizer = make_tokenizer()
        self.eos = self.tokenizer.token_to_id(EOS)
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=self.tokenizer.get_vocab_size(),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            initializer_range=0.3,
            bos_token_id=0,
            eos_token_id=1,
        )
        self.model = LlamaForCausalLM(config).eval()

    def encode(self, text: str) -> list[int]:
        """The text's token ids, BOS first."""
        return self.tokenizer.encode(text).ids

    def shown(self, token: int) -> str:
        """One token's text, as a server shows it."""
        return self.tokenizer.decode([token], skip_special_tokens=False)

    @torch.inference_mode()
    def log_shares(self, ids: list[int]) -> torch.Tensor:
        """Log-probabilities (T, V), float32, of the token after each."""
        with self.lock:
            logits: torch.Tensor = self.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        return logits.float().log_softmax(-1)

    def write(self, ids: list[int], asked: dict[str, Any]) -> tuple[list[int], str, str | None]:
        """New tokens, why they ended, and the stop string that ended them."""
        random = torch.Generator().manual_seed(asked.get("seed", 0))
        new: list[int] = []
        while len(new) < asked.get("max_tokens", 16):
            shares = self.log_shares(ids + new)[-1]
            if temperature := asked.get("temperature", 1):
                token = int(torch.multinomial((shares / temperature).softmax(-1), 1, generator=random))
            else:
                token = int(shares.argmax())
            new.append(token)
            if token == self.eos:
                return new, "stop", None
            if stop := next((each for each in asked.get("stop", ()) if each in self.tokenizer.decode(new)), None):
                return new, "stop", stop
        return new, "length", None


def make_tokenizer() -> tokenizers.Tokenizer:
    """A byte-level BPE tokenizer trained on a few lines."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=[BOS, EOS], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return tokenizer


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How requests under one name are treated. Numbers of requests count from the first under that name."""

    fail: int = 0  # so many are answered with `status`
    bad: str = ""  # and so are prompts that hold this
    status: int = 500
    retry_after: str = ""
    hang_up: int = 0  # so many are cut off in the middle of the answer
    garbage: int = 0  # answered with what is not JSON
    odd: int = 0  # answered with JSON that is no completion
    refuse_zero: int = 0  # `max_tokens: 0` is refused
    logprobs: str = "all"  # or "none", or "new": those of the new tokens only
    usage: int = 1  # whether tokens are counted
    stop_reason: int = 0  # whether the stop string is named
    finish_reason: str = ""  # in place of the true one
    quote_key: int = 0  # answers 401 and quotes the key
    delay_s: float = 0.0
    slow: str = ""  # only prompts that hold this are delayed


def behaviour_of(name: str) -> Behaviour:
    """What a model's name asks for."""
    kinds = {"str": str, "int": int, "float": float}
    given = dict(parse_qsl(name.partition("?")[2]))
    fields = Behaviour.__dataclass_fields__
    return Behaviour(**{key: kinds[str(fields[key].type)](given[key]) for key in given if key in fields})


@dataclass
class Log:
    """What was asked under one name."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)
    num_now: int = 0
    max_at_once: int = 0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tiny: TinyModel
    logs: dict[str, Log]
    lock = threading.Lock()

    def do_GET(self) -> None:
        log = self.logs[unquote(urlsplit(self.path).query)]
        told = {"bodies": log.bodies, "times": log.times, "ports": sorted(log.ports), "max_at_once": log.max_at_once}
        self.send(200, json.dumps(told))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/completions":
            self.send(404, json.dumps({"detail": "Not Found"}))
            return
        log = self.logs[asked["model"]]
        with self.lock:
            log.bodies.append(asked)
            log.times.append(time.monotonic())
            log.ports.add(self.client_address[1])
            log.num_now += 1
            log.max_at_once = max(log.max_at_once, log.num_now)
            number = len(log.bodies)
        try:
            self.answer(asked, behaviour_of(asked["model"]), number)
        finally:
            with self.lock:
                log.num_now -= 1

    def answer(self, asked: dict[str, Any], behaviour: Behaviour, number: int) -> None:
        if behaviour.slow in asked["prompt"]:
            time.sleep(behaviour.delay_s)
        if number <= behaviour.fail or (behaviour.bad and behaviour.bad in asked["prompt"]):
            self.refuse(behaviour.status, "try again later", behaviour.retry_after)
        elif behaviour.quote_key:
            self.refuse(401, f"Incorrect API key provided: {self.headers['Authorization']}")
        elif not asked["model"].startswith("tiny"):
            self.refuse(404, f"The model `{asked['model']}` does not exist.")
        elif behaviour.refuse_zero and asked["max_tokens"] == 0:
            self.refuse(400, "max_tokens must be at least 1, got 0.")
        elif behaviour.garbage:
            self.send(200, "<html>\n welcome </html>")
        elif behaviour.odd:
            self.send(200, '{"choices": []}')
        else:
            told = json.dumps(completion(self.tiny, asked, behaviour))
            self.send(200, told, is_cut=number <= behaviour.hang_up)

    def refuse(self, status: int, message: str, retry_after: str = "") -> None:
        self.send(status, json.dumps({"error": {"message": message, "code": status}}), retry_after=retry_after)

    def send(self, status: int, text: str, *, retry_after: str = "", is_cut: bool = False) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.close_connection = self.close_connection or is_cut

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing: tests read the log by request."""


def completion(tiny: TinyModel, asked: dict[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    """The answer to one request, as the API has it."""
    ids = tiny.encode(asked["prompt"])
    new, ended, stop = tiny.write(ids, asked)
    text = tiny.tokenizer.decode(new)
    if stop:
        text = text.partition(stop)[0]
    choice: dict[str, Any] = {
        "index": 0,
        "text": asked["prompt"] + text if asked.get("echo") else text,
        "finish_reason": behaviour.finish_reason or ended,
        "logprobs": None,
    }
    if behaviour.stop_reason:
        choice["stop_reason"] = stop
    if asked.get("logprobs") is not None and behaviour.logprobs != "none":
        is_echoed = asked.get("echo") and behaviour.logprobs == "all"
        choice["logprobs"] = log_probabilities(tiny, ids + new, 0 if is_echoed else len(ids))
    told: dict[str, Any] = {"object": "text_completion", "model": asked["model"], "choices": [choice]}
    if behaviour.usage:
        told["usage"] = {"prompt_tokens": len(ids), "completion_tokens": len(new), "total_tokens": len(ids + new)}
    return told


def log_probabilities(tiny: TinyModel, ids: list[int], first: int) -> dict[str, Any]:
    """The tokens from `first` on, with their log-probabilities, and offsets that count BOS as text, as some do."""
    shares = tiny.log_shares(ids)
    tokens = [tiny.shown(token) for token in ids]
    values = [None, *(float(shares[place, token]) for place, token in enumerate(ids[1:]))]
    offsets = [sum(map(len, tokens[:place])) for place in range(len(tokens))]
    return {"tokens": tokens[first:], "token_logprobs": values[first:], "text_offset": offsets[first:]}


def main() -> None:
    """Serves until the process is ended."""
    Handler.tiny = TinyModel()
    Handler.logs = defaultdict(Log)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)  # noqa: T201 - what the test waits for
    server.serve_forever()


if __name__ == "__main__":
    main()
