"""What a comparison of runs says: of each pair of them, and of each example that flipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from promptkit.run.compare.cause import CAUSES, Cause
from promptkit.run.compare.moved import Moved
from promptkit.score import Comparison

__all__ = ["Compared", "Flip", "Pair", "Said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a run has of an example: the answer and its status, decided over the samples where they were, and the text.

    `score` is None where the example has no target.
    """

    answer: Any
    status: str
    completion: str
    target: Any
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """An example whose score is another, or, where it has none, whose answer is; and the first thing that differs."""

    id: str
    origin: str
    cause: Cause
    before: Said
    after: Said

    @property
    def change(self) -> float:
        """By how much the score is higher; 0 where there is none."""
        return (self.after.score or 0.0) - (self.before.score or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A run compared with the first.

    `metrics` are those that both have, over examples that both scored; `adjusted` their p-values for all pairs at once.
    `alone` counts examples that only the first and only this run has, and `num_other` those of one id that are not the
    same example. `moved` says what the pipelines do not share, `statuses` what became of the samples, `flips` what
    flipped by one metric, losses first.
    """

    number: int
    metrics: Mapping[str, Comparison]
    adjusted: Mapping[str, float | None]
    num_common: int
    alone: tuple[int, int]
    num_other: int
    moved: Sequence[Moved]
    statuses: Mapping[tuple[str, str], int]
    flips: Sequence[Flip]

    @property
    def causes(self) -> dict[Cause, tuple[int, int]]:
        """How many flips for the better and for the worse each cause has, or in all where nothing is scored."""
        counted = Counter((each.cause, each.change < 0) for each in self.flips)
        return {cause: (counted[cause, False], counted[cause, True]) for cause in CAUSES if self.has(cause)}

    def has(self, cause: Cause) -> bool:
        """Whether any flip has it."""
        return any(each.cause == cause for each in self.flips)

    def to_json(self, top: int) -> dict[str, Any]:
        """The pair as JSON values, with the first `top` flips."""
        metrics = {
            name: {**asdict(each), "num_same": each.num_same, "p_adjusted": self.adjusted[name]}
            for name, each in self.metrics.items()
        }
        return {
            "number": self.number,
            "num_common": self.num_common,
            "num_alone": list(self.alone),
            "num_other": self.num_other,
            "metrics": metrics,
            "moved": [asdict(each) for each in self.moved],
            "statuses": [{"before": a, "after": b, "num": num} for (a, b), num in self.statuses.items()],
            "causes": {cause: {"better": a, "worse": b} for cause, (a, b) in self.causes.items()},
            "num_flips": len(self.flips),
            "flips": [{**asdict(each), "change": each.change} for each in self.flips[:top]],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Runs by the names of their folders, their summaries, and each one after the first compared with it."""

    names: tuple[str, ...]
    summaries: tuple[Mapping[str, Any], ...]
    pairs: tuple[Pair, ...]

    def to_json(self, top: int) -> dict[str, Any]:
        """All of it as JSON values."""
        kept = ("pipeline", "model", "num_examples", "scores", "statuses")
        runs = [
            {"run": name, **{key: summary[key] for key in kept}}
            for name, summary in zip(self.names, self.summaries, strict=True)
        ]
        return {"runs": runs, "pairs": [each.to_json(top) for each in self.pairs]}
