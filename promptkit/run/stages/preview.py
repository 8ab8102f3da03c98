"""The prompt of a stage before anything was run: what earlier stages write is a name in angle brackets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from promptkit.align import Answer
from promptkit.data import Example
from promptkit.errors import RunError
from promptkit.generate import Completion
from promptkit.generate import Generator as Model
from promptkit.prompt import Prompt
from promptkit.run.frozen import FrozenModel
from promptkit.run.pipeline import Pipeline
from promptkit.run.prompter import Selection, make_prompter
from promptkit.run.record import Record
from promptkit.run.stages.stage import Group, Repeat, Stage, stages_in
from promptkit.run.stages.staging import transcript
from promptkit.run.stages.trail import Asked, Passed, Trail
from promptkit.text import Span, known_names

__all__ = ["loop_variables", "preview_prompt"]


def preview_prompt(
    pipeline: Pipeline, selection: Selection, model: Model | None, example: Example, name: str | None
) -> Prompt:
    """The prompt of the stage of that name, the first one's where none is named. Raises `RunError` for an unknown name."""
    stages = list(stages_in(pipeline.declaration.stages))
    names = [stage.name for stage in stages]
    if name is not None and name not in names:
        raise RunError(f"{pipeline.name} has no stage {name!r}\n    {known_names(name, names)}")
    trail = Trail(example)
    for stage in stages:
        trail.variables = dict(loop_variables(pipeline.declaration.stages, stage))
        called = pipeline.stages[stage.name]
        frozen = FrozenModel(pipeline=called, generator=model) if model and called.asks_any_model else None
        tokenizer = model.tokenizer if model else None
        prompter = make_prompter(called, selection, tokenizer, frozen=frozen).within(model)
        before = transcript(stage, trail)
        prompt, pieces = prompter.asked(example, trail.fields(), before)
        asked = Asked(prompt=prompt, pieces=pieces, num_before=len(before))
        if stage.name == (name or names[0]):
            return asked.prompt
        trail.passed.append(Passed(stage=stage, round=None, asked=asked, record=to_come(stage, example)))
    raise AssertionError(name)


def loop_variables(blocks: Sequence[Stage | Group], stage: Stage) -> Iterator[tuple[str, Any]]:
    """What the loops around a stage lend its templates in the first round."""
    for block in blocks:
        inside = list(stages_in(block.stages)) if isinstance(block, Group) else [block]
        if stage not in inside:
            continue
        if isinstance(block.repeat, Repeat):
            yield "round", 0
            if block.repeat.over is not None:
                yield block.repeat.name, f"⟨{block.repeat.name}⟩"
        if isinstance(block, Group):
            yield from loop_variables(block.stages, stage)


def to_come(stage: Stage, example: Example) -> Record:
    """The record of a stage that has not run: its text and its answer as names."""
    text, answer = f"⟨{stage.name}.text⟩", f"⟨{stage.name}.answer⟩"
    return Record(
        id=example.id,
        sample=0,
        origin=example.origin,
        fields=example.fields,
        prompt="",
        num_prompt_tokens=0,
        completion=Completion(text=text),
        outcome=Answer(value=answer, span=Span(start=0, end=len(text)), step="stages"),
        target=None,
        aligned_target=None,
    )
