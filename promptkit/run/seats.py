"""Where steps of `align` may stand: those that decide among samples last, those that read scores after `choose`.

Of the latter, those that weigh the scores of all rows stand first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, DecidingStep, First, LabelMap, Linear, Reasoning, Use, WeighingStep
from promptkit.generate import Choose, Generate

__all__ = ["check_parts_thinking", "check_seats", "inner_steps", "num_apart", "refuse"]

PARTS = "`- reasoning` as its first step leaves the thinking out, as the ready-made chains do: `use: number`"
BEFORE = ("strip", "whitespace")  # steps that may stand before it
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
            if isinstance(inner, DecidingStep | Linear | WeighingStep):
                refuse(at, f"`{inner.kind}` stands in `align` itself, not inside `{step.kind}`")
        if isinstance(step, DecidingStep):
            if number < len(align) - 1:
                refuse(at, f"`{step.kind}` decides among samples, and is the last step")
            if draws_samples or choose is not None:
                check_samples(step, at, generate, choose)
        if isinstance(step, Linear):
            check_scores(step, at, generate, choose)
    check_weighing(align, generate, choose)


def check_parts_thinking(align: Sequence[AlignStep]) -> None:
    """Nothing; or the error of a chain that would read thinking, which is declared, as an answer."""
    if not parts_thinking(align):
        message = "`thinking` is declared, and the align chain reads it as a part of the answer"
        context = {"at": ("generate", "thinking"), "hint": PARTS}
        raise PydanticCustomError("thinking", message, context)


def num_apart(generate: Generate | None, align: Sequence[AlignStep]) -> int:
    """How many steps of a chain, its first, only part the answer from thinking that is declared."""
    is_apart = generate is not None and generate.thinking is not None
    return int(is_apart and bool(align) and isinstance(align[0], Reasoning))


def parts_thinking(steps: Sequence[AlignStep]) -> bool:
    """Whether a chain leaves the thinking out before anything else reads it."""
    first = next((step for step in steps if step.kind not in BEFORE), None)
    if isinstance(first, Use):
        return parts_thinking(first.chain.steps)
    if isinstance(first, First):
        return all(parts_thinking(each) for each in first.alternatives)
    return isinstance(first, Reasoning)


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


def check_weighing(align: Sequence[AlignStep], generate: Generate | None, choose: Choose | None) -> None:
    """Nothing; or the error of a step that has no scores to weigh, or is not the first to read them."""
    for number, step in enumerate(align[1:], 1):
        if isinstance(step, WeighingStep):
            refuse(("align", number), f"`{step.kind}` weighs the scores of options, and is the first step")
        if isinstance(step, Linear) and isinstance(align[0], WeighingStep):
            message = (
                f"`{align[0].kind}` and `{step.kind}` both read the scores of the options, and one of them answers"
            )
            refuse(("align", number), message)
    first, at = align[0] if align else None, ("align", 0)
    if not isinstance(first, WeighingStep):
        return
    if choose is None and generate is not None:
        refuse(at, f"`{first.kind}` weighs the scores of `choose`'s options, and there is no `choose`")
    if choose is not None and choose.normalize == "unconditional":
        refuse(at, f"`{first.kind}` and `normalize: unconditional` both calibrate", "leave one of them out")
    if choose is not None and isinstance(first, LabelMap):
        check_words(first, choose)


def check_words(step: LabelMap, choose: Choose) -> None:
    """Nothing; or the error of options that are no words to map, or too few."""
    at = ("align", 0)
    if not isinstance(choose.options, tuple):
        refuse(at, "`label_map` maps words that are the same for all rows", "write `choose.options` as a list")
    if step.method == "frequency" and step.to and len(step.to) > len(choose.options):
        refuse(at, f"{len(step.to)} targets need a word each, and `choose` has {len(choose.options)} options")


def refuse(at: tuple[str | int, ...], message: str, hint: str = "") -> NoReturn:
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
