"""`compare`: finished runs over the same examples, paired: how far apart they are, what flipped, and what moved it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from promptkit.errors import RunError
from promptkit.run.compare.cause import Row, Rows, cause_of
from promptkit.run.compare.moved import moved
from promptkit.run.compare.pair import Compared, Flip, Pair, Said
from promptkit.run.folder import read_run
from promptkit.score import Comparison, compare_scores, holm
from promptkit.text import known_names

__all__ = ["compare_read", "compare_runs", "said"]

SCORE, DECIDED = "score.", "decided.score."


def compare_runs(folders: Sequence[Path], metric: str | None = None) -> Compared:
    """Each run after the first, compared with the first, example by example. `metric` is that by which answers flip.

    Raises `RunError` for fewer than two, for runs without a common example, and for a metric that they do not share.
    """
    if len(folders) < 2:
        raise RunError(f"compare takes two runs or more, and was given {len(folders)}")
    return compare_read(tuple(map(str, folders)), [read_run(folder) for folder in folders], metric)


def compare_read(
    names: tuple[str, ...], runs: Sequence[tuple[Mapping[str, Any], Rows]], metric: str | None = None
) -> Compared:
    """The same of runs that are read already: of each its summary and its rows."""
    examples = [by_example(rows) for _, rows in runs]
    pairs = [
        compare_pair(
            Sides(names=(names[0], names[number]), summaries=(runs[0][0], runs[number][0])), metric, one, other
        )
        for number, (one, other) in enumerate(((examples[0], each) for each in examples[1:]), 1)
    ]
    numbered = [replace(each, number=number) for number, each in enumerate(pairs, 1)]
    return Compared(names=names, summaries=tuple(summary for summary, _ in runs), pairs=adjusted(numbered))


def by_example(rows: Rows) -> dict[str, list[Row]]:
    """Each example's rows, one a sample."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["id"], []).append(row)
    return found


def adjusted(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The pairs, each metric's p-values corrected for all of them."""
    names = dict.fromkeys(name for pair in pairs for name in pair.metrics)
    known: dict[tuple[int, str], float] = {}
    for name in names:
        values = {p.number: p.metrics[name].p_value for p in pairs if name in p.metrics}
        tested = {number: value for number, value in values.items() if value is not None}
        known |= {(number, name): value for number, value in zip(tested, holm(list(tested.values())), strict=True)}
    return tuple(
        replace(each, adjusted={name: known.get((each.number, name)) for name in each.metrics}) for each in pairs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The names of two runs, and their summaries."""

    names: tuple[str, str]
    summaries: tuple[Mapping[str, Any], Mapping[str, Any]]

    def metrics(self, asked: str | None) -> list[str]:
        """The metrics that both have, the one by which answers flip first. Raises `RunError` where there is none."""
        one, other = (list(summary["scores"]) for summary in self.summaries)
        common = [name for name in one if name in other]
        if asked is not None and asked not in common:
            raise RunError(f"the runs do not both have the metric {asked!r}\n    {known_names(asked, common)}")
        if not common:
            raise RunError(
                f"{self.names[0]!r} has {', '.join(one)} and {self.names[1]!r} {', '.join(other)}: no metric in common\n"
                "    run both files with the same `score`"
            )
        return sorted(common, key=lambda name: name != asked)


def compare_pair(
    sides: Sides, metric: str | None, one: Mapping[str, list[Row]], other: Mapping[str, list[Row]]
) -> Pair:
    """One run against another. Raises `RunError` where they have no example in common."""
    metrics = sides.metrics(metric)
    shared = [id_ for id_ in one if id_ in other]
    common = [id_ for id_ in shared if is_same_example(one[id_][0], other[id_][0])]
    if not common:
        why = f"{len(shared):,} ids are the same, and their fields are not" if shared else "no id is the same"
        raise RunError(f"{sides.names[0]!r} and {sides.names[1]!r} have no example in common: {why}")
    pairs = [(one[id_], other[id_]) for id_ in common]
    flips = [flip for rows in pairs if (flip := flip_of(*rows, metrics[0]))]
    before, after = map(declared, sides.summaries)
    return Pair(
        number=0,
        metrics={name: compared(pairs, name) for name in metrics},
        adjusted={},
        num_common=len(common),
        alone=(len(one) - len(shared), len(other) - len(shared)),
        num_other=len(shared) - len(common),
        moved=moved(before, after),
        statuses=Counter((a["status"], b["status"]) for rows in pairs for a, b in zip(*rows, strict=False)),
        flips=sorted(flips, key=lambda flip: flip.change),
    )


def declared(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What a run declared, with the model that it had: `--model` and `--dtype` name another than the file."""
    declaration = dict(summary["declaration"])
    if not isinstance(declaration.get("model"), Mapping):
        declaration["model"] = summary["model"]
    identity = summary.get("identity") or {}
    return {**declaration, **{name: identity[name] for name in ("dtype", "weights") if name in identity}}


def is_same_example(one: Row, other: Row) -> bool:
    """Whether rows of one id are of one example: they have fields in common, and differ in none of these.

    Targets may differ: one prompt asks for a letter, and another for the words.
    """
    fields, others = json.loads(one["fields"]), json.loads(other["fields"])
    shared = [name for name in fields if name in others]
    return all(fields[name] == others[name] for name in shared) and (bool(shared) or fields == others)


def compared(pairs: Sequence[tuple[Rows, Rows]], metric: str) -> Comparison:
    """The comparison by one metric, over the examples that both runs scored."""
    scores = [(score_of(one, metric), score_of(other, metric)) for one, other in pairs]
    known = [(a, b) for a, b in scores if a is not None and b is not None]
    return compare_scores([a for a, _ in known], [b for _, b in known])


def score_of(rows: Rows, metric: str) -> float | None:
    """An example's score: what was decided over its samples, else their mean; None where it has no target."""
    decided = rows[0].get(DECIDED + metric)
    if decided is not None:
        return float(decided)
    values = [row[SCORE + metric] for row in rows if row.get(SCORE + metric) is not None]
    return sum(values) / len(values) if values else None


def flip_of(one: Rows, other: Rows, metric: str) -> Flip | None:
    """The example, where its score is another; or, where one run has no score, its answer."""
    before, after = said(one, metric), said(other, metric)
    if before.score is not None and after.score is not None:
        is_flip = before.score != after.score
    else:
        is_flip = (before.answer, before.status) != (after.answer, after.status)
    if not is_flip:
        return None
    row = other[0]
    return Flip(id=row["id"], origin=row["origin"], cause=cause_of(one, other), before=before, after=after)


def said(rows: Rows, metric: str) -> Said:
    """What a run has of an example. Of several samples without a decision the first speaks."""
    row = rows[0]
    if row.get("decided_status") is not None:
        number = row["decided_sample"] or 0
        text = next((each["completion"] for each in rows if each["sample"] == number), row["completion"])
        answer, status = row["decided"], row["decided_status"]
    else:
        answer, status, text = row["answer"], row["status"], row["completion"]
    target = json.loads(row["target"])
    return Said(answer=json.loads(answer), status=status, completion=text, target=target, score=score_of(rows, metric))
