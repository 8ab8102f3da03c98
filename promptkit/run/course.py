"""The course of a run: it hands out plans to be executed, is sent what was made, and ends with the records.

Who executes the plans sees those of several runs at once, so that what their prompts share is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from promptkit.generate import Generator as Model
from promptkit.generate import Keeping
from promptkit.run.deciding import decide
from promptkit.run.frozen import FrozenModel
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job, Plan, make_plan
from promptkit.run.prompter import Selection
from promptkit.run.record import Grader, Made, Record
from promptkit.run.stages.staging import staged
from promptkit.run.weighing import weigh

__all__ = ["Course", "Followed", "follow", "start"]

Course = Generator[Plan, Sequence[Made], list[Record]]


def start(pipeline: Pipeline, selection: Selection, model: Model, frozen: FrozenModel | None = None) -> Course:
    """The course of a pipeline's run on a model that is open. `frozen` answers a choice of demonstrations that asks it."""
    way = staged if pipeline.declaration.stages else single
    return way(pipeline, selection, model, frozen)


def single(pipeline: Pipeline, selection: Selection, model: Model, frozen: FrozenModel | None = None) -> Course:
    """The course of a run with one call of the model."""
    plan = make_plan(pipeline, selection, model, frozen)
    made = yield plan
    grader = Grader.of(pipeline)
    pairs = list(zip(plan.jobs, made, strict=True))
    records = [grader.record(job, each) for job, each in pairs if not job.is_fitting]
    fitting = [grader.record(job, each) for job, each in pairs if job.is_fitting]
    return decide(weigh(records, fitting, pipeline, pipeline.formats), pipeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A course to its end: what was executed for it, in order, and its records."""

    jobs: list[Job] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


def follow(
    courses: Sequence[Course], execute: Callable[[Sequence[Job]], Sequence[Made]], model: Model
) -> list[Followed]:
    """Each course to its end, on a model that is open. The jobs of all that go on are executed together, course by course.

    What the model kept for later stages goes with the last.
    """
    try:
        return follow_all(courses, execute)
    finally:
        if isinstance(model, Keeping):
            model.let_go()


def follow_all(courses: Sequence[Course], execute: Callable[[Sequence[Job]], Sequence[Made]]) -> list[Followed]:
    """The same, by one plan of each after the other."""
    followed = [Followed() for _ in courses]
    going = list(zip(courses, followed, strict=True))
    sent: list[Sequence[Made] | None] = [None] * len(courses)
    while going:
        plans = [go_on(course, last, each.records) for (course, each), last in zip(going, sent, strict=True)]
        going = [each for each, plan in zip(going, plans, strict=True) if plan is not None]
        asked = [list(plan.jobs) for plan in plans if plan is not None]
        made = iter(execute([job for jobs in asked for job in jobs]) if asked else ())
        sent = [list(islice(made, len(jobs))) for jobs in asked]
        for (_, each), jobs, results in zip(going, asked, sent, strict=True):
            each.jobs.extend(jobs)
            each.made.extend(results or ())
    return followed


def go_on(course: Course, made: Sequence[Made] | None, records: list[Record]) -> Plan | None:
    """The course's next plan; None at its end, when its records are put into `records`."""
    try:
        return next(course) if made is None else course.send(made)
    except StopIteration as stop:
        records.extend(stop.value)
        return None
