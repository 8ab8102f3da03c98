"""A pipeline: the sections of the language put together, and where they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from promptkit.align import AlignStep, Chain, DecidingStep, Steps
from promptkit.data import DataSection
from promptkit.errors import GrammarError
from promptkit.generate import (
    DEFAULT_MODEL,
    Choose,
    Constrain,
    Generate,
    Model,
    ModelDeclaration,
    NotConstrained,
)
from promptkit.generate.local import LocalModel
from promptkit.prompt import Demonstrations, PromptSteps
from promptkit.run.constraining import Constraining
from promptkit.run.examples import CheckedExample
from promptkit.run.seats import check_seats, inner_steps
from promptkit.score import Metric, Metrics, default_metrics
from promptkit.spec import Declaration, StepDeclaration, compose, read
from promptkit.text import Position

__all__ = ["Pipeline", "PipelineDeclaration", "load"]

LATER = {
    "stages": "several stages are not built yet; this version runs pipelines of one stage",
    "matrix": "sweeps are not built yet; `--set path=value` runs one variant at a time",
}
SETTLES = "`regex` and `number` with `take: first` can know it, with `strip` before them and any step after them"


class PipelineDeclaration(Declaration):
    """ŷ = O ∘ f ∘ I(x), declared: data, prompt, generate (or choose), align, score. A file holds what a verb needs."""

    composed_keys: ClassVar[tuple[str, ...]] = ("extends",)

    name: str | None = Field(default=None, description="the pipeline's name; the file's if not given")
    about: str = Field(default="", description="what it does and where it comes from")
    model: Model = Field(
        default_factory=LocalModel, description=f"the frozen model: {DEFAULT_MODEL}, a folder, a GGUF file, a hub id"
    )
    chat: bool = Field(default=False, strict=True, description="whether the model's chat template formats the prompt")
    data: DataSection | None = Field(
        default=None, description="where the examples come from, and what a right answer is"
    )
    prompt: PromptSteps = Field(default=(), description="I: the pieces of the prompt, in order, byte for byte")
    generate: Generate | None = Field(default=None, description="f as a writer of free text")
    choose: Choose | None = Field(default=None, description="f as a scorer of options")
    align: Steps = Field(default=(), description="O: the chain that turns a completion into an answer")
    score: Metrics = Field(default=(), description="the metrics; exact_match (accuracy with `choose`) if none is named")
    examples: tuple[CheckedExample, ...] = Field(default=(), description="tests of the chain; `check` runs them")

    @classmethod
    def _explain(cls, error: Any) -> InitErrorDetails:
        later = LATER.get(str(error["loc"][0])) if error["type"] == "extra_forbidden" else None
        if later and len(error["loc"]) == 1:
            return InitErrorDetails(type=PydanticCustomError("later", later), loc=error["loc"], input=error["input"])
        return super()._explain(error)

    @model_validator(mode="after")
    def _fits_together(self) -> PipelineDeclaration:
        if self.generate and self.choose:
            message = "`generate` and `choose` are two ways to run a model: give one"
            raise PydanticCustomError("both", message, {"at": ("choose",)})
        for number, step in enumerate(self.prompt):
            has_turns = isinstance(step, Demonstrations) and step.turns is not None
            if (step.is_only_for_chat or has_turns) and not self.chat:
                what = "`turns`" if has_turns else f"the step {step.kind!r}"
                raise PydanticCustomError("chat", "{what} needs `chat: true`", {"what": what, "at": ("prompt", number)})
        if self.generate and self.generate.stop_when_answered and (why := Chain(self.align).unsettled()):
            context = {"why": why, "at": ("generate", "stop_when_answered"), "hint": SETTLES}
            raise PydanticCustomError("never_settled", "the answer may change until the text ends: align{why}", context)
        is_run = self.generate is not None or (bool(self.prompt) and self.choose is None)
        check_seats(self.align, (self.generate or Generate()) if is_run else None, self.choose)
        if self.generate and self.generate.constrain:
            check_constrain(self.generate.constrain, self.align)
        return self


def check_constrain(section: Constrain, steps: tuple[AlignStep, ...]) -> None:
    """Nothing; or an error where no completion can be constrained to what the chain reads."""
    try:
        _ = Constraining(section, tuple(step for step in steps if not isinstance(step, DecidingStep))).fixed
    except NotConstrained as error:
        context = {"why": str(error), "at": ("generate", "constrain")}
        raise PydanticCustomError("constrain", "{why}", context) from error
    except GrammarError as error:
        inside = {"problem": error.problem, "at": ("generate", "constrain")}
        raise PydanticCustomError("grammar", "grammar", inside) from error


@dataclass(frozen=True)
class Pipeline:
    """A declaration and where it stands. `plain` is what the files said, composed, as plain data."""

    declaration: PipelineDeclaration
    file: str
    folder: Path
    plain: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The declared name, or the file's."""
        return self.declaration.name or Path(self.file).stem

    @cached_property
    def chain(self) -> Chain:
        """O, as it reads one completion."""
        steps = self.declaration.align
        return Chain(steps[:-1] if self.deciding else steps)

    @property
    def deciding(self) -> DecidingStep | None:
        """The last step of O, where it decides among samples."""
        last = self.declaration.align[-1] if self.declaration.align else None
        return last if isinstance(last, DecidingStep) else None

    @property
    def plain_chain(self) -> Sequence[Any]:
        """What the files said of the steps that read one completion."""
        steps = self.plain.get("align", [])
        return steps[:-1] if self.deciding and isinstance(steps, list) else steps

    @cached_property
    def named_files(self) -> tuple[str, ...]:
        """What the files say that steps of O name, as text: chains, grammars, schemas, fitted states."""
        steps = [each for step in self.declaration.align for each in (step, *inner_steps(step))]
        return tuple(step.from_files for step in steps if step.from_files)

    @cached_property
    def formats(self) -> tuple[str, ...]:
        """The words with which its prompt begins a question: a model that writes them goes on to ask itself one."""
        return tuple(dict.fromkeys(filter(None, (step.format() for step in self.declaration.prompt))))

    @cached_property
    def constraining(self) -> Constraining | None:
        """What completions must be, where anything is said of it."""
        section = self.generate.constrain
        return Constraining(section, self.chain.steps) if section else None

    @property
    def metrics(self) -> Sequence[Metric]:
        """The metrics named, or the one that fits how the model is run."""
        return self.declaration.score or default_metrics(chooses=self.declaration.choose is not None)

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
        update = {"align": other.declaration.align, "score": other.declaration.score}
        plain = {**self.plain, "align": other.plain.get("align", []), "score": other.plain.get("score", [])}
        return Pipeline(self.declaration.model_copy(update=update), self.file, self.folder, plain)

    def steps(self) -> Iterator[tuple[str, StepDeclaration]]:
        """Every step with its section, in the order in which data flows."""
        model: ModelDeclaration = self.declaration.model
        yield from (("prompt", step) for step in self.declaration.prompt)
        yield "model", model
        yield from (("align", step) for step in self.declaration.align)

    def position(self, *path: str | int) -> Position | None:
        """Where a part of the pipeline was written; None for one built in Python."""
        value: Any = self.plain
        for part in path:
            value = value[part]
        return getattr(value, "position", None)


def load(name: str | Path, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Pipeline:
    """The pipeline in a file, or the shipped one of that name. Raises `DeclarationError` with every mistake.

    `overrides` are texts `path=value`, laid over what the file says before it is read.
    """
    tree, problems = compose(str(name), overrides)
    folder = tree.position.source.folder or Path.cwd()
    context = {"folder": folder, "allow_code": allow_code}
    declaration = read(PipelineDeclaration, tree, problems, context)
    return Pipeline(declaration, tree.position.source.name, folder, tree.plain())
