"""A pipeline: its declaration, where it was written, and what follows from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from promptkit.align import Chain, DecidingStep, WeighingStep
from promptkit.generate import Generate, ModelDeclaration
from promptkit.generate.local import LocalModel
from promptkit.prompt import Demonstrations
from promptkit.run.constraining import Constraining
from promptkit.run.declaration import BY_STAGE, MATRIX, PipelineDeclaration
from promptkit.run.seats import inner_steps, num_apart
from promptkit.run.stages.stage import stages_in
from promptkit.score import Metric, default_metrics
from promptkit.spec import Node, StepDeclaration, compose, read
from promptkit.text import Position, Problem

__all__ = ["Pipeline", "has_matrix", "load", "pipeline_of", "plain_stages"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        """What a notebook shows: a line, and not the whole declaration."""
        return f"<Pipeline {self.name!r} of {self.file!r}>"

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
        return replace(self, declaration=declaration, plain={**self.plain, "model": name})

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
