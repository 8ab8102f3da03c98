"""What the page embeds of a run's examples: each with its samples, what was decided over them, and how it flipped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptkit.report.page.calls import present, sample_json, scores_of, value_of
from promptkit.report.page.shared import Shared, loaded
from promptkit.run import Flip, said

__all__ = ["examples_json"]

Row = Mapping[str, Any]


def examples_json(
    summary: Mapping[str, Any], rows: Sequence[Row], shared: Shared, flips: Sequence[Flip] = ()
) -> Iterator[dict[str, Any]]:
    """The examples of a run, in the order of the data; `flips` are those against the first run of the page."""
    metric = next(iter(summary["scores"]), "")
    flipped = {each.id: each for each in flips}
    by_example: dict[str, list[Row]] = {}
    for row in rows:
        by_example.setdefault(row["id"], []).append(row)
    for name, samples in by_example.items():
        flip = flipped.get(name)
        yield {
            **example_json(samples, metric, shared, summary["declaration"]),
            **({"flip": [flip.cause, flip.change]} if flip else {}),
        }


def example_json(rows: Sequence[Row], metric: str, shared: Shared, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """One example. Its answer and its status are what was decided over its samples; else those of the first."""
    first, told = rows[0], said(rows, metric)
    return present(
        {
            "id": first["id"],
            "origin": first["origin"],
            "fields": [field_json(name, value, shared) for name, value in loaded(first["fields"], "{}").items()],
            "target": value_of(told.target),
            "answer": value_of(told.answer),
            "status": told.status,
            "score": told.score,
            "decided": decided_json(first, shared),
            "samples": [sample_json(row, shared, declaration) for row in rows],
        }
    ) | {"score": told.score}


def field_json(name: str, value: Any, shared: Shared) -> list[Any]:
    """A field's name and its text; what is no text is JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [shared.word(name), shared.texts.number(text)]


def decided_json(row: Row, shared: Shared) -> dict[str, Any] | None:
    """What was decided over the samples of an example, and by which votes; None where nothing was."""
    if row.get("decided_status") is None:
        return None
    votes = [[value_of(each["answer"]), len(each["samples"]), each["weight"]] for each in loaded(row["votes"])]
    return present(
        {
            "step": shared.word(row["decided_step"]),
            "reason": shared.word(row["decided_reason"]),
            "sample": row["decided_sample"],
            "votes": votes,
            "scores": scores_of(row, "decided.score."),
        }
    )
