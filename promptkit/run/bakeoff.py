"""`bakeoff`: several chains over the same completions, where they differ, and how far a score could move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptkit.align import STATUSES, Answer, NoAnswer, Outcome
from promptkit.errors import RunError
from promptkit.run.given import Given, read_given
from promptkit.run.pipeline import Pipeline
from promptkit.score import ExactMatch, Score, count_statuses, is_same, status_rates, summarize
from promptkit.text import known_names

__all__ = ["Agreement", "Bakeoff", "BakeoffRow", "Completions", "Pattern", "bake_off", "named_chains"]

Pattern = tuple[int | None, ...]
"""Who says the same as whom: chains with equal answers have the same number, counted from 0; None is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeoffRow:
    """One completion, and what each chain made of it. `gold` is None where nobody says what is right."""

    given: Given
    outcomes: tuple[Outcome, ...]
    pattern: Pattern
    gold: Any = None
    right: tuple[float, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the chains do not all say the same; that none of them answers is the same."""
        return len(set(self.pattern)) > 1

    def to_json(self, names: Sequence[str]) -> dict[str, Any]:
        """The row as JSON values."""
        answers = {name: outcome_json(each) for name, each in zip(names, self.outcomes, strict=True)}
        row = {"id": self.given.id, "origin": self.given.origin, "differs": self.differs, "answers": answers}
        return {**row, "pattern": letters(self.pattern), **({} if self.gold is None else {"gold": self.gold})}


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """What one chain made of a row, as JSON values."""
    if isinstance(outcome, Answer):
        span = [outcome.span.start, outcome.span.end]
        return {"answer": outcome.value, "status": outcome.status, "span": span, "step": outcome.step}
    none = {"answer": None, "status": outcome.status, "span": None, "step": outcome.step}
    return {**none, "reason": outcome.reason if isinstance(outcome, NoAnswer) else None}


def letters(pattern: Pattern) -> str:
    """A pattern as people read it.

    >>> letters((0, 0, None, 1))
    'A A - B'
    """
    return " ".join("-" if group is None else chr(ord("A") + group) if group < 26 else str(group) for group in pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of two chains, the share of rows on which they say the same, and of which part neither answers; in [0, 1]."""

    same: float
    neither: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bakeoff:
    """What came of a bake-off. `agreement` is a matrix; `rows` are those that differ, the most telling first.

    `scores` are the chains' by the gold answers, `lowest` that of the rows on which every chain is right, `highest` that
    of the rows on which any is: empty and None where there is no gold. `patterns` says how often each came up.
    """

    names: tuple[str, ...]
    files: tuple[str, ...]
    num_rows: int
    statuses: tuple[Mapping[str, int], ...]
    agreement: tuple[tuple[Agreement, ...], ...]
    patterns: Mapping[Pattern, int]
    rows: tuple[BakeoffRow, ...]
    scores: tuple[Score, ...] = ()
    lowest: Score | None = None
    highest: Score | None = None

    @property
    def num_differing(self) -> int:
        """On how many rows the chains do not all say the same."""
        return sum(count for pattern, count in self.patterns.items() if len(set(pattern)) > 1)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        chains = [
            {"name": name, "file": file, "statuses": dict(counts), "status_rates": status_rates(counts)}
            for name, file, counts in zip(self.names, self.files, self.statuses, strict=True)
        ]
        for chain, score in zip(chains, self.scores, strict=bool(self.scores)):
            chain["exact_match"] = score_json(score)
        num = self.num_differing
        return {
            "num_rows": self.num_rows,
            "chains": chains,
            "agreement": [[{"same": each.same, "neither": each.neither} for each in row] for row in self.agreement],
            "differing": {"num": num, "share": num / self.num_rows if self.num_rows else None},
            "range": {"lowest": score_json(self.lowest), "highest": score_json(self.highest)}
            if self.lowest and self.highest
            else None,
            "patterns": {letters(pattern): count for pattern, count in self.patterns.items()},
            "rows": [{**row.to_json(self.names), "completion": row.given.text} for row in self.rows],
        }


def score_json(score: Score) -> dict[str, Any]:
    """A score with its interval, and over how many rows."""
    return {"value": score.value, "low": score.low, "high": score.high, "num": score.num}


def named_chains(pipelines: Sequence[Pipeline]) -> tuple[str, ...]:
    """A name for each pipeline: its own, or its file's where two have the same. Raises `RunError` for fewer than two."""
    if len(pipelines) < 2:
        raise RunError(f"a bake-off compares two pipelines or more, and was given {len(pipelines)}")
    names = [pipeline.name for pipeline in pipelines]
    names = [pipeline.file if names.count(pipeline.name) > 1 else pipeline.name for pipeline in pipelines]
    counted: Counter[str] = Counter()
    for place, name in enumerate(names):
        counted[name] += 1
        names[place] = name if counted[name] == 1 else f"{name} ({counted[name]})"
    return tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """The completions of a bake-off: a file, the field that holds them, that with the right answer, how many to take.

    A row in which the gold answer is null counts for no score.
    """

    path: Path
    field: str | None = None
    gold: str | None = None
    limit: int | None = None


def bake_off(
    pipelines: Sequence[Pipeline],
    completions: Completions,
    *,
    top: int = 20,
    watch: Callable[[BakeoffRow], None] = lambda _: None,
) -> Bakeoff:
    """The chains of the pipelines over the same completions. `watch` is given each row as it comes."""
    names = named_chains(pipelines)
    tally = Tally(num_chains=len(pipelines), top=top)
    for row in read_rows(pipelines, completions):
        tally.add(row)
        watch(row)
    return tally.bakeoff(names, tuple(pipeline.file for pipeline in pipelines))


def read_rows(pipelines: Sequence[Pipeline], completions: Completions) -> Iterator[BakeoffRow]:
    """Each completion with what the chains make of it. Raises `RunError` for a row without the gold's field."""
    for given in read_given(completions.path, completions.field, completions.limit):
        outcomes = tuple(pipeline.chain.align(given.text, given.context()) for pipeline in pipelines)
        gold = None if completions.gold is None else gold_of(given, completions.gold)
        right = () if gold is None else rightness(pipelines, outcomes, gold, given)
        yield BakeoffRow(given=given, outcomes=outcomes, pattern=pattern_of(outcomes), gold=gold, right=right)


def gold_of(given: Given, name: str) -> Any:
    """The right answer that a row holds."""
    if name not in given.fields:
        raise RunError(f"{given.origin}: there is no field {name!r}\n    {known_names(name, map(str, given.fields))}")
    return given.fields[name]


def rightness(pipelines: Sequence[Pipeline], outcomes: Sequence[Outcome], gold: Any, given: Given) -> tuple[float, ...]:
    """Whether each chain's answer is the gold one as that chain writes it; one that could never give it is wrong."""
    return tuple(
        is_right(pipeline, outcome, gold, given) for pipeline, outcome in zip(pipelines, outcomes, strict=True)
    )


def is_right(pipeline: Pipeline, outcome: Outcome, gold: Any, given: Given) -> float:
    """1.0 or 0.0, by exact match."""
    if not isinstance(outcome, Answer):
        return 0.0
    try:
        return ExactMatch()(outcome.value, pipeline.chain.align_target(gold, given.fields))
    except ValueError:
        return 0.0


def pattern_of(outcomes: Sequence[Outcome]) -> Pattern:
    """Who says the same as whom, as exact match sees it: 18 is 18.0, and a half is 0.5."""
    known: list[Any] = []
    pattern: list[int | None] = []
    for outcome in outcomes:
        if not isinstance(outcome, Answer):
            pattern.append(None)
            continue
        group = next((number for number, value in enumerate(known) if is_same(outcome.value, value)), len(known))
        if group == len(known):
            known.append(outcome.value)
        pattern.append(group)
    return tuple(pattern)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts rows as they come. It keeps of each pattern the first `top` rows that differ: no more can be shown."""

    num_chains: int
    top: int
    num_rows: int = 0
    patterns: Counter[Pattern] = field(default_factory=Counter)
    kept: dict[Pattern, list[BakeoffRow]] = field(default_factory=dict)
    statuses: list[Counter[str]] = field(default_factory=list)
    right: list[tuple[float, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.statuses = [Counter() for _ in range(self.num_chains)]

    def add(self, row: BakeoffRow) -> None:
        """Counts one row."""
        self.num_rows += 1
        self.patterns[row.pattern] += 1
        for counts, outcome in zip(self.statuses, row.outcomes, strict=True):
            counts[outcome.status] += 1
        if row.right:
            self.right.append(row.right)
        kept = self.kept.setdefault(row.pattern, [])
        if row.differs and len(kept) < self.top:
            kept.append(row)

    def bakeoff(self, names: tuple[str, ...], files: tuple[str, ...]) -> Bakeoff:
        """What came of all rows so far."""
        chains = range(self.num_chains)
        ranked = sorted((pattern for pattern in self.kept if self.kept[pattern]), key=self.rank)
        columns = list(zip(*self.right, strict=True))
        return Bakeoff(
            names=names,
            files=files,
            num_rows=self.num_rows,
            statuses=tuple(count_statuses(counts.elements(), STATUSES) for counts in self.statuses),
            agreement=tuple(tuple(self.agreement(one, other) for other in chains) for one in chains),
            patterns=dict(self.patterns.most_common()),
            rows=tuple(row for pattern in ranked for row in self.kept[pattern])[: self.top],
            scores=tuple(summarize("exact_match", column) for column in columns),
            lowest=summarize("lowest", map(min, self.right)) if self.right else None,
            highest=summarize("highest", map(max, self.right)) if self.right else None,
        )

    def rank(self, pattern: Pattern) -> tuple[int, int, int]:
        """How telling a pattern is, the most telling lowest.

        First those with the most different outcomes, no answer being one; of these, those with the most different
        answers, so that two answers go before an answer beside none; of these, the rarest. Rows of one pattern stay in
        the order of the file.
        """
        outcomes, answers = set(pattern), set(pattern) - {None}
        return -len(outcomes), -len(answers), self.patterns[pattern]

    def agreement(self, one: int, other: int) -> Agreement:
        """How often two chains say the same."""
        same = sum(count for pattern, count in self.patterns.items() if pattern[one] == pattern[other])
        neither = sum(count for pattern, count in self.patterns.items() if pattern[one] is None is pattern[other])
        total = max(1, self.num_rows)
        return Agreement(same=same / total, neither=neither / total)
