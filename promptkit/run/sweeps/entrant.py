"""The cells of a sweep as they enter it: each on its open model, with its first plan and its course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from promptkit.errors import PromptkitError, RunError
from promptkit.generate import Generator
from promptkit.run.audit import check_has_reference
from promptkit.run.course import Course, start
from promptkit.run.frozen import FrozenModel
from promptkit.run.models import Models
from promptkit.run.plan import Plan
from promptkit.run.prompter import Selection, read_examples
from promptkit.run.record import Record
from promptkit.run.run import Settings
from promptkit.run.sweeps.racing import Dropped
from promptkit.run.sweeps.sweep import Cell, Sweep

__all__ = ["Entrant", "enter", "ids_of", "last_course"]


@dataclass(slots=True, kw_only=True)
class Entrant:
    """A cell on its open model, and its course, which has handed out its first plan, if it has any.

    `frozen` answers again what the first course has asked for its choice of demonstrations.
    """

    cell: Cell
    model: Generator
    frozen: FrozenModel
    course: Course
    plan: Plan | None


def enter(sweep: Sweep, settings: Settings, models: Models) -> list[Entrant]:
    """Each cell with its first plan, models one after another. Raises `RunError` with the mistakes of all cells."""
    entrants: list[Entrant] = []
    mistakes: dict[str, list[tuple[Cell, PromptkitError]]] = {}
    for cell in sorted(sweep.cells, key=lambda cell: model_rank(sweep, cell)):
        try:
            model = models.open(cell.pipeline.declaration.model)
            models.turn_to(model)  # a choice of demonstrations may ask it
            if settings.num_audited:
                check_has_reference(model)
            frozen = FrozenModel(
                pipeline=cell.pipeline, generator=model, store=settings.store, sentences=models.sentences
            )
            asked = replace(frozen, refresh=settings.refresh)
            course = start(cell.pipeline, settings.selection, model, asked)
            entrants.append(Entrant(cell=cell, model=model, frozen=frozen, course=course, plan=next(course, None)))
        except PromptkitError as error:
            mistakes.setdefault(str(error), []).append((cell, error))
    models.let_sentences_go()
    if mistakes:
        raise mistaken(sweep, list(mistakes.values()))
    return entrants


def model_rank(sweep: Sweep, cell: Cell) -> int:
    """Where the cell's model first stands among the cells."""
    declared = [each.pipeline.declaration.model for each in sweep.cells]
    return declared.index(cell.pipeline.declaration.model)


def mistaken(sweep: Sweep, found: Sequence[Sequence[tuple[Cell, PromptkitError]]]) -> PromptkitError:
    """What to raise for mistakes that plans have: each once, with the cells that make it."""
    if len(found) == 1 and len(found[0]) == len(sweep.cells):
        return found[0][0][1]  # what is wrong in every cell is no matter of cells
    return RunError("\n".join(f"{in_cells([cell for cell, _ in each])}: {each[0][1]}" for each in found))


def in_cells(cells: Sequence[Cell]) -> str:
    """Cells in words, the first of them with its settings."""
    shown = ", ".join(f"{path}: {value!r}" for path, value in cells[0].settings.items())
    more = f", and {len(cells) - 1} more" if len(cells) > 1 else ""
    return f"cell {cells[0].number} ({shown}){more}"


def ids_of(entrant: Entrant, selection: Selection) -> list[str]:
    """The ids of the examples that a cell is asked about."""
    return [example.id for example in read_examples(entrant.cell.pipeline, selection)]


def last_course(entrant: Entrant, dropped: Dropped | None, selection: Selection) -> Course:
    """The course that makes a cell's records: over all examples, or over those that it saw."""
    if dropped is None and entrant.plan is not None:
        return begun(entrant.course, entrant.plan)
    seen = dropped.seen if dropped else None
    return start(entrant.cell.pipeline, replace(selection, only=seen), entrant.model, entrant.frozen)


def begun(course: Course, plan: Plan) -> Course:
    """The same course, whose first plan is known already."""
    while True:
        made = yield plan
        try:
            plan = course.send(made)
        except StopIteration as stop:
            records: list[Record] = stop.value
            return records
