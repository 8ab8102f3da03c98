"""Whether the rows that steps take are there: in a split, or in a data file."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from promptkit.align import AlignStep, LabelMap
from promptkit.data import DataSection, is_data_file
from promptkit.prompt import Demonstrations, PromptStep
from promptkit.text import known_names

__all__ = ["check_pools"]

Path = tuple[str | int, ...]


def check_pools(
    data: DataSection | None, prompt: Iterable[tuple[Path, PromptStep]], align: Iterable[tuple[Path, AlignStep]]
) -> None:
    """Nothing; or the error of a step that takes rows from what is neither a data file nor a split that there is."""
    if data is None:
        return
    pools: list[tuple[Path, object]] = [(at, step.source) for at, step in prompt if isinstance(step, Demonstrations)]
    pools += [(at, step.source) for at, step in align if isinstance(step, LabelMap)]
    for at, source in pools:
        if isinstance(source, str) and not is_data_file(source) and source not in data.splits:
            hint = known_names(source, data.splits) if data.splits else "`data` names none"
            context = {"name": repr(str(source)), "at": (*at, "from"), "hint": hint}
            raise PydanticCustomError("no_split", "the pipeline has no split {name}", context)
