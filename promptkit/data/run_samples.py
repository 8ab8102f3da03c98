"""Samples of our own runs: a run folder, or its `samples.parquet`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.data.files import Row
from promptkit.data.sample import Names, Sample, Unreadable, ended_of, text_or_unreadable

__all__ = ["RUN_SAMPLES", "RunRows"]

RUN_SAMPLES = "samples.parquet"
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
