"""Where steps of `align` may stand: those that decide among samples last, those that read scores after `choose`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, DecidingStep, Linear
from promptkit.generate import Choose, Generate

__all__ = ["check_seats", "inner_steps"]

SAMPLES = "`generate: {samples: 5, temperature: 0.7}` draws five"


def check_seats(
    align: Sequence[AlignStep], generate: Generate | None, choose: Choose | None, *, draws_samples: bool = True
) -> None:
    """Nothing; or `PydanticCustomError` that points at a step which could never do its work where it stands.

    `generate` is None where the file does not say how its completions are made; `draws_samples` is False where another
    stage may draw them.
    """
    for number, step in enumerate(align):
        at = ("align", number)
        for inner in inner_steps(step):
            if isinstance(inner, DecidingStep | Linear):
                refuse(at, f"`{inner.kind}` stands in `align` itself, not inside `{step.kind}`")
        if isinstance(step, DecidingStep):
            if number < len(align) - 1:
                refuse(at, f"`{step.kind}` decides among samples, and is the last step")
            if draws_samples or choose is not None:
                check_samples(step, at, generate, choose)
        if isinstance(step, Linear):
            check_scores(step, at, generate, choose)


def check_samples(
    step: DecidingStep, at: tuple[str | int, ...], generate: Generate | None, choose: Choose | None
) -> None:
    """Nothing; or the error of a step that has nothing to decide."""
    if choose is not None:
        refuse(at, f"`{step.kind}` decides among samples, and `choose` has none")
    num = generate.samples if generate else None
    if num == 1:
        refuse(at, f"`{step.kind}` decides among samples, and `generate.samples` is 1", SAMPLES)
    needed = getattr(step, "min_votes", 1)
    if num is not None and needed > num:
        refuse(at, f"`{step.kind}` needs {needed} votes, and `generate.samples` is {num}")


def check_scores(step: Linear, at: tuple[str | int, ...], generate: Generate | None, choose: Choose | None) -> None:
    """Nothing; or the error of a step that has no scores to read, or too many."""
    if choose is None and generate is not None:
        refuse(at, f"`{step.kind}` reads the scores of `choose`'s options, and there is no `choose`")
    if choose is not None and isinstance(choose.options, tuple) and len(choose.options) != step.state.num_options:
        num, given = step.state.num_options, len(choose.options)
        refuse(at, f"the state is fitted to the scores of {num} options, and `choose` has {given}")


def refuse(at: tuple[str | int, ...], message: str, hint: str = "") -> None:
    """Raises the error that points at a step."""
    context: dict[str, Any] = {"message": message, "at": at, **({"hint": hint} if hint else {})}
    raise PydanticCustomError("seat", "{message}", context)


def inner_steps(step: AlignStep) -> Iterator[AlignStep]:
    """The steps that a step is made of, and those that they are made of."""
    for name in type(step).model_fields:
        yield from steps_in(getattr(step, name))


def steps_in(value: Any) -> Iterator[AlignStep]:
    """The steps in a value: itself, those of a list, those of a chain's file."""
    if isinstance(value, AlignStep):
        yield value
        yield from inner_steps(value)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from steps_in(each)
    elif isinstance(value, dict):
        yield from steps_in(list(value.values()))
    elif hasattr(value, "steps"):
        yield from steps_in(value.steps)
