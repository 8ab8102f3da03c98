"""What a pipeline's file declares: the sections of the language put together, and whether they fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, Steps
from promptkit.data import DataSection
from promptkit.generate import DEFAULT_MODEL, Choose, Generate, Model
from promptkit.generate.local import LocalModel
from promptkit.prompt import Chat, Demonstrations, PromptStep, PromptSteps
from promptkit.run.examples import CheckedExample
from promptkit.run.pools import check_pools
from promptkit.run.sections import check_fit
from promptkit.run.stages.seats import check_stages
from promptkit.run.stages.stage import Block, Group, placed, stages_in
from promptkit.score import Metrics
from promptkit.spec import Declaration
from promptkit.text import known_names

__all__ = ["BY_STAGE", "MATRIX", "PipelineDeclaration"]

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
            hint = "`stages: null` leaves out those of a file that is extended"
            raise PydanticCustomError("both", message, {"name": f"`{name}`", "at": (name,), "hint": hint})
