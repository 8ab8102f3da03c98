"""Executes jobs: from the store what is there, from the model what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from promptkit.errors import Interrupted
from promptkit.generate import Completion, Generator, Request
from promptkit.run.missed import Missed, why_missed
from promptkit.run.places import Entry, Parts, digest, parts_of
from promptkit.run.plan import Job
from promptkit.run.record import Made
from promptkit.run.store import Store, described, request_key

__all__ = ["Pending", "Progress", "execute", "job_keys", "missed_of", "pending_of"]


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
    """Distinct requests, by key, and the completions known so far; the parts of a run that want them.

    `placed` are places of pipelines with the keys that are asked there.
    """

    requests: dict[bytes, tuple[Request, int]] = field(default_factory=dict)
    known: dict[bytes, Completion] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    placed: dict[tuple[bytes, bytes], None] = field(default_factory=dict)
    told: dict[bytes, Parts] = field(default_factory=dict)  # the parts of a key, once looked at

    def missing(self) -> list[bytes]:
        """The keys without a completion."""
        return [key for key in self.requests if key not in self.known]

    def entry(self, place: bytes, key: bytes) -> Entry:
        """What is asked at a place, part by part."""
        if key not in self.told:
            self.told[key] = parts_of(described(*self.requests[key]))
        return Entry(place=place, key=key, parts=self.told[key])


def execute(  # noqa: PLR0913 - who watches, and who is told, are none of the run's own values
    jobs: Sequence[Job],
    generator: Generator,
    store: Store,
    watch: Callable[[Callable[[], Progress]], None] = lambda _: None,
    *,
    refresh: bool = False,
    tell: Callable[[Sequence[Missed]], None] = lambda _: None,
) -> list[Made]:
    """What was made for every job, in their order. Each completion is in the store before the next is counted.

    `watch` is given what tells how far the run is, whenever it is asked and from any thread; at the end, the last
    state for good. `refresh` computes all of it again. `tell` is told why the store does not hold what it does not.
    Raises `Interrupted` on Ctrl-C, which loses nothing that was finished.
    """
    keys = [job_keys(job, generator) for job in jobs]
    pending = pending_of(jobs, generator, keys)
    if not refresh:
        pending.known = store.get(pending.requests)
        tell(missed_of(pending, generator, store))
    with store.places("written") as places:
        new = [each for each in pending.placed if not places.was_asked(*each)]
        if new:
            places.note(generator.identity, [pending.entry(*each) for each in new])
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


def pending_of(jobs: Sequence[Job], generator: Generator, keys: Sequence[tuple[bytes, dict[str, bytes]]]) -> Pending:
    """All that jobs with these keys ask for, nothing of it known yet."""
    pending = Pending(parts=tuple(dict.fromkeys(job.part for job in jobs if job.part)))
    for job, (key, asked) in zip(jobs, keys, strict=True):
        pending.requests.setdefault(key, (job.request, job.sample))
        for name, other in asked.items():
            pending.requests.setdefault(other, (job.asked[name], 0))
        if job.place:
            for name, other in {"": key, **asked}.items():
                pending.placed[place_of(job, generator, name), other] = None
    return pending


def place_of(job: Job, generator: Generator, asked: str) -> bytes:
    """Where a job stands, whatever it asks: the same tomorrow, on another dtype, and with another prompt."""
    return digest(f"{generator.name}\0{job.place}\0{job.example.id}\0{job.sample}\0{job.is_fitting}\0{asked}")


def missed_of(pending: Pending, generator: Generator, store: Store) -> list[Missed]:
    """Why the store does not hold what it does not, as far as that was asked at a place of a pipeline."""
    first = {key: place for place, key in reversed(pending.placed)}
    missing = [key for key in pending.missing() if key in first]
    if not missing:
        return []
    asked = ((pending.entry(first[key], key), pending.requests[key][0]) for key in missing)
    return why_missed(asked, len(pending.requests), generator, store)


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
