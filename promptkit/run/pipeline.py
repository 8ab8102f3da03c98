"""A pipeline: the sections of the language put together, and where they were written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, Chain, DecidingStep, Steps, WeighingStep
from promptkit.data import DataSection
from promptkit.generate import DEFAULT_MODEL, Choose, Generate, Model, ModelDeclaration
from promptkit.generate.local import LocalModel
from promptkit.prompt import Chat, Demonstrations, PromptStep, PromptSteps
from promptkit.run.constraining import Constraining
from promptkit.run.examples import CheckedExample
from promptkit.run.fit import check_fit
from promptkit.run.pools import check_pools
from promptkit.run.seats import inner_steps, num_apart
from promptkit.run.stage import Block, Group, check_stages, placed, stages_in
from promptkit.score import Metric, Metrics, default_metrics
from promptkit.spec import Declaration, Node, StepDeclaration, compose, read
from promptkit.text import Position, Problem, known_names

__all__ = ["MATRIX", "Pipeline", "PipelineDeclaration", "has_matrix", "load", "pipeline_of"]

log = logging.getLogger(__name__)
MATRIX = "matrix"
BY_STAGE = ("prompt", "generate", "choose", "align")  # what a pipeline of stages has in each of them


class PipelineDeclaration(Declaration):
    """ŷ = O ∘ f ∘ I(x), declared: data, prompt, generate (or choose), align, score. A file holds what a verb needs."""

    composed_keys: ClassVar[tuple[str, ...]] = ("extends", "matrix")

    name: str | None = Field(default=None, description="the pipeline's name; the file's if not given")
    about: str = Field(default="", description="what it does and where it comes from")
    model: Model = Field(
        default_factory=LocalModel, description=f"the frozen model: {DEFAULT_MODEL}, a folder, a GGUF file, a hub id"
    )
    chat: Chat = Field(
        default_factory=lambda: Chat(enabled=False),
        description="whether the model's chat template formats the prompt, and how it is asked to",
    )
    data: DataSection | None = Field(
        default=None, description="where the examples come from, and what a right answer is"
    )
    prompt: PromptSteps = Field(default=(), description="I: the pieces of the prompt, in order, byte for byte")
    generate: Generate | None = Field(default=None, description="f as a writer of free text")
    choose: Choose | None = Field(default=None, description="f as a scorer of options")
    align: Steps = Field(default=(), description="O: the chain that turns a completion into an answer")
    stages: tuple[Block, ...] = Field(
        default=(),
        min_length=1,
        description="several calls of the model, each with a prompt, generate or choose, and align of its own",
    )
    score: Metrics = Field(default=(), description="the metrics; exact_match (accuracy with `choose`) if none is named")
    examples: tuple[CheckedExample, ...] = Field(default=(), description="tests of the chain; `check` runs them")

    @model_validator(mode="after")
    def _fits_together(self) -> PipelineDeclaration:
        if self.stages:
            check_alone(self)
            check_stages(self.stages)
        check_fit(self)
        check_examples_stages(self)
        check_pools(self.data, self.prompt_steps(), self.align_steps())
        for at, step in self.prompt_steps():
            has_turns = isinstance(step, Demonstrations) and step.turns is not None
            if (step.is_only_for_chat or has_turns) and not self.chat:
                what = "`turns`" if has_turns else f"the step {step.kind!r}"
                raise PydanticCustomError("chat", "{what} needs `chat: true`", {"what": what, "at": at})
        return self

    def prompt_steps(self) -> Iterator[tuple[tuple[str | int, ...], PromptStep]]:
        """Every step of a prompt with its path."""
        for at, stage in ((), self), *placed(self.stages):
            if not isinstance(stage, Group):
                yield from (((*at, "prompt", number), step) for number, step in enumerate(stage.prompt))

    def align_steps(self) -> Iterator[tuple[tuple[str | int, ...], AlignStep]]:
        """Every step of a chain with its path."""
        for at, stage in ((), self), *placed(self.stages):
            if not isinstance(stage, Group):
                yield from (((*at, "align", number), step) for number, step in enumerate(stage.align))


def check_examples_stages(pipeline: PipelineDeclaration) -> None:
    """Nothing; or the error of an example of a stage that there is not."""
    names = [stage.name for stage in stages_in(pipeline.stages)]
    for number, example in enumerate(pipeline.examples):
        if example.stage is not None and example.stage not in names:
            at = ("examples", number, "stage")
            hint = known_names(example.stage, names) if names else "the pipeline has no stages"
            raise PydanticCustomError(
                "stage", "no stage is called {name}", {"name": repr(example.stage), "at": at, "hint": hint}
            )


def check_alone(pipeline: PipelineDeclaration) -> None:
    """Nothing; or the error of a section beside `stages` that each stage has for itself."""
    for name in BY_STAGE:
        if name in pipeline.model_fields_set and getattr(pipeline, name):
            message = "{name} and `stages`: each stage has its own"
            raise PydanticCustomError("both", message, {"name": f"`{name}`", "at": (name,)})


@dataclass(frozen=True)
class Pipeline:
    """A declaration and where it stands. `plain` is what the files said, composed, as plain data.

    `tree` is the same with the places of keys and values; None for a pipeline that no file says as it is.
    """

    declaration: PipelineDeclaration
    file: str
    folder: Path
    plain: Mapping[str, Any]
    is_stage: bool = False
    tree: Node | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The declared name, or the file's."""
        return self.declaration.name or Path(self.file).stem

    @cached_property
    def stages(self) -> Mapping[str, Pipeline]:
        """Each stage by its name, as a pipeline of its own on the same data and model; empty where there is one call."""
        plain = {name: value for name, value in self.plain.items() if name not in (*BY_STAGE, "stages")}
        blocks = list(stages_in(self.declaration.stages))
        written = plain_stages(self.plain.get("stages", ()))
        return {
            stage.name: Pipeline(
                self.declaration.model_copy(update={**{name: getattr(stage, name) for name in BY_STAGE}, "stages": ()}),
                self.file,
                self.folder,
                {**plain, **each},
                is_stage=True,
            )
            for stage, each in zip(blocks, written, strict=True)
        }

    @property
    def answering(self) -> tuple[str, ...]:
        """The names of the stages that answer an example."""
        stages = list(stages_in(self.declaration.stages))
        return tuple(each.name for each in stages if each.answers) or tuple(each.name for each in stages[-1:])

    @cached_property
    def output(self) -> Pipeline:
        """The pipeline whose chain gives the answer: the last stage that answers, or this one."""
        return self.stages[self.answering[-1]] if self.declaration.stages else self

    @cached_property
    def chain(self) -> Chain:
        """O, as it reads one completion."""
        steps = self.output.declaration.align
        return Chain(steps[:-1] if self.deciding else steps)

    @property
    def answer_chain(self) -> Chain:
        """O, as it reads what follows the thinking, where that is declared; else the same."""
        return Chain(self.chain.steps[num_apart(self.declaration.generate, self.chain.steps) :])

    @property
    def deciding(self) -> DecidingStep | None:
        """The last step of O, where it decides among samples."""
        steps = self.output.declaration.align
        return steps[-1] if steps and isinstance(steps[-1], DecidingStep) else None

    @property
    def weighing(self) -> WeighingStep | None:
        """The first step of O, where it weighs the options of all rows."""
        first = self.declaration.align[0] if self.declaration.align else None
        return first if isinstance(first, WeighingStep) else None

    @property
    def plain_chain(self) -> Sequence[Any]:
        """What the files said of the steps that read one completion."""
        steps = self.output.plain.get("align", [])
        return steps[:-1] if self.deciding and isinstance(steps, list) else steps

    @cached_property
    def named_files(self) -> tuple[str, ...]:
        """What the files say that steps of O name, as text: chains, grammars, schemas, fitted states."""
        chains = [self.declaration.align, *(stage.align for stage in stages_in(self.declaration.stages))]
        steps = [each for chain in chains for step in chain for each in (step, *inner_steps(step))]
        return tuple(step.from_files for step in steps if step.from_files)

    @cached_property
    def formats(self) -> tuple[str, ...]:
        """The words with which its prompt begins a question: a model that writes them goes on to ask itself one."""
        return tuple(dict.fromkeys(filter(None, (step.format() for step in self.output.declaration.prompt))))

    @cached_property
    def constraining(self) -> Constraining | None:
        """What completions must be, where anything is said of it."""
        section = self.generate.constrain
        return Constraining(section, self.chain.steps) if section else None

    @property
    def asks_model(self) -> bool:
        """Whether the choice of demonstrations asks the model."""
        steps = self.declaration.prompt_steps()
        return any(isinstance(step, Demonstrations) and step.asks_model for _, step in steps)

    @property
    def asks_any_model(self) -> bool:
        """Whether the choice of demonstrations asks this model or another."""
        steps = self.declaration.prompt_steps()
        return any(isinstance(step, Demonstrations) and step.asks_any_model for _, step in steps)

    @property
    def metrics(self) -> Sequence[Metric]:
        """The metrics named, or the one that fits how the model is run."""
        return self.declaration.score or default_metrics(chooses=self.output.declaration.choose is not None)

    @property
    def generate(self) -> Generate:
        """How the model writes; the defaults where the file says nothing."""
        return self.declaration.generate or Generate()

    def with_model(self, name: str) -> Pipeline:
        """The same pipeline on another model."""
        declaration = self.declaration.model_copy(update={"model": LocalModel(name=name)})
        return Pipeline(declaration, self.file, self.folder, {**self.plain, "model": name})

    def with_output(self, other: Pipeline) -> Pipeline:
        """The same pipeline with the align and score sections of another."""
        names = ("stages", "score") if other.declaration.stages else ("align", "score")
        update = {name: getattr(other.declaration, name) for name in names}
        plain = {**self.plain, **{name: other.plain.get(name, []) for name in names}}
        if self.declaration.stages and not other.declaration.stages:  # one chain for all of its stages
            update = {**update, "stages": (), "choose": self.output.declaration.choose}
            plain = {**plain, "stages": []}
        return Pipeline(self.declaration.model_copy(update=update), self.file, self.folder, plain)

    def steps(self) -> Iterator[tuple[str, StepDeclaration]]:
        """Every step with its section, in the order in which data flows."""
        model: ModelDeclaration = self.declaration.model
        for each in self.stages.values() or (self,):
            yield from (("prompt", step) for step in each.declaration.prompt)
        yield "model", model
        for each in self.stages.values() or (self,):
            yield from (("align", step) for step in each.declaration.align)

    def position(self, *path: str | int) -> Position | None:
        """Where a part of the pipeline was written; None for one built in Python."""
        value: Any = self.plain
        for part in path:
            value = value[part]
        return getattr(value, "position", None)


def plain_stages(blocks: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """What the files said of each stage, in the order in which they stand."""
    for block in blocks:
        if "stages" in block:
            yield from plain_stages(block["stages"])
        else:
            yield block


def load(name: str | Path, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Pipeline:
    """The pipeline in a file, or the shipped one of that name. Raises `DeclarationError` with every mistake.

    `overrides` are texts `path=value`, laid over what the file says before it is read. A matrix is left aside, and that is
    said: `load_sweep` reads it.
    """
    tree, problems = compose(str(name), overrides)
    if has_matrix(tree):
        log.info("%s: its matrix is left aside: this is the file without it", tree.position.source.name)
    return pipeline_of(tree, problems, allow_code=allow_code)


def has_matrix(tree: Node) -> bool:
    """Whether a file declares a sweep."""
    return isinstance(tree.value, dict) and MATRIX in tree.value and tree.value[MATRIX].node.value is not None


def pipeline_of(tree: Node, problems: Sequence[Problem], *, allow_code: bool) -> Pipeline:
    """The pipeline that a composed tree holds, its matrix left aside. Raises `DeclarationError` with every mistake."""
    if isinstance(tree.value, dict):
        tree = Node({key: entry for key, entry in tree.value.items() if key != MATRIX}, tree.position)
    folder = tree.position.source.folder or Path.cwd()
    context = {"folder": folder, "allow_code": allow_code}
    declaration = read(PipelineDeclaration, tree, problems, context)
    return Pipeline(declaration, tree.position.source.name, folder, tree.plain(), tree=tree)
