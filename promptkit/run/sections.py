"""Whether the sections of one call of the model fit together: a pipeline's own, or a stage's."""

from __future__ import annotations

from typing import Protocol

from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, Chain, DecidingStep
from promptkit.errors import GrammarError
from promptkit.generate import Choose, Constrain, Generate, NotConstrained
from promptkit.prompt import Cue, Demonstrations, PromptSteps
from promptkit.run.constraining import Constraining
from promptkit.run.seats import check_parts_thinking, check_seats, num_apart

__all__ = ["Sections", "check_fit"]

SETTLES = "`regex` and `number` with `take: first` can know it, with `strip` before them and any step after them"


class Sections(Protocol):
    """What belongs to one call of the model."""

    @property
    def prompt(self) -> PromptSteps:
        """I."""

    @property
    def generate(self) -> Generate | None:
        """F as a writer."""

    @property
    def choose(self) -> Choose | None:
        """F as a scorer."""

    @property
    def align(self) -> tuple[AlignStep, ...]:
        """O."""


def check_fit(sections: Sections, *, draws_samples: bool = True) -> None:
    """Nothing; or `PydanticCustomError` that points at a section which does not fit the others.

    `draws_samples` is False where another stage may draw the samples that the chain decides among.
    """
    generate, choose, align = sections.generate, sections.choose, sections.align
    if generate and choose:
        message = "`generate` and `choose` are two ways to run a model: give one"
        raise PydanticCustomError("both", message, {"at": ("choose",)})
    if generate and generate.thinking:
        check_parts_thinking(align)
    apart = num_apart(generate, align)
    if generate and generate.stop_when_answered and (why := Chain(align[apart:]).unsettled(apart)):
        context = {"why": why, "at": ("generate", "stop_when_answered"), "hint": SETTLES}
        raise PydanticCustomError("never_settled", "the answer may change until the text ends: align{why}", context)
    for number, step in enumerate(sections.prompt):
        if isinstance(step, Demonstrations) and step.needs_options and choose is None:
            message = "its choice goes by what the model would choose, and there is no `choose`"
            raise PydanticCustomError("no_choose", message, {"at": ("prompt", number)})
    check_opening(sections.prompt)
    is_run = generate is not None or (bool(sections.prompt) and choose is None)
    check_seats(align, (generate or Generate()) if is_run else None, choose, draws_samples=draws_samples)
    if generate and generate.constrain:
        check_constrain(generate.constrain, align)


def check_opening(prompt: PromptSteps) -> None:
    """Nothing; or an error where something stands after what opens the answer: the model would not go on from it."""
    opening = [isinstance(step, Cue) and step.opens_the_answer for step in prompt]
    for number, opens in enumerate(opening):
        if opens and not all(opening[number:]):
            message, hint = "what opens the answer stands last in the prompt", "the model goes on from there"
            raise PydanticCustomError("opening", message, {"at": ("prompt", number), "hint": hint})


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
