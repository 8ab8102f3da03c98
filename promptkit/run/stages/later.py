"""What can be said of a pipeline's later stages before they run: how many rows at most, how many new tokens at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from promptkit.generate import Tokenizer
from promptkit.run.pipeline import Pipeline
from promptkit.run.plan import Plan
from promptkit.run.prompter import read_examples
from promptkit.run.stages.stage import Group, Stage

__all__ = ["LaterStage", "later_stages", "summed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStage:
    """What a stage has to do after the plan that is known, at most: rows of all its rounds, and the tokens they write."""

    stage: str
    max_rows: int
    max_new_tokens: int


def later_stages(pipeline: Pipeline, plan: Plan, tokenizer: Tokenizer | None) -> tuple[LaterStage, ...]:
    """The stages after `plan`, the first one of a run, and those that come again in a loop; none where there are no stages.

    No row ends early in it, every `when` holds, and every loop goes on to its last round.
    """
    if not pipeline.stages:
        return ()
    num_rows = len(plan.selection.asked(read_examples(pipeline, plan.selection)))
    found = []
    for stage, num_rounds in with_rounds(pipeline.declaration.stages):
        num_rows *= stage.num_samples
        is_planned = pipeline.stages[stage.name] is plan.pipeline
        max_rows = num_rows * (num_rounds - is_planned)
        limit = 0 if stage.choose else pipeline.stages[stage.name].generate.max_tokens(tokenizer)
        if max_rows:
            found.append(LaterStage(stage=stage.name, max_rows=max_rows, max_new_tokens=max_rows * limit))
    return tuple(found)


def with_rounds(blocks: Sequence[Stage | Group], outside: int = 1) -> Iterator[tuple[Stage, int]]:
    """Each stage with the most rounds that it runs, those of the loops around it included."""
    for block in blocks:
        num = outside * (block.repeat.max if block.repeat else 1)
        if isinstance(block, Group):
            yield from with_rounds(block.stages, num)
        else:
            yield block, num


def summed(later: Iterable[LaterStage]) -> tuple[LaterStage, ...]:
    """Those of several pipelines, added up by the stages' names."""
    totals: dict[str, LaterStage] = {}
    for each in later:
        known = totals.get(each.stage, LaterStage(stage=each.stage, max_rows=0, max_new_tokens=0))
        totals[each.stage] = LaterStage(
            stage=each.stage,
            max_rows=known.max_rows + each.max_rows,
            max_new_tokens=known.max_new_tokens + each.max_new_tokens,
        )
    return tuple(totals.values())
