"""Samples of our own runs: a run folder, or its `samples.parquet`; of a sweep those of one cell, SWEEP/N."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.data.files import Found, Row
from promptkit.data.sample import Names, Sample, Unreadable, ended_of, text_or_unreadable
from promptkit.errors import DataError

__all__ = ["RunRows", "of_cell", "run_file"]

RUN_SAMPLES = "samples.parquet"
SWEEP = "sweep.json"  # what tells the folder of a sweep from that of a run
NEEDED = {"id", "sample", "origin", "fields", "prompt", "completion", "ended", "target"}


@dataclass(frozen=True, slots=True)
class RunRows:
    """Records of a run. The fields are the example's, and `target` where it has none of that name."""

    names: Names
    about: str = "a run of promptkit"

    @staticmethod
    def fits(row: Row) -> bool:
        """Whether a row is such a record."""
        return row.fields.keys() >= NEEDED

    def samples(self, row: Row, fallback_id: str) -> Iterator[Sample | Unreadable]:
        """The one completion."""
        said = row.fields
        target = loaded(said.get("target"))
        fields = loaded(said.get("fields"))
        fields = {"target": target, **fields} if isinstance(fields, dict) else {"target": target}
        known = {
            "prompt": said.get("prompt") or "",
            "ended": ended_of(said.get("ended")),
            "thinking": thinking_of(said),
            **self.names.beside(fields),
        }
        yield from text_or_unreadable(
            said.get("completion"),
            f"{row.origin}: the column 'completion'",
            id=said.get("id", fallback_id),
            origin=row.origin,
            fields=fields,
            number=said.get("sample"),
            **known,
        )


def run_file(name: str) -> tuple[str, int | None]:
    """The file that holds the samples, where the name is of a run or of a cell of a sweep; else the name.

    With it the number of the cell. Raises `DataError` for a sweep as a whole: its cells are different runs.
    """
    path = Path(name)
    home, is_cell = path.parent, path.name.isdecimal()
    if is_cell and (home / SWEEP).is_file() and (home / RUN_SAMPLES).is_file():
        return str(home / RUN_SAMPLES), int(path.name)
    if (path / SWEEP).is_file():
        raise DataError(
            f"{name!r} is a sweep, whose cells are different runs\n    {str(path / '0')!r} is the first of them"
        )
    return str(path / RUN_SAMPLES) if (path / RUN_SAMPLES).is_file() else name, None


def of_cell(rows: Iterable[Found], number: int, name: str) -> Iterator[Found]:
    """The rows of a cell, and what could not be read. Raises `DataError` where there is none."""
    known = -1
    is_there = False
    for row in rows:
        cell = row.fields.get("cell") if isinstance(row, Row) else number
        if cell == number:
            is_there = True
            yield row
        known = max(known, cell if isinstance(cell, int) else -1)
    if not is_there:
        raise DataError(f"{name}: has no cell {number}: they are 0 to {known}")


def thinking_of(said: Mapping[str, Any]) -> tuple[bool, int] | None:
    """What a row says of the thinking that its completion begins with; None where it has none."""
    state, end = said.get("thinking"), said.get("thinking_end")
    return None if state in (None, "none") or end is None else (state == "open", end)


def loaded(text: Any) -> Any:
    """The value of a JSON text; None where it is none."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
