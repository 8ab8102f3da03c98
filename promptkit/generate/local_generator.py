"""The generator of a model on this machine, through transformers."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from promptkit.errors import GenerationError, ModelError, PromptTooLong
from promptkit.generate.fingerprint import fingerprint
from promptkit.generate.hardware import device, resolve_dtype
from promptkit.generate.meter import Meter
from promptkit.generate.model import Loading
from promptkit.generate.model_files import find_model
from promptkit.generate.prepared import prepare_facts, prepare_weights
from promptkit.generate.request import Completion, Request, Work
from promptkit.generate.tokenizer import FastTokenizer

if TYPE_CHECKING:
    from promptkit.generate.reference import Reference

__all__ = ["ENGINE", "LocalGenerator"]

ENGINE = "reference-2"  # raised when the same request may give another completion than before


class LocalGenerator:
    """Completions and option scores of a local model. Its weights are loaded when they are first needed."""

    def __init__(self, name: str, loading: Loading) -> None:
        self.name = name
        self.loading = loading
        self.files = find_model(name)
        self.facts = prepare_facts(self.files)
        self.dtype = resolve_dtype(loading.dtype)
        self.tokenizer = FastTokenizer(
            self.facts.folder / "tokenizer.json", self.facts.chat_template, self.facts.special_tokens
        )
        self._meter = Meter()

    @property
    def context_length(self) -> int | None:
        """In tokens, as the model's configuration says."""
        return self.facts.context_length

    @property
    def work(self) -> Work:
        """What was done so far."""
        return Work(**asdict(self._meter))

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The weights' and the tokenizer's fingerprints, dtype, engine, and the versions that compute."""
        template = self.facts.chat_template or ""
        return {
            "kind": "local",
            "weights": fingerprint(self.files.weights),
            "tokenizer": fingerprint([self.facts.folder / "tokenizer.json"]),
            "config": "" if self.files.gguf else fingerprint([self.files.folder / "config.json"]),
            "chat_template": hashlib.sha256(template.encode()).hexdigest(),
            "dtype": self.dtype,
            "device": device(),
            "engine": ENGINE,
            "torch": version("torch").partition("+")[0],
            "transformers": version("transformers"),
        }

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Completions as they finish, longest prompts first. Nothing is computed if any prompt does not fit."""
        check_room(requests, self.context_length, self.name)
        if not requests:
            return
        reference = self.reference
        order = sorted(range(len(requests)), key=lambda index: -len(requests[index].token_ids))
        to_score = [(index, requests[index]) for index in order if requests[index].options]
        to_complete = [(index, requests[index]) for index in order if not requests[index].options]
        size = self.loading.batch_size
        try:
            for first in range(0, len(to_score), size):
                yield from reference.score(to_score[first : first + size])
            for first in range(0, len(to_complete), size):
                yield from reference.complete(to_complete[first : first + size])
        except (MemoryError, RuntimeError) as error:
            raise GenerationError(explain(error, size)) from error

    @cached_property
    def reference(self) -> Reference:
        """The loaded model."""
        started = time.perf_counter()
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        weights = prepare_weights(self.files, self.dtype)
        try:
            import torch  # noqa: PLC0415 - seconds to import, and needed only when something is computed
            import transformers  # noqa: PLC0415

            from promptkit.generate.reference import Reference  # noqa: PLC0415

            transformers.utils.logging.disable_progress_bar()
            model = transformers.AutoModelForCausalLM.from_pretrained(
                weights, dtype=getattr(torch, self.dtype), trust_remote_code=False
            )
            model.eval().to(device())
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(f"model {self.name!r}: cannot be loaded: {reason}") from error
        self._meter.load_s += time.perf_counter() - started
        return Reference(model, self.tokenizer, frozenset(self.facts.eos_token_ids), self._meter)


def check_room(requests: Sequence[Request], context_length: int | None, name: str) -> None:
    """Nothing; or `PromptTooLong` that names the first prompt that does not fit, and how many do not."""
    if context_length is None:
        return
    too_long = [request for request in requests if needed_tokens(request) > context_length]
    if too_long:
        request = too_long[0]
        others = f" ({len(too_long)} of {len(requests)} prompts do not fit)" if len(requests) > 1 else ""
        new = "" if request.options else f" and {request.sampling.max_new_tokens} new ones"
        raise PromptTooLong(
            f"{request.label}: {len(request.token_ids)} prompt tokens{new} do not fit the {context_length} tokens "
            f"of {name!r}{others}\n    fewer demonstrations, or a smaller max_new_tokens, make room; nothing was cut"
        )


def needed_tokens(request: Request) -> int:
    """The tokens that a request takes up at the most."""
    if request.options:
        return max(len(ids) for ids in request.option_token_ids)
    return len(request.token_ids) + request.sampling.max_new_tokens


def explain(error: Exception, batch_size: int) -> str:
    """What a person can do about a failure in the middle of computing."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return f"out of memory at a batch size of {batch_size}: what is finished is kept; try a smaller --batch-size"
    return f"the model failed while it computed: {text}"
