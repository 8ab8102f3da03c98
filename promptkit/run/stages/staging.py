"""The course of a pipeline of stages: each stage over all examples at once, then the next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from promptkit.align import Answer, NoAnswer
from promptkit.data import Example, target_of
from promptkit.errors import DataError, RunError, TemplateError
from promptkit.generate import Generator as Model
from promptkit.prompt import Piece
from promptkit.run.asking import make_asker
from promptkit.run.deciding import decide
from promptkit.run.frozen import FrozenModel
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Job, Plan, align_target, jobs_of, with_asked
from promptkit.run.prompter import Prompter, Selection, at_row, make_prompter, read_examples
from promptkit.run.record import Grader, Made, Record
from promptkit.run.stages.stage import Group, Repeat, Stage, stages_in
from promptkit.run.stages.trail import Asked, Passed, Trail
from promptkit.run.stages.weighing import check_replaced, scored_beside
from promptkit.run.weighing import replaced_in, weigh
from promptkit.spec import Template

__all__ = ["staged"]

Going = Generator[Plan, Sequence[Made], None]


def staged(
    pipeline: Pipeline, selection: Selection, model: Model, frozen: FrozenModel | None = None
) -> Generator[Plan, Sequence[Made], list[Record]]:
    """The course of a run over stages. A plan is one stage of all examples that come to it."""
    examples = read_examples(pipeline, selection)
    staging = Staging.of(pipeline, selection, model, examples, frozen)
    trails = [Trail(example) for example in selection.asked(examples)]
    for block in pipeline.declaration.stages:
        trails = staging.spread(block, trails)
        yield from staging.run(block, trails)
    return decide([staging.record(trail) for trail in trails], pipeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What runs stages: of each its prompter and its grader, read once. `kept` stages are continued by others.

    `calls` counts how often each stage was called so far.
    """

    pipeline: Pipeline
    selection: Selection
    model: Model
    prompters: dict[str, Prompter]
    graders: dict[str, Grader]
    kept: frozenset[str]
    calls: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        selection: Selection,
        model: Model,
        examples: Sequence[Example],
        frozen: FrozenModel | None,
    ) -> Staging:
        """The staging of a pipeline over these examples."""
        declared = list(stages_in(pipeline.declaration.stages))
        check_replaced(pipeline, examples)
        return cls(
            pipeline=pipeline,
            selection=selection,
            model=model,
            prompters={
                name: make_prompter(
                    stage, selection, model.tokenizer, examples, frozen and frozen.within(stage)
                ).within(model)
                for name, stage in pipeline.stages.items()
            },
            graders={name: Grader.of(stage) for name, stage in pipeline.stages.items()},
            kept=frozenset(stage.carries_on for stage in declared if stage.carries_on),
        )

    def spread(self, block: Stage | Group, trails: list[Trail]) -> list[Trail]:
        """The trails, once for each sample where the block draws several."""
        num = 1 if isinstance(block, Group) else block.num_samples
        return trails if num == 1 else [each for trail in trails for each in trail.split(num)]

    def run(self, block: Stage | Group, trails: Sequence[Trail]) -> Going:
        """A block over the trails that have not ended."""
        going = [trail for trail in trails if not trail.is_over]
        if block.repeat is not None:
            inside = block.stages if isinstance(block, Group) else (block,)
            yield from self.loop(block.repeat, inside, going)
        elif isinstance(block, Stage):
            yield from self.call(block, going)

    def loop(self, repeat: Repeat, blocks: Sequence[Stage | Group], trails: Sequence[Trail]) -> Going:
        """The blocks, round after round, over the trails whose loop goes on."""
        outside = {id(trail): dict(trail.variables) for trail in trails}
        items = {id(trail): items_of(repeat, trail) for trail in trails}
        going = list(trails)
        for number in range(repeat.max):
            going = [trail for trail in going if items[id(trail)] is None or number < len(items[id(trail)] or ())]
            for trail in going:
                trail.variables["round"] = number
                if (listed := items[id(trail)]) is not None:
                    trail.variables[repeat.name] = listed[number]
            for block in blocks:
                each_going = [trail for trail in going if not trail.is_over]
                if isinstance(block, Group) or (block.repeat is not None and block.repeat is not repeat):
                    yield from self.run(block, each_going)
                else:
                    yield from self.call(block, each_going)
            going = [trail for trail in going if not trail.is_over and not holds(repeat.until, trail)]
        for trail in trails:
            trail.variables = outside[id(trail)]

    def call(self, stage: Stage, trails: Sequence[Trail]) -> Going:
        """One call of the model for each trail for which the stage runs."""
        going = [trail for trail in trails if stage.when is None or holds(stage.when, trail)]
        asked = [self.ask(stage, trail) for trail in going]
        if not asked:
            return
        pipeline, grader = self.pipeline.stages[stage.name], self.graders[stage.name]
        jobs = self.jobs(stage, going, asked)
        made = yield Plan(pipeline=pipeline, selection=self.selection, jobs=jobs)
        graded = [grader.record(job, result) for job, result in zip(jobs, made, strict=True)]
        try:
            records = weigh(graded, [], pipeline, pipeline.formats)
        except RunError as error:
            raise RunError(f"stage {stage.name!r}: {error}") from error
        call = self.calls.setdefault(stage.name, 0)
        self.calls[stage.name] += 1
        replaced = replaced_in(records)
        for trail, each, record in zip(going, asked, records, strict=True):
            passed = Passed(
                stage=stage,
                round=trail.variables.get("round"),
                asked=each,
                record=replace(record, fields=trail.example.fields),
                call=call,
                beside=trail.beside(stage, record.fields, replaced),
            )
            trail.passed.append(passed)

    def jobs(self, stage: Stage, trails: Sequence[Trail], asked: Sequence[Asked]) -> tuple[Job, ...]:
        """The jobs of one call, each with what else its stage asks to weigh options by."""
        jobs = [self.job(stage, trail, each) for trail, each in zip(trails, asked, strict=True)]
        pipeline = self.pipeline.stages[stage.name]
        asker = make_asker(pipeline, self.prompters[stage.name], [job.example for job in jobs])
        if asker is None:
            return tuple(jobs)
        pairs = zip(jobs, trails, strict=True)
        return tuple(with_asked(job, asker, pipeline, self.model.tokenizer, trail.example) for job, trail in pairs)

    def ask(self, stage: Stage, trail: Trail) -> Asked:
        """A stage's prompt for a trail."""
        before = transcript(stage, trail)
        prompt, pieces = self.prompters[stage.name].asked(trail.example, trail.fields(), before)
        return Asked(prompt=prompt, pieces=pieces, num_before=len(before))

    def job(self, stage: Stage, trail: Trail, asked: Asked) -> Job:
        """The one job of a stage for a trail. Rounds and stages draw each with a seed of its own."""
        (job,) = jobs_of(
            self.pipeline.stages[stage.name],
            replace(trail.example, fields=trail.fields()),
            asked.prompt,
            self.model.tokenizer,
            samples=(trail.sample,),
            purpose=f"{stage.name}\0{trail.variables.get('round', 0)}",
        )
        job = replace(job, part=self.part(stage, trail))
        return replace(job, request=replace(job.request, keeps=True)) if stage.name in self.kept else job

    def part(self, stage: Stage, trail: Trail) -> str:
        """Which call it is, in words."""
        names = list(self.pipeline.stages)
        round_number = trail.variables.get("round")
        in_round = "" if round_number is None else f", round {round_number}"
        return f"stage {stage.name} ({names.index(stage.name) + 1} of {len(names)}){in_round}"

    def record(self, trail: Trail) -> Record:
        """What became of a trail: the answer of the last stage that ran and answers, or why there is none."""
        if not trail.passed:
            raise DataError(
                f"{trail.example.origin}: no stage runs for this row: each has a `when` that does not hold, or a `for` over an empty list"
            )
        answering = [each for each in trail.passed if each.stage.name in self.pipeline.answering]
        at = answering[-1] if answering and not trail.is_over else trail.passed[-1]
        outcome = at.record.outcome
        if not answering and isinstance(outcome, Answer):
            outcome = NoAnswer(status="unparsed", step="stages", reason="no stage that answers ran")
        target, aligned = self.target(trail.example)
        weighings = {
            (each.stage.name, each.call): each.record.calibrated.weighing
            for each in trail.passed
            if each.record.calibrated
        }
        record = replace(
            at.record,
            sample=trail.sample,
            outcome=outcome,
            target=target,
            aligned_target=aligned,
            stage=at.stage.name,
            stages=tuple(trail.to_json(at)),
            weighings=weighings,
        )
        return scored_beside(record, self.pipeline)

    def target(self, example: Example) -> tuple[Any, Any]:
        """What a right answer is, as the data says it and as the answering chain would write it."""
        assert self.pipeline.declaration.data is not None
        target = target_of(self.pipeline.declaration.data, example)
        return target, align_target(self.pipeline.chain, target, example)


def transcript(stage: Stage, trail: Trail) -> tuple[Piece, ...]:
    """What a stage's prompt goes on from; nothing for the first round of a stage that goes on from itself."""
    if stage.carries_on is None:
        return ()
    found = trail.last(stage.carries_on)
    if found is None and stage.carries_on != stage.name:
        raise DataError(
            f"{trail.example.origin}: stage {stage.name!r} continues {str(stage.carries_on)!r}, which did not run for this row\n"
            "    a `when` can keep it from running here as well"
        )
    return found.transcript if found else ()


def items_of(repeat: Repeat, trail: Trail) -> list[Any] | None:
    """The items of a loop that goes over a list; None for one that does not."""
    if repeat.over is None:
        return None
    value = rendered(repeat.over.value, trail)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        place = f"{repeat.over.position}: " if repeat.over.position else ""
        raise DataError(f"{place}({trail.example.origin}) `repeat: for` must give a list, not {value!r}")
    return list(value)


def holds(template: Template | None, trail: Trail) -> bool:
    """Whether a condition is true; one that is text is true unless it says nothing, `false` or `no`."""
    if template is None:
        return False
    value = rendered(template.value, trail)
    return value.strip().lower() not in ("", "false", "no", "none") if isinstance(value, str) else bool(value)


def rendered(render: Callable[[dict[str, Any]], Any], trail: Trail) -> Any:
    """What a template gives for a trail. Raises `TemplateError` that names the row."""
    try:
        return render(trail.fields())
    except TemplateError as error:
        raise at_row(error, trail.example) from error
