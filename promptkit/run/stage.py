"""`stages:`: pipelines in which what the model wrote goes into the next prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align import DecidingStep, LabelMap, Steps, WeighingStep
from promptkit.generate import Choose, Generate
from promptkit.prompt import PromptSteps
from promptkit.run.condition import Condition
from promptkit.run.fit import check_fit
from promptkit.spec import Count, Declaration, Template
from promptkit.spec.reading import UNSEEN
from promptkit.text import known_names

__all__ = ["Block", "Group", "Instead", "Repeat", "Stage", "check_stages", "stages_in", "templates_in"]

NAMESPACE = "stages"  # the name under which templates see what was made
SEEN = ("answer", "ended", "prompt", "rounds", "status", "text", "transcript")  # what they see of each stage


def kind(data: Any) -> str:
    """What a block is: a group of stages, or one."""
    is_group = isinstance(data, Group) or (isinstance(data, Mapping) and NAMESPACE in data)
    return f"{UNSEEN}{'group' if is_group else 'stage'}"


class Instead(Declaration):
    """What stands in for an answer that is missing."""

    default: Any = Field(description="the answer that later stages see")


IfMissing = Annotated[
    Annotated[Literal["end", "go_on"], Tag(f"{UNSEEN}word")] | Annotated[Instead, Tag(f"{UNSEEN}instead")],
    Discriminator(lambda data: f"{UNSEEN}{'instead' if isinstance(data, Instead | Mapping) else 'word'}"),
]


class Repeat(Declaration):
    """A loop that ends: after `max` rounds at the latest."""

    max: Count = Field(description="the most rounds")
    until: Condition | None = Field(
        default=None, description="looked at after each round: no further one follows where it is true"
    )
    over: Condition | None = Field(default=None, alias="for", description="a list: a round for each of its items")
    name: str = Field(default="item", alias="as", description="with `for`: the name under which templates see the item")

    @model_validator(mode="after")
    def _has_an_end(self) -> Repeat:
        for name, value in (("as", self.name), ("for", self.over)):
            if name in self.model_fields_set and value is None:
                raise PydanticCustomError("repeat", "must not be empty", {"at": (name,)})
        if not self.name.isidentifier() or self.name in (NAMESPACE, "round"):
            message = "`as` must be a name that templates can use, not {name}"
            raise PydanticCustomError("repeat", message, {"name": repr(self.name), "at": ("as",)})
        if "name" in self.model_fields_set and self.over is None:
            message, hint = "`as` names an item of `for`, and there is no `for`", "templates see the round as `round`"
            raise PydanticCustomError("repeat", message, {"at": ("as",), "hint": hint})
        return self


class Stage(Declaration):
    """One call of the model: its prompt, how it is run, and how its output is read."""

    name: str = Field(description="the name under which later stages see it: `stages.NAME.text`, `.answer`, `.status`")
    carries_on: str | None = Field(
        default=None,
        alias="continue",
        description="the stage from whose whole transcript (prompt and completion) this one's prompt goes on; its own name "
        "in a loop: from its last round",
    )
    when: Condition | None = Field(
        default=None, description="whether the stage runs for an example: an expression over its fields and the stages"
    )
    repeat: Repeat | None = Field(default=None, description="runs the stage several times")
    prompt: PromptSteps = Field(default=(), description="the pieces of its prompt, in order")
    generate: Generate | None = Field(default=None, description="how the model writes")
    choose: Choose | None = Field(default=None, description="how the model chooses")
    align: Steps = Field(
        default=(), description="the chain that reads its completion; its answer is the text where empty"
    )
    answers: bool | None = Field(
        default=None,
        strict=True,
        description="whether its answer is one to the example; the last stage's is if none says so. The last such stage "
        "that ran for an example answers it",
    )
    if_missing: IfMissing = Field(
        default="end",
        description="where the completion holds no answer: the example ends here without one (end), later stages see null "
        "(go_on), or `{default: value}`",
    )

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not name.isidentifier() or name in dir(dict):
            message = "a stage's name must be one that templates can use, such as `reason`, not {name}"
            raise PydanticCustomError("stage_name", message, {"name": repr(str(name))})
        return str(name)

    @model_validator(mode="after")
    def _fits_together(self) -> Stage:
        check_fit(self, draws_samples=False)
        if not self.prompt and self.carries_on is None:
            raise PydanticCustomError("stage", "a stage needs a `prompt`, or a stage that it continues")
        return self

    @property
    def num_samples(self) -> int:
        """How many completions it asks for."""
        return 1 if self.choose else (self.generate or Generate()).samples


class Group(Declaration):
    """Stages that are repeated together."""

    repeat: Repeat = Field(description="how often")
    stages: tuple[Block, ...] = Field(min_length=1, description="the stages of each round, in order")


Block = Annotated[
    Annotated[Stage, Tag(f"{UNSEEN}stage")] | Annotated[Group, Tag(f"{UNSEEN}group")], Discriminator(kind)
]


def stages_in(blocks: Sequence[Stage | Group]) -> Iterator[Stage]:
    """The stages in the order in which they stand."""
    for block in blocks:
        if isinstance(block, Group):
            yield from stages_in(block.stages)
        else:
            yield block


def placed(
    blocks: Sequence[Stage | Group], at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every stage and group with its path."""
    for number, block in enumerate(blocks):
        here = (*at, NAMESPACE, number)
        yield here, block
        if isinstance(block, Group):
            yield from placed(block.stages, here)


def templates_in(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Template]]:
    """The templates of a declaration with their paths, those of its steps included."""
    if isinstance(value, Template):
        yield at, value
    elif isinstance(value, Declaration):
        for name, field in type(value).model_fields.items():
            yield from templates_in(getattr(value, name), (*at, field.alias or name))
    elif isinstance(value, tuple | list):
        for number, each in enumerate(value):
            yield from templates_in(each, (*at, number))


def check_stages(blocks: Sequence[Stage | Group]) -> None:
    """Nothing; or the error of a stage that cannot do its work where it stands."""
    seen: list[str] = []
    loops: list[tuple[str | int, ...]] = []
    for at, block in placed(blocks):
        if isinstance(block, Group):
            loops.append(at)
            continue
        inside = [name for loop in loops if at[: len(loop)] == loop for name in names_in(blocks, loop)]
        inside += [block.name] if block.repeat else []
        check_stage(block, at, seen, inside)
        check_weighing(block, (*at, "align", 0))
        if block.num_samples > 1 and inside:
            refuse("a stage that is repeated draws one sample", (*at, "generate", "samples"))
        seen.append(block.name)
    check_answers(blocks)
    check_deciding(blocks)


def names_in(blocks: Sequence[Stage | Group], at: tuple[str | int, ...]) -> list[str]:
    """The names of the stages in the group at a path."""
    group: Any = None
    for part in at:
        if isinstance(part, int):
            group = (blocks if group is None else group.stages)[part]
    return [each.name for each in stages_in([group])]


def check_stage(stage: Stage, at: tuple[str | int, ...], seen: Sequence[str], inside: Sequence[str]) -> None:
    """Nothing; or the error of a stage that goes by one that has not run. Those `inside` its loop may have."""
    if stage.name in seen:
        refuse(f"two stages are called {stage.name!r}", (*at, "name"))
    before = list(dict.fromkeys([*seen, *inside]))
    if stage.carries_on is not None and stage.carries_on not in before:
        message = f"no stage before this one is called {str(stage.carries_on)!r}"
        refuse(message, (*at, "continue"), known_names(stage.carries_on, before) if before else "it is the first")
    for path, template in templates_in(stage):
        for name in sorted(template.parts_of(NAMESPACE) - set(before)):
            message = f"no stage before this one is called {name!r}"
            refuse(message, (*at, *path), known_names(name, before) if before else "it is the first")
        for name, part in sorted(template.attributes_of(NAMESPACE)):
            if part not in SEEN:
                refuse(
                    f"a stage has no {part!r}, as in `{NAMESPACE}.{name}.{part}`", (*at, *path), known_names(part, SEEN)
                )


def check_weighing(stage: Stage, at: tuple[str | int, ...]) -> None:
    """Nothing; or the error of a first step of O, at this path, that weighs options and cannot do so in this stage."""
    step = stage.align[0] if stage.align else None
    if isinstance(step, LabelMap):
        hint = "`batch`, `prototypical` and `pmi` need none"
        refuse("`label_map` is fitted on solved rows, and only the rows of the run go through stages", at, hint)
    if not isinstance(step, WeighingStep) or not step.replaces_fields:
        return
    if stage.carries_on is not None or any(NAMESPACE in each.names for _, each in templates_in(stage.prompt)):
        message = (
            f"`{step.kind}` asks this stage's prompt with the text that its `query` takes from the example replaced, "
            "and what earlier stages wrote would stay in it"
        )
        refuse(message, at, "`batch`, `prototypical` and `pmi` need no prompt without content")


def check_answers(blocks: Sequence[Stage | Group]) -> None:
    """Nothing; or the error of stages none of which answers."""
    stages = list(stages_in(blocks))
    if stages[-1].answers is False and not any(stage.answers for stage in stages):
        refuse("no stage answers the example", (NAMESPACE,), "`answers: true` in one, or leave `answers: false` out")


def check_deciding(blocks: Sequence[Stage | Group]) -> None:
    """Nothing; or the error of samples that are drawn twice, and of a step that decides where it cannot."""
    stages = list(placed(blocks))
    drawing = [(at, each) for at, each in stages if isinstance(each, Stage) and each.num_samples > 1]
    if len(drawing) > 1:
        first, (at, _) = drawing[0][1].name, drawing[1]
        refuse(f"samples are drawn once, and `{first}` draws them", (*at, "generate", "samples"))
    last = [each for _, each in stages if isinstance(each, Stage)][-1]
    for at, stage in stages:
        deciding = isinstance(stage, Stage) and stage.align and isinstance(stage.align[-1], DecidingStep)
        if not deciding:
            continue
        kind, place = stage.align[-1].kind, (*at, "align", len(stage.align) - 1)
        if stage is not last:
            refuse(f"`{kind}` decides among samples, and stands in the last stage", place)
        if not drawing:
            hint = "`generate: {samples: 5, temperature: 0.7}` in one stage draws five"
            refuse(f"`{kind}` decides among samples, and no stage draws several", place, hint)


def refuse(message: str, at: tuple[str | int, ...], hint: str = "") -> None:
    """Raises the error that points at a place."""
    context: dict[str, Any] = {"message": message, "at": at, **({"hint": hint} if hint else {})}
    raise PydanticCustomError("stages", "{message}", context)
