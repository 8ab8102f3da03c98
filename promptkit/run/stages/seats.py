"""Whether stages can do their work where they stand: names before they are used, one draw of samples, one that answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from promptkit.align import DecidingStep, LabelMap, WeighingStep
from promptkit.run.seats import refuse
from promptkit.run.stages.stage import NAMESPACE, SEEN, Group, Stage, placed, stages_in
from promptkit.spec.leaves import templates_in
from promptkit.text import known_names

__all__ = ["check_stages"]


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
            refuse((*at, "generate", "samples"), "a stage that is repeated draws one sample")
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
        refuse((*at, "name"), f"two stages are called {stage.name!r}")
    before = list(dict.fromkeys([*seen, *inside]))
    if stage.carries_on is not None and stage.carries_on not in before:
        message = f"no stage before this one is called {str(stage.carries_on)!r}"
        refuse((*at, "continue"), message, known_names(stage.carries_on, before) if before else "it is the first")
    for path, template in templates_in(stage):
        for name in sorted(template.parts_of(NAMESPACE) - set(before)):
            message = f"no stage before this one is called {name!r}"
            refuse((*at, *path), message, known_names(name, before) if before else "it is the first")
        for name, part in sorted(template.attributes_of(NAMESPACE)):
            if part not in SEEN:
                refuse(
                    (*at, *path), f"a stage has no {part!r}, as in `{NAMESPACE}.{name}.{part}`", known_names(part, SEEN)
                )


def check_weighing(stage: Stage, at: tuple[str | int, ...]) -> None:
    """Nothing; or the error of a first step of O, at this path, that weighs options and cannot do so in this stage."""
    step = stage.align[0] if stage.align else None
    if isinstance(step, LabelMap):
        hint = "`batch`, `prototypical` and `pmi` need none"
        refuse(at, "`label_map` is fitted on solved rows, and only the rows of the run go through stages", hint)
    if not isinstance(step, WeighingStep) or not step.replaces_fields:
        return
    if stage.carries_on is not None or any(NAMESPACE in each.names for _, each in templates_in(stage.prompt)):
        message = (
            f"`{step.kind}` asks this stage's prompt with the text that its `query` takes from the example replaced, "
            "and what earlier stages wrote would stay in it"
        )
        refuse(at, message, "`batch`, `prototypical` and `pmi` need no prompt without content")


def check_answers(blocks: Sequence[Stage | Group]) -> None:
    """Nothing; or the error of stages none of which answers."""
    stages = list(stages_in(blocks))
    if stages[-1].answers is False and not any(stage.answers for stage in stages):
        refuse((NAMESPACE,), "no stage answers the example", "`answers: true` in one, or leave `answers: false` out")


def check_deciding(blocks: Sequence[Stage | Group]) -> None:
    """Nothing; or the error of samples that are drawn twice, and of a step that decides where it cannot."""
    stages = list(placed(blocks))
    drawing = [(at, each) for at, each in stages if isinstance(each, Stage) and each.num_samples > 1]
    if len(drawing) > 1:
        first, (at, _) = drawing[0][1].name, drawing[1]
        refuse((*at, "generate", "samples"), f"samples are drawn once, and `{first}` draws them")
    last = [each for _, each in stages if isinstance(each, Stage)][-1]
    for at, stage in stages:
        deciding = isinstance(stage, Stage) and stage.align and isinstance(stage.align[-1], DecidingStep)
        if not deciding:
            continue
        kind, place = stage.align[-1].kind, (*at, "align", len(stage.align) - 1)
        if stage is not last:
            refuse(place, f"`{kind}` decides among samples, and stands in the last stage")
        if not drawing:
            hint = "`generate: {samples: 5, temperature: 0.7}` in one stage draws five"
            refuse(place, f"`{kind}` decides among samples, and no stage draws several", hint)
