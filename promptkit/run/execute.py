"""Executes a plan: from the store what is there, from the model what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from promptkit.errors import Interrupted
from promptkit.generate import Completion, Generator, Request
from promptkit.run.plan import Job, Plan
from promptkit.run.record import Made
from promptkit.run.store import Store, request_key

__all__ = ["Progress", "execute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: completions, those of them that were kept from before, and tokens written so far.

    `seconds` are those in which something could be computed: since the start, less the loading of the model.
    """

    num_done: int
    num_all: int
    num_from_store: int
    num_new_tokens: int
    seconds: float


@dataclass(slots=True)
class Pending:
    """Distinct requests, by key, and the completions known so far."""

    requests: dict[bytes, tuple[Request, int]] = field(default_factory=dict)
    known: dict[bytes, Completion] = field(default_factory=dict)

    def missing(self) -> list[bytes]:
        """The keys without a completion."""
        return [key for key in self.requests if key not in self.known]


def execute(
    plan: Plan,
    generator: Generator,
    store: Store,
    on_progress: Callable[[Progress], None] = lambda _: None,
    *,
    refresh: bool = False,
) -> list[Made]:
    """What was made for every job, in the plan's order. Each completion is in the store before the next is reported.

    `refresh` computes all of it again. Raises `Interrupted` on Ctrl-C, which loses nothing that was finished.
    """
    keys = [job_keys(job, generator) for job in plan.jobs]
    pending = Pending()
    for job, (key, baseline) in zip(plan.jobs, keys, strict=True):
        pending.requests.setdefault(key, (job.request, job.sample))
        if baseline is not None and job.baseline is not None:
            pending.requests.setdefault(baseline, (job.baseline, 0))
    if not refresh:
        pending.known = store.get(pending.requests)
    found = frozenset(pending.known)
    for progress in complete(pending, generator, store):
        on_progress(progress)
    return [
        Made(
            completion=pending.known[key],
            baseline=pending.known[baseline] if baseline else None,
            from_store=key in found,
        )
        for key, baseline in keys
    ]


def job_keys(job: Job, generator: Generator) -> tuple[bytes, bytes | None]:
    """The store's keys for a job's completion and for its baseline."""
    key = request_key(generator.identity, job.request, job.sample)
    return key, request_key(generator.identity, job.baseline, 0) if job.baseline else None


def complete(pending: Pending, generator: Generator, store: Store) -> Iterator[Progress]:
    """Computes what is missing, and keeps each completion as it comes."""
    missing = pending.missing()
    num_all, num_found, num_tokens = len(pending.requests), len(pending.known), 0
    started, loaded_before = time.perf_counter(), generator.work.load_s

    def progress() -> Progress:
        seconds = time.perf_counter() - started - (generator.work.load_s - loaded_before)
        return Progress(
            num_done=len(pending.known),
            num_all=num_all,
            num_from_store=num_found,
            num_new_tokens=num_tokens,
            seconds=seconds,
        )

    yield progress()
    try:
        for place, completion in generator.generate(requests_of(pending, missing)):
            key = missing[place]
            request, sample = pending.requests[key]
            store.put(key, generator.identity, request, sample, completion)
            pending.known[key] = completion
            num_tokens += completion.num_new_tokens
            yield progress()
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"stopped: {len(pending.known)} of {num_all} completions are kept in {str(store.path)!r}; "
            "the same command goes on from there"
        ) from error


def requests_of(pending: Pending, keys: Sequence[bytes]) -> list[Request]:
    """The requests under these keys."""
    return [pending.requests[key][0] for key in keys]
