"""`stages:`: pipelines in which what the model wrote goes into the next prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from promptkit.align import Steps
from promptkit.generate import Choose, Generate
from promptkit.prompt import PromptSteps
from promptkit.run.condition import Condition
from promptkit.run.sections import check_fit
from promptkit.spec import Count, Declaration
from promptkit.spec.reading import UNSEEN

__all__ = ["Block", "Group", "Instead", "Repeat", "Stage", "stages_in"]

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
