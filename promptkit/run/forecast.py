"""What a run would do, said without doing it: nothing is computed, and no weights are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from promptkit.errors import ModelError, NotEnoughMemory
from promptkit.generate import Generator, Request, Tokenizer
from promptkit.generate.engine.forecast import Expected, Forecast, Shared
from promptkit.generate.engine.memory import MemoryPlan
from promptkit.generate.local_generator import LocalGenerator, needed_tokens
from promptkit.generate.speed import Speed
from promptkit.run.course import start
from promptkit.run.execute import job_keys, missed_of, pending_of
from promptkit.run.frozen import FrozenModel
from promptkit.run.missed import Missed
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Plan
from promptkit.run.run import Settings
from promptkit.run.segments import SegmentTokens, count_segments
from promptkit.run.stages.later import LaterStage, later_stages
from promptkit.run.store import Store, default_store

__all__ = ["RunForecast", "SharedText", "forecast_run"]

NUM_NAMED = 3  # requests that do not fit, and are named
SHOWN_TOKENS = 16  # of a stretch's beginning, and of its end


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedText:
    """A shared stretch as people read it: the text that it begins and ends with."""

    num_tokens: int
    num_rows: int
    level: int
    begins: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunForecast:
    """What a run of a pipeline would take. `memory` is None where it does not fit; `no_memory` then says why.

    `num_from_store` requests are in the store already; `work` speaks of the others that fit the context. `too_long`
    names the first of those that do not. `missed` says why the others are not in the store. `segments` counts the prompts of all examples, kept or not. `later` says
    what stages do at most whose prompts follow from what earlier ones write: `expected` counts what they write, and not
    what they read.
    `num_left_out` examples would have been shown rows that leak, `num_dropped` lost demonstrations so that the prompt fits.
    `asks_model` says that the choice of demonstrations asked the model: what it answered is in the store.
    """

    pipeline: str
    model: str
    dtype: str
    num_examples: int
    num_requests: int
    num_from_store: int
    asks_model: bool
    work: Forecast
    segments: tuple[SegmentTokens, ...]
    shared: tuple[SharedText, ...]
    context_length: int | None
    num_left_out: int
    num_dropped: int
    num_too_long: int
    too_long: tuple[str, ...]
    bytes_per_token: int | None
    memory: MemoryPlan | None
    no_memory: str
    speed: Speed | None
    expected: Expected | None
    later: tuple[LaterStage, ...] = ()
    missed: tuple[Missed, ...] = ()

    def with_later(self, later: tuple[LaterStage, ...]) -> RunForecast:
        """The same with what stages do after the plans."""
        num = sum(each.max_new_tokens for each in later)
        return replace(self, later=later, expected=self.work.expected(self.speed, num) if self.speed else None)

    @property
    def max_new_tokens(self) -> int:
        """The most that all stages write."""
        return self.work.max_new_tokens + sum(each.max_new_tokens for each in self.later)

    @property
    def fits(self) -> bool:
        """Whether `run` would begin to compute."""
        return not self.num_too_long and not self.no_memory

    def to_json(self) -> dict[str, Any]:
        """The forecast as JSON values."""
        work = {name: value for name, value in asdict(self.work).items() if name != "largest"}
        return {
            **{name: getattr(self, name) for name in ("pipeline", "model", "dtype", "num_examples", "num_requests")},
            "num_from_store": self.num_from_store,
            "missed": [each.to_json() for each in self.missed],
            "asks_model": self.asks_model,
            "work": {**work, "sharing": round(self.work.sharing, 3)},
            "segments": [each.to_json() for each in self.segments],
            "shared": [asdict(each) for each in self.shared],
            "context_length": self.context_length,
            "num_left_out": self.num_left_out,
            "num_dropped": self.num_dropped,
            "num_too_long": self.num_too_long,
            "too_long": list(self.too_long),
            "bytes_per_token": self.bytes_per_token,
            "memory": self.memory.to_json() if self.memory else None,
            "no_memory": self.no_memory or None,
            "speed": asdict(self.speed) if self.speed else None,
            "expected": asdict(self.expected) if self.expected else None,
            "fits": self.fits,
            "later": [asdict(each) for each in self.later],
        }


def forecast_run(
    pipeline: Pipeline, settings: Settings, *, generator: Generator | None = None, calibrate: bool = False
) -> RunForecast:
    """The forecast. `calibrate` loads the model and measures its speed on a few of the requests.

    Raises `ModelError` where the model's tokenizer is not here: tokens cannot be counted then.
    """
    opened = generator or pipeline.declaration.model.open(settings.loading)
    plan = first_plan(pipeline, settings, opened)
    later = later_stages(pipeline, plan, opened.tokenizer)
    return forecast_plans(pipeline, [plan], opened, settings, calibrate=calibrate).with_later(later)


def forecast_plans(
    pipeline: Pipeline, plans: Sequence[Plan], opened: Generator, settings: Settings, *, calibrate: bool = False
) -> RunForecast:
    """The forecast of plans that are executed together on one model, of a pipeline or of variants of it."""
    tokenizer = opened.tokenizer
    if tokenizer is None:
        raise ModelError(f"model {opened.name!r}: its tokenizer is not here, so its tokens cannot be counted")
    distinct, missing, missed = requests_of(plans, opened, settings)
    context = opened.context_length
    too_long = [each for each in missing if context is not None and needed_tokens(each) > context]
    fitting = [each for each in missing if context is None or needed_tokens(each) <= context]
    work = Forecast.of(fitting)
    memory, no_memory = memory_of(opened, fitting)
    speed = speed_of(opened, fitting, calibrate=calibrate)
    return RunForecast(
        pipeline=pipeline.name,
        model=opened.name,
        dtype=str(opened.identity.get("dtype", "")),
        num_examples=max((plan.num_examples for plan in plans), default=0),
        num_requests=distinct,
        num_from_store=distinct - len(missing),
        missed=tuple(missed),
        asks_model=pipeline.asks_model or any(plan.pipeline.asks_model for plan in plans),
        work=work,
        segments=count_segments([job.prompt for plan in plans for job in plan.jobs if job.sample == 0], tokenizer),
        shared=tuple(shared_text(each, tokenizer) for each in work.largest),
        context_length=context,
        num_left_out=len({job.example.id for plan in plans for job in plan.jobs if job.prompt.shown.left_out}),
        num_dropped=len({job.example.id for plan in plans for job in plan.jobs if job.prompt.shown.dropped}),
        num_too_long=len(too_long),
        too_long=tuple(f"{each.label}: {needed_tokens(each):,} tokens" for each in too_long[:NUM_NAMED]),
        bytes_per_token=opened.shape.bytes_per_token if isinstance(opened, LocalGenerator) else None,
        memory=memory,
        no_memory=no_memory,
        speed=speed,
        expected=work.expected(speed) if speed else None,
    )


def first_plan(pipeline: Pipeline, settings: Settings, generator: Generator) -> Plan:
    """All that a run asks, or what the first of its stages does: what later ones ask follows from what is written."""
    frozen = FrozenModel(pipeline=pipeline, generator=generator, store=settings.store)
    course = start(pipeline, settings.selection, generator, frozen)
    plan = next(course)
    course.close()
    return plan


def requests_of(
    plans: Sequence[Plan], generator: Generator, settings: Settings
) -> tuple[int, list[Request], list[Missed]]:
    """How many distinct requests the plans have, those that the store does not hold, and why it does not."""
    jobs = [job for plan in plans for job in plan.jobs]
    pending = pending_of(jobs, generator, [job_keys(job, generator) for job in jobs])
    path, missed = settings.store or default_store(), []
    if not settings.refresh and path.exists():
        with Store(path) as store:
            pending.known = store.get(pending.requests)
            missed = missed_of(pending, generator, store)
    return len(pending.requests), [pending.requests[key][0] for key in pending.missing()], missed


def memory_of(generator: Generator, requests: Sequence[Request]) -> tuple[MemoryPlan | None, str]:
    """The memory plan, and why there is none where it does not fit; neither for a model that is not computed here."""
    if not isinstance(generator, LocalGenerator) or not requests:
        return None, ""
    try:
        return generator.memory_plan(requests), ""
    except NotEnoughMemory as error:
        return None, str(error)


def speed_of(generator: Generator, requests: Sequence[Request], *, calibrate: bool) -> Speed | None:
    """The speed of a local model, measured now or by an earlier run."""
    if not isinstance(generator, LocalGenerator):
        return None
    return generator.calibrate(requests) if calibrate and requests else generator.speed


def shared_text(shared: Shared, tokenizer: Tokenizer) -> SharedText:
    """A shared stretch with its text; the end is empty where the beginning shows it all."""
    ids = shared.token_ids
    is_short = len(ids) <= 2 * SHOWN_TOKENS
    return SharedText(
        num_tokens=len(ids),
        num_rows=shared.num_rows,
        level=shared.level,
        begins=tokenizer.decode(ids if is_short else ids[:SHOWN_TOKENS]),
        ends="" if is_short else tokenizer.decode(ids[-SHOWN_TOKENS:]),
    )
