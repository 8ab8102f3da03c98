"""Runs a sweep: cells on the same model are followed together, so that what they share is computed once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promptkit.generate import Generator, Work
from promptkit.run.audit import audit
from promptkit.run.course import Course, Followed, follow, start
from promptkit.run.execute import Progress, job_keys
from promptkit.run.folder import claim, run_name
from promptkit.run.missed import Misses
from promptkit.run.models import Models
from promptkit.run.plan import Job
from promptkit.run.prompter import Selection
from promptkit.run.record import Grader, Made, Record
from promptkit.run.run import Settings, execute_stored, run_digest, work_between
from promptkit.run.summary import summary_of
from promptkit.run.sweeps.entrant import Entrant, enter, ids_of, last_course
from promptkit.run.sweeps.folder import write_sweep
from promptkit.run.sweeps.racing import Dropped, check_race, in_order, run_race
from promptkit.run.sweeps.run import CellRun, SweepRun, sweep_summary
from promptkit.run.sweeps.sweep import Sweep
from promptkit.run.table import columns_of

__all__ = ["run_sweep"]

Watch = Callable[[Callable[[], Progress]], None]


@dataclass(slots=True, kw_only=True)
class Executor:
    """Executes jobs on a model, and keeps the keys of what this sweep computed: to a cell, that is not from the store."""

    settings: Settings
    model: Generator
    watch: Watch
    before: Work
    misses: Misses
    computed: set[bytes] = field(default_factory=set)

    def work(self) -> dict[str, float]:
        """What the model has done since."""
        return work_between(self.before, self.model.work)

    def __call__(self, jobs: Sequence[Job]) -> list[Made]:
        """What was made of each job. What this sweep has computed once is not refreshed again."""
        keys = [job_keys(job, self.model)[0] for job in jobs]
        again = replace(self.settings, refresh=self.settings.refresh and not self.computed.issuperset(keys))
        made = execute_stored(jobs, again, self.model, self.watch, self.misses)
        self.computed.update(key for key, each in zip(keys, made, strict=True) if not each.from_store)
        return [replace(each, from_store=key not in self.computed) for key, each in zip(keys, made, strict=True)]


def run_sweep(
    sweep: Sweep,
    settings: Settings,
    watch: Watch = lambda _: None,
    *,
    models: Models | None = None,
    is_written: bool = True,
) -> SweepRun:
    """The finished sweep. Every cell is planned before anything is computed; `PromptkitError` tells what is wrong."""
    started = time.perf_counter()
    if not is_written:
        return compute(sweep, settings, watch, models or Models(settings.loading), started)
    with claim(settings.out) as partial:
        done = compute(sweep, settings, watch, models or Models(settings.loading), started)
        folder = settings.out / run_name(sweep.name, "sweep", done.summary["digest"])
        summary = {"run": str(folder), **done.summary}
        samples = [(each.summary, each.rows) for each in done.cells]
        fitting = [(each.summary, each.fitting_rows) for each in done.cells]
        write_sweep(partial, folder, summary, samples, fitting)
    cells = tuple(replace(each, folder=folder / str(each.cell.number)) for each in done.cells)
    return replace(done, folder=folder, summary=summary, cells=cells)


def compute(sweep: Sweep, settings: Settings, watch: Watch, models: Models, started: float) -> SweepRun:
    """The sweep, not yet written."""
    before = models.work()
    entrants = enter(sweep, settings, models)
    executors = executors_of(entrants, settings, watch, before)
    dropped = race(sweep, entrants, executors, settings.selection, models) if sweep.race else {}
    courses = [last_course(each, dropped.get(each.cell.number), settings.selection) for each in entrants]
    followed = together(entrants, courses, executors, models.turn_to)
    worked = [
        {
            "model": each.model.name,
            **each.work(),
            "identity": dict(each.model.identity),
            "missed": each.misses.to_json(),
        }
        for each in executors
    ]
    counts = counted(entrants, followed, executors)
    cells = [
        cell_run(entrant, each, count, dropped.get(entrant.cell.number))
        for entrant, each, count in zip(entrants, followed, counts, strict=True)
    ]
    took = timing(executors, cells, started)
    if settings.num_audited:  # last: what it computes is no part of the sweep's work
        cells = audited(cells, entrants, followed, settings.num_audited, models)
    cells.sort(key=lambda each: each.cell.number)
    summary = {**sweep_summary(sweep, cells, settings), "timing": took, "models": worked}
    records = [record for cell in cells for record in cell.records]
    return SweepRun(folder=None, summary=summary, records=records, cells=tuple(cells))


def executors_of(
    entrants: Iterable[Entrant], settings: Settings, watch: Watch, before: Mapping[int, Work]
) -> list[Executor]:
    """What executes jobs, one for each model, in the order in which models come.

    `before` is what models had done before the sweep, by their ids: what demonstrations asked them is its work, too.
    """
    models = {id(each.model): each.model for each in entrants}
    return [
        Executor(settings=settings, model=model, watch=watch, before=before.get(key, Work()), misses=Misses())
        for key, model in models.items()
    ]


def together(
    entrants: Sequence[Entrant],
    courses: Sequence[Course],
    executors: Sequence[Executor],
    turn: Callable[[Generator], None],
) -> list[Followed]:
    """Each course to its end: all of one model together, models one after another; in the order of the entrants.

    `turn` is told each model before its turn.
    """
    done: dict[int, Followed] = {}
    for executor in executors:
        places = [place for place, each in enumerate(entrants) if each.model is executor.model]
        if places:
            turn(executor.model)
            done |= zip(places, follow([courses[place] for place in places], executor, executor.model), strict=True)
    return [done[place] for place in range(len(entrants))]


def race(
    sweep: Sweep,
    entrants: Sequence[Entrant],
    executors: Sequence[Executor],
    selection: Selection,
    models: Models,
) -> dict[int, Dropped]:
    """The cells that a race drops. Models take turns in every round; all stay loaded where they are small."""
    assert sweep.race is not None
    may_stay = models.may_stay([each.model for each in executors])
    by_number = {each.cell.number: each for each in entrants}
    ids = {number: ids_of(each, selection) for number, each in by_number.items()}
    check_race(sweep, ids)

    def turn(model: Generator) -> None:
        if not may_stay:
            models.turn_to(model)

    def run_round(live: Sequence[int], asked: frozenset[str]) -> list[list[Record]]:
        running = [by_number[number] for number in live]
        courses = [
            start(each.cell.pipeline, replace(selection, only=asked), each.model, each.frozen) for each in running
        ]
        return [each.records for each in together(running, courses, executors, turn)]

    return run_race(sweep, in_order(ids[sweep.cells[0].number], sweep.race, sweep.seed), run_round)


def counted(
    entrants: Sequence[Entrant], followed: Sequence[Followed], executors: Sequence[Executor]
) -> list[dict[str, int]]:
    """How many completions of each cell were computed for it, shared with a cell before it, or kept from before."""
    computed = {id(executor.model): executor.computed for executor in executors}
    taken: dict[int, set[bytes]] = {key: set() for key in computed}
    counts = []
    for entrant, each in zip(entrants, followed, strict=True):
        count = {"computed": 0, "shared": 0, "from_store": 0}
        for key in (job_keys(job, entrant.model)[0] for job in each.jobs):
            known = taken[id(entrant.model)]
            is_new = key in computed[id(entrant.model)]
            count["from_store" if not is_new else "shared" if key in known else "computed"] += 1
            known.add(key)
        counts.append(count)
    return counts


def cell_run(entrant: Entrant, followed: Followed, count: Mapping[str, int], dropped: Dropped | None) -> CellRun:
    """What came of a cell. Its digest is that of the same pipeline run by itself."""
    cell, pipeline, grader = entrant.cell, entrant.cell.pipeline, Grader.of(entrant.cell.pipeline)
    made = list(zip(followed.jobs, followed.made, strict=True))
    summary = {
        "cell": cell.number,
        "settings": dict(cell.settings),
        **summary_of(pipeline, followed.records),
        "prompt_tokens": sum(len(job.request.token_ids) for job in followed.jobs),
        "new_tokens": sum(each.completion.num_new_tokens for each in followed.made),
        "completions": dict(count),
        "digest": run_digest(pipeline, followed.jobs, entrant.model),
        "formats": list(pipeline.formats),
        "declaration": pipeline.plain,
        "folder": str(pipeline.folder),
        "columns": columns_of(record.to_row() for record in followed.records),
    }
    if dropped:
        summary |= {"dropped_after": len(dropped.seen), "dropped_for": dropped.best, "p_value": dropped.p_value}
    fitting = [grader.record(job, each) for job, each in made if job.is_fitting]
    return CellRun(folder=None, summary=summary, records=followed.records, fitting=fitting, cell=cell)


def audited(
    cells: Sequence[CellRun], entrants: Sequence[Entrant], followed: Sequence[Followed], num_rows: int, models: Models
) -> list[CellRun]:
    """The cells, in the order of the entrants, each with the audit of some of its rows."""
    done = []
    for cell, entrant, each in zip(cells, entrants, followed, strict=True):
        models.turn_to(entrant.model)
        found = audit(each.jobs, each.made, entrant.model, Grader.of(entrant.cell.pipeline), num_rows)
        done.append(replace(cell, summary={**cell.summary, "audit": found}))
    return done


def timing(executors: Sequence[Executor], cells: Sequence[CellRun], started: float) -> dict[str, float]:
    """The work of all models, and how long the sweep took."""
    works = [executor.work() for executor in executors]
    return {
        **{name: round(sum(work[name] for work in works), 3) for name in works[0]},
        "total_s": round(time.perf_counter() - started, 3),
        "prompt_tokens": sum(cell.summary["prompt_tokens"] for cell in cells),
        "new_tokens": sum(cell.summary["new_tokens"] for cell in cells),
    }
