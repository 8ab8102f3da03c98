"""Executes jobs: from the store what is there, from the model what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from promptkit.errors import Interrupted
from promptkit.generate import Completion, Generator, Request
from promptkit.run.plan import Job
from promptkit.run.record import Made
from promptkit.run.store import Store, request_key

__all__ = ["Progress", "execute", "job_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: completions, those of them that were kept from before, tokens written so far, rows in progress.

    `seconds` are those in which something could be computed: since the start, less the loading of the model. `parts` are
    the parts of a run that are under way, such as a stage.
    """

    num_done: int
    num_all: int
    num_from_store: int
    num_new_tokens: int
    seconds: float
    num_live: int = 0
    parts: tuple[str, ...] = ()


@dataclass(slots=True)
class Pending:
    """Distinct requests, by key, and the completions known so far; the parts of a run that want them."""

    requests: dict[bytes, tuple[Request, int]] = field(default_factory=dict)
    known: dict[bytes, Completion] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    def missing(self) -> list[bytes]:
        """The keys without a completion."""
        return [key for key in self.requests if key not in self.known]


def execute(
    jobs: Sequence[Job],
    generator: Generator,
    store: Store,
    watch: Callable[[Callable[[], Progress]], None] = lambda _: None,
    *,
    refresh: bool = False,
) -> list[Made]:
    """What was made for every job, in their order. Each completion is in the store before the next is counted.

    `watch` is given what tells how far the run is, whenever it is asked and from any thread; at the end, the last
    state for good. `refresh` computes all of it again. Raises `Interrupted` on Ctrl-C, which loses nothing that was finished.
    """
    keys = [job_keys(job, generator) for job in jobs]
    pending = Pending(parts=tuple(dict.fromkeys(job.part for job in jobs if job.part)))
    for job, (key, asked) in zip(jobs, keys, strict=True):
        pending.requests.setdefault(key, (job.request, job.sample))
        for name, other in asked.items():
            pending.requests.setdefault(other, (job.asked[name], 0))
    if not refresh:
        pending.known = store.get(pending.requests)
    found = frozenset(pending.known)
    counting = Counting(pending=pending, generator=generator)
    watch(counting.progress)
    complete(pending, generator, store, counting)
    last = counting.progress()
    watch(lambda: last)
    return [
        Made(
            completion=pending.known[key],
            asked={name: pending.known[other] for name, other in asked.items()},
            from_store=key in found,
        )
        for key, asked in keys
    ]


def job_keys(job: Job, generator: Generator) -> tuple[bytes, dict[str, bytes]]:
    """The store's keys for a job's completion, and for what is asked beside it."""
    asked = {name: request_key(generator.identity, request, 0) for name, request in job.asked.items()}
    return request_key(generator.identity, job.request, job.sample), asked


class Counting:
    """Counts what is computed from now on; it only reads, and so may be asked from another thread."""

    def __init__(self, pending: Pending, generator: Generator) -> None:
        self.pending = pending
        self.generator = generator
        self.num_found = len(pending.known)
        self.num_new_tokens = 0  # of the completions that have come
        self.before = generator.work
        self.started = time.perf_counter()

    def progress(self) -> Progress:
        """How far it is now. New tokens are those of rows in progress too, where the generator counts them."""
        work = self.generator.work
        return Progress(
            num_done=len(self.pending.known),
            num_all=len(self.pending.requests),
            num_from_store=self.num_found,
            num_new_tokens=work.num_new_tokens - self.before.num_new_tokens or self.num_new_tokens,
            seconds=time.perf_counter() - self.started - (work.load_s - self.before.load_s),
            num_live=work.num_live,
            parts=self.pending.parts,
        )


def complete(pending: Pending, generator: Generator, store: Store, counting: Counting) -> None:
    """Computes what is missing, and keeps each completion as it comes."""
    missing = pending.missing()
    try:
        for place, completion in generator.generate(requests_of(pending, missing)):
            key = missing[place]
            request, sample = pending.requests[key]
            store.put(key, generator.identity, request, sample, completion)
            pending.known[key] = completion
            counting.num_new_tokens += completion.num_new_tokens
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"stopped: {len(pending.known)} of {len(pending.requests)} completions are kept in {str(store.path)!r}; "
            "the same command goes on from there"
        ) from error


def requests_of(pending: Pending, keys: Sequence[bytes]) -> list[Request]:
    """The requests under these keys."""
    return [pending.requests[key][0] for key in keys]
