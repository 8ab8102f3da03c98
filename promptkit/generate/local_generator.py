"""The generator of a model on this machine, through transformers."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import GenerationError, ModelError, PromptTooLong
from promptkit.generate.alone import Parting, parting_place, token_text
from promptkit.generate.engine.demand import Demand
from promptkit.generate.engine.memory import MemoryPlan, plan_memory
from promptkit.generate.engine.pages import Arena
from promptkit.generate.engine.shape import Shape
from promptkit.generate.fingerprint import fingerprint
from promptkit.generate.hardware import available_memory, device, has_matrix_units, lays_out_bfloat16, resolve_dtype
from promptkit.generate.meter import Meter
from promptkit.generate.model import Loading
from promptkit.generate.model_files import find_model
from promptkit.generate.prepared import prepare_facts, prepare_weights
from promptkit.generate.process import give_back, prepare_process, without_collecting
from promptkit.generate.request import Completion, Request, Work
from promptkit.generate.speed import Speed, known_speed, remember_speed, speed_of
from promptkit.generate.states import resolved_layers
from promptkit.generate.tokenizer import FastTokenizer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from promptkit.generate.engine.engine import Engine
    from promptkit.generate.engine.kept import Kept
    from promptkit.generate.reference import Reference

__all__ = ["ENGINE", "LocalGenerator", "needed_tokens"]

log = logging.getLogger(__name__)

NUM_CALIBRATED, CALIBRATED_TOKENS = 16, 24
ENGINE = "tree-2"  # raised when the same request may give another completion than before


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
        """Completions as they finish. Nothing is computed if any prompt does not fit.

        Where memory runs out, half as many rows go on at once; what is finished stays so.
        """
        check_room(requests, self.context_length, self.name)
        before = self.work
        for wants_options in (True, False):
            waiting = {index: each for index, each in enumerate(requests) if bool(each.options) == wants_options}
            if waiting:
                self.fit(list(waiting.values()))
            while waiting:
                compute = self.engine.score if wants_options else self.engine.complete
                try:
                    for index, completion in compute(list(waiting.items())):
                        del waiting[index]
                        yield index, completion
                except (MemoryError, RuntimeError) as error:
                    self.take_less(error)
        remember_speed(self.identity, speed_of(before, self.work))

    @property
    def kept(self) -> Kept | None:
        """What is kept of earlier requests; None before the engine is started, and where the reference computes."""
        return getattr(vars(self).get("engine"), "kept", None)

    def let_go(self) -> None:
        """Lets go what is kept of earlier requests."""
        if self.kept is not None:
            self.kept.let_go()

    @property
    def num_bytes(self) -> int:
        """What its weights take in memory."""
        return self.shape.weights + self.shape.head_copy

    def unload(self) -> None:
        """Lets the weights go, with all that was computed by them; they are read again when they are next needed."""
        loaded = [vars(self).pop(name, None) for name in ("engine", "reference")]
        if loaded != [None, None]:
            loaded.clear()
            give_back()

    @property
    def speed(self) -> Speed | None:
        """How fast earlier runs of this model were on this machine; None where there was none."""
        return known_speed(self.identity)

    def calibrate(self, requests: Sequence[Request]) -> Speed:
        """The speed on a few of these requests, some seconds of work. It is kept; their completions are not."""
        some = [calibrating(each) for each in requests[:NUM_CALIBRATED]]
        compute = self.engine.score if some[0].options else self.engine.complete
        for warm_up in (True, False):  # loops are compiled, and weights paged in, on first use
            before = self.work
            for _ in compute(list(enumerate(some[:1] if warm_up else some))):
                pass
        return remember_speed(self.identity, speed_of(before, self.work, enough_tokens=1, enough_s=0))

    @property
    def shape(self) -> Shape:
        """What of the model decides the memory that it takes here."""
        return Shape.of(
            self.facts,
            self.dtype,
            is_on_card=device() == "cuda",
            lays_out=lays_out_bfloat16(),
            has_units=has_matrix_units(),
        )

    def memory_plan(self, requests: Sequence[Request]) -> MemoryPlan:
        """What these requests, all of text or all of options, take. Raises `NotEnoughMemory`."""
        kept = self.kept
        return plan_memory(
            self.shape,
            Demand.of(requests, kept.num_known if kept else None),
            slots=self.loading.slots,
            memory=self.loading.memory,
            available=available_memory(),
            held=kept.num_bytes if kept else 0,
        )

    def fit(self, requests: Sequence[Request]) -> None:
        """Makes the engine compute as much at once as memory allows. Raises `NotEnoughMemory`, before weights are read."""
        plan = self.memory_plan(requests)
        is_loaded = "engine" in vars(self)
        # a model takes seconds to load, slots a second to be mapped: both at the same time
        arena = None if is_loaded or plan.is_scored or device() != "cpu" else Arena(plan.slots)
        engine = self.engine
        from promptkit.generate.engine.engine import Engine  # noqa: PLC0415 - imports torch

        if isinstance(engine, Engine):
            engine.limits = replace(engine.limits, num_slots=plan.num_slots, chunk=plan.chunk)
            engine.arena = arena
            engine.kept.shrink(plan.to_spare)
        elif arena is not None:
            arena.stop()

    def take_less(self, error: Exception) -> None:
        """Makes the engine compute less at once. Raises `GenerationError` where memory is not what failed, or all of it."""
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if not is_out_of_memory(error):
            raise GenerationError(f"the model failed while it computed: {reason}") from error
        if self.kept:
            self.kept.shrink(0)
            log.warning("out of memory: what was kept for later requests is let go, and will be computed again")
            return
        before = self.engine.num_at_once
        if not self.engine.take_less():
            raise GenerationError(
                "out of memory with one row at a time: what is finished is kept; a shorter prompt, a smaller "
                "max_new_tokens, or more memory is needed"
            ) from error
        now = self.engine.num_at_once
        what = f"{now} at once" if now < before else "smaller passes over prompts"
        log.warning("out of memory with %d rows at once; %s from here on", before, what)

    def layers(self, declared: Sequence[int]) -> tuple[int, ...]:
        """The layers that are meant, from 0 on; see `HasStates`."""
        return resolved_layers(declared, self.facts.sizes.num_layers, self.name)

    def embed(self, rows: Sequence[Sequence[int]], layers: Sequence[int]) -> npt.NDArray[np.float32]:
        """Rows of tokens as vectors (N, L * D) of length 1: see `HasStates`."""
        engine = self.engine
        from promptkit.generate.engine.engine import Engine  # noqa: PLC0415 - imports torch
        from promptkit.generate.engine.states import engine_means, plain_means, vectors_of  # noqa: PLC0415

        try:
            if isinstance(engine, Engine):
                return vectors_of(engine_means(engine, rows, layers))
            return vectors_of(plain_means(engine.model, rows, layers))
        except (MemoryError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise GenerationError(f"the model failed while it read texts to compare them: {reason}") from error

    def alone(self, request: Request) -> Completion:
        """The request's completion, or the score of each of its options, by the reference, with nothing beside it."""
        try:
            compute = self.reference.score if request.options else self.reference.complete
            ((_, completion),) = compute([(0, request)])
        except (MemoryError, RuntimeError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise GenerationError(
                f"{request.label}: the model failed while it computed this row alone: {reason}"
            ) from error
        return completion

    def parting(self, request: Request, made: Completion, alone: Completion) -> Parting | None:
        """Where `made` parts from what was computed alone; None where they are the same token for token."""
        place = parting_place(made.token_ids, alone.token_ids)
        if place is None:
            return None
        same = alone.token_ids[:place]
        tokens = [ids[place] if place < len(ids) else None for ids in (made.token_ids, alone.token_ids)]
        texts = [
            None if token is None else token_text(self.tokenizer, (*request.token_ids, *same), token)
            for token in tokens
        ]
        margin = None
        if None not in tokens:
            here, there = self.reference.logits_after(request.token_ids, same)[tokens].tolist()
            margin = abs(there - here)
        return Parting(token=place + 1, run=texts[0], alone=texts[1], margin=margin)

    @cached_property
    def reference(self) -> Reference:
        """The model as transformers alone computes it, loaded a second time: the engine's oracle."""
        with self.starting():
            from promptkit.generate.reference import BATCH_SIZE, Reference  # noqa: PLC0415 - imports torch

            eos, size = frozenset(self.facts.eos_token_ids), self.loading.slots or BATCH_SIZE
            return Reference(self.load(), self.tokenizer, eos, self._meter, batch_size=size)

    @cached_property
    def engine(self) -> Engine | Reference:
        """What computes: the engine, or the reference where the engine does not cover the model."""
        with self.starting():
            from promptkit.generate.start import Limits, NotCovered, Start  # noqa: PLC0415 - imports torch

            eos, slots = frozenset(self.facts.eos_token_ids), self.loading.slots
            limits = Limits(num_slots=slots) if slots else Limits()
            start = Start(self.identity, self.weights, self.load)
            try:
                return start.engine(self.tokenizer, eos, self._meter, limits)
            except NotCovered as error:
                log.warning("model %r is computed without sharing, right but slower: %s", self.name, error)
        return self.reference

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Settings of the process, and the time that passes counted as loading. A trial is no work of the run."""
        started, counted = time.perf_counter(), self._meter.computed_prompt_tokens
        prepare_process()
        try:
            with without_collecting():
                yield
        finally:
            self._meter.load_s += time.perf_counter() - started
            self._meter.computed_prompt_tokens = counted

    def weights(self) -> Path:
        """The folder of the weights, in the model's dtype where they come from a GGUF file."""
        return prepare_weights(self.files, self.dtype)

    def load(self) -> Any:
        """The model as transformers makes it, ready to compute."""
        weights = self.weights()
        try:
            import torch  # noqa: PLC0415 - seconds to import, and needed only when something is computed
            import transformers  # noqa: PLC0415

            transformers.utils.logging.disable_progress_bar()
            model = transformers.AutoModelForCausalLM.from_pretrained(
                weights, dtype=getattr(torch, self.dtype), trust_remote_code=False
            )
            return model.eval().to(device())
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(f"model {self.name!r}: cannot be loaded: {reason}") from error


def check_room(requests: Sequence[Request], context_length: int | None, name: str) -> None:
    """Nothing; or `PromptTooLong` that names the first prompt that does not fit, and how many do not."""
    if context_length is None:
        return
    too_long = [request for request in requests if needed_tokens(request) > context_length]
    if too_long:
        request = too_long[0]
        others = f" ({len(too_long)} of {len(requests)} prompts do not fit)" if len(requests) > 1 else ""
        new = "" if request.options else f" and {request.max_tokens} new ones"
        raise PromptTooLong(
            f"{request.label}: {len(request.token_ids)} prompt tokens{new} do not fit the {context_length} tokens "
            f"of {name!r}{others}\n    fewer demonstrations, or a smaller max_new_tokens, make room; nothing was cut"
        )


def calibrating(request: Request) -> Request:
    """The request, which writes a few tokens and does not stop before."""
    if request.options:
        return replace(request, keeps=False)
    sampling = replace(request.sampling, max_new_tokens=CALIBRATED_TOKENS, stop=())
    return replace(request, sampling=sampling, settled=None, until="", constraint=None, thinking=None, keeps=False)


def needed_tokens(request: Request) -> int:
    """The tokens that a request takes up at the most."""
    if request.options:
        return max(len(ids) for ids in request.option_token_ids)
    return len(request.token_ids) + request.max_tokens


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory is what ran out, on the processor or on a card."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
