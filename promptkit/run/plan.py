"""The plan of a run: every prompt and every request, made before any model is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from promptkit.align import Answer, Chain, LabelMap
from promptkit.data import Example, read_split, target_of
from promptkit.errors import DataError
from promptkit.generate import (
    Generator,
    Request,
    Tokenizer,
)
from promptkit.prompt import Frozen, Prompt
from promptkit.run.asking import Asker, make_asker
from promptkit.run.pipeline import Pipeline
from promptkit.run.prompter import Prompter, Selection, make_prompter, read_examples
from promptkit.run.requests import choice_parts, options_request, text_request

__all__ = ["Job", "Plan", "make_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One completion to make: the example, its prompt, the request, and what a right answer is.

    `options` are the options without their lead; `asked` scores them after other prompts, by what was asked.
    `is_fitting` says that the example is a solved row that a step of O is fitted on, and no row of the run. `part` is
    what part of a run it belongs to, for people; empty where the run has only one. `place` says, beside example and
    sample, which call of which pipeline it is, whatever is asked there; empty where it is no call of the pipeline's own.
    """

    example: Example
    prompt: Prompt
    request: Request
    sample: int = 0
    target: Any = None
    aligned_target: Any = None
    options: tuple[str, ...] = ()
    asked: Mapping[str, Request] = field(default_factory=dict)
    is_fitting: bool = False
    part: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every job of a run, in the order of the data; after them those that a step of O is fitted on."""

    pipeline: Pipeline
    selection: Selection
    jobs: tuple[Job, ...]

    @property
    def num_examples(self) -> int:
        """How many examples there are; each may have several samples."""
        return len({job.example.id for job in self.jobs if not job.is_fitting})


def make_plan(pipeline: Pipeline, selection: Selection, generator: Generator, frozen: Frozen | None = None) -> Plan:
    """Every request of the run, tokenised. Nothing is generated, and no weights are read, but for what `frozen` is asked."""
    examples = read_examples(pipeline, selection)
    return plan_for(pipeline, selection, generator, examples, frozen)


def plan_for(
    pipeline: Pipeline,
    selection: Selection,
    generator: Generator,
    examples: Sequence[Example],
    frozen: Frozen | None = None,
) -> Plan:
    """The same for these examples. `frozen` answers a choice of demonstrations that asks the model."""
    tokenizer = generator.tokenizer
    prompter = make_prompter(pipeline, selection, tokenizer, examples, frozen).within(generator)
    asked = selection.asked(examples)
    asker = make_asker(pipeline, prompter, asked)
    jobs: list[Job] = []
    for example in asked:
        prompt = prompter.prompt(example)
        target = targets(pipeline, example)
        made = jobs_of(pipeline, example, prompt, tokenizer, target=target)
        jobs += [with_asked(each, asker, pipeline, tokenizer) for each in made] if asker else made
    jobs += fitting_jobs(prompter, selection, tokenizer)
    return Plan(pipeline=pipeline, selection=selection, jobs=tuple(jobs))


def with_asked(
    job: Job, asker: Asker, pipeline: Pipeline, tokenizer: Tokenizer | None, example: Example | None = None
) -> Job:
    """The job with the requests for what the first step of O asks beside its prompt.

    `example` is the job's as the data has it, where its prompt sees more fields than these.
    """
    choose = pipeline.declaration.choose
    assert choose is not None
    ask = partial(options_request, choose, job.example, options=job.options, tokenizer=tokenizer)
    asked = asker.requests(example or job.example, job.options, ask, job.example.fields)
    return replace(job, asked={**job.asked, **asked})


def fitting_jobs(prompter: Prompter, selection: Selection, tokenizer: Tokenizer | None) -> list[Job]:
    """The jobs that score the options of the solved rows which a step of O is fitted on, where it is fitted on some."""
    pipeline = prompter.pipeline
    data, step = pipeline.declaration.data, pipeline.weighing
    if pipeline.declaration.choose is None or data is None or not isinstance(step, LabelMap):
        return []
    rows = read_split(data, step.source, data_folder=selection.data_folder)
    solved = [rows[number] for number in step.drawn([row.id for row in rows])]
    jobs = [job for row in solved for job in jobs_of(pipeline, row, prompter.prompt(row), tokenizer)]
    return [replace(job, target=target_of(data, job.example), is_fitting=True) for job in jobs]


def jobs_of(  # noqa: PLR0913 - what a request is made of
    pipeline: Pipeline,
    example: Example,
    prompt: Prompt,
    tokenizer: Tokenizer | None,
    *,
    target: tuple[Any, Any] = (None, None),
    samples: Sequence[int] | None = None,
    purpose: str = "",
) -> list[Job]:
    """The jobs of one prompt: one that scores its options, or one for each sample.

    `target` is what a right answer is, as the data says it and as the chain writes it. `purpose` parts the seeds of
    several requests for one sample.
    """
    place = f"{pipeline.name}\0{purpose}"
    job = partial(Job, example=example, prompt=prompt, target=target[0], aligned_target=target[1], place=place)
    if pipeline.declaration.choose is not None:
        choice = choice_parts(pipeline.declaration.choose, example, prompt, tokenizer)
        check_is_offered(pipeline, example, choice["options"], *target)
        return [job(sample=samples[0] if samples else 0, **choice)]
    numbers = range(pipeline.generate.samples) if samples is None else samples
    return [
        job(sample=number, request=text_request(pipeline, example, prompt, tokenizer, number, purpose))
        for number in numbers
    ]


def targets(pipeline: Pipeline, example: Example) -> tuple[Any, Any]:
    """What a right answer is, as the data says it and as the align chain would write it."""
    assert pipeline.declaration.data is not None
    target = target_of(pipeline.declaration.data, example)
    return target, align_target(pipeline.chain, target, example)


def align_target(chain: Chain, target: Any, example: Example) -> Any:
    """The target as the chain would write it. Raises `DataError` where no completion could ever give it."""
    try:
        return chain.align_target(target, example.fields)
    except ValueError as error:
        raise DataError(f"{example.origin}: no completion could give the target {target!r}: {error}") from error


def check_is_offered(pipeline: Pipeline, example: Example, options: Sequence[str], target: Any, aligned: Any) -> None:
    """Nothing; or `DataError` where no option that the model may choose could score anything."""
    if pipeline.chain.reads_scores:  # its answer is no option
        return
    outcomes = [pipeline.chain.align(option, fields=example.fields, ended="scored") for option in options]
    answers = [outcome.value for outcome in outcomes if isinstance(outcome, Answer)]
    if aligned is not None and not any(metric(each, aligned) for metric in pipeline.metrics for each in answers):
        shown = ", ".join(map(repr, options))
        raise DataError(f"{example.origin}: none of the options is the target {target!r}: {shown}")
