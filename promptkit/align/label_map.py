"""`label_map`: from the options, as source labels, to the targets, by a map fitted on solved rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import fsum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Found, Missing
from promptkit.align.weighing import ASK_AGAIN, ScoreRow, Weighed, Weighing, WeighingStep, softmax
from promptkit.errors import DataError, RunError
from promptkit.spec import Coordinates, Count, Seed
from promptkit.spec.declaration import shorten

__all__ = ["LabelMap", "bayesian", "greedy"]

Label = str | int
Table = list[list[float]]  # (S, T): a row for each source label, a column for each target


class LabelMap(WeighingStep):
    """Maps the options of `choose`, any words, to targets, as model reprogramming does (Tsai et al. 2020).

    `frequency`: each target gets the one word that the model chooses most often for it, pair by pair, the commonest first
    (FLM: Chen et al. 2023, section 3; Cai et al. 2024, section 3). `bayesian`: each word counts for each target,
    omega = n(word, target) / (n(word) + smoothing), each target's column over its sum (BLM: Cai et al. 2024, section 4);
    `bayesian_top`: the same, where the probabilities of the `top` likeliest words are counted, and not the best word alone
    (BLM+). Fitted on solved rows, which are asked through the same prompt and never shown to themselves.
    """

    kind = "label_map"
    main: ClassVar[str | None] = "method"
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical", configuration="learnable")
    reads_scores: ClassVar[bool] = True
    gives_options: ClassVar[bool] = False

    method: Literal["frequency", "bayesian", "bayesian_top"] = Field(
        default="bayesian_top", description="frequency (one word a target), bayesian (weights), bayesian_top"
    )
    to: tuple[Label, ...] | None = Field(
        default=None, min_length=2, description="the targets; those of the solved rows if not given"
    )
    source: str = Field(default="train", alias="from", description="the split of the solved rows")
    take: Count | None = Field(default=None, description="how many of them, drawn by the seed; all if not given")
    seed: Seed = Field(default=0, description="decides which are drawn")
    smoothing: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="added to each word's count (the paper's lambda)"
    )
    top: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.15, description="with bayesian_top: the share of the words that is counted, at least one word"
    )

    @field_validator("to", mode="after")
    @classmethod
    def _differ(cls, value: tuple[Label, ...] | None) -> tuple[Label, ...] | None:
        if value is not None and len(set(map(str, value))) < len(value):
            raise PydanticCustomError("same_target", "a target stands there twice")
        return None if value is None else tuple(str(each) if isinstance(each, str) else each for each in value)

    def __call__(self, found: Found) -> Found | Missing:
        """The most probable target. There is none for text that nobody scored."""
        if found.context.weighed is None:
            return Missing(reason="there are no scores of options, as `choose` gives them")
        return super().__call__(found)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The declared target that it is. Raises `ValueError` where it is none."""
        if self.to is None:
            return target
        found = next((each for each in self.to if str(each) == str(target)), None)
        if found is None:
            raise ValueError(f"{shorten(target)} is none of the targets {', '.join(map(str, self.to))}")
        return found

    def drawn(self, ids: Sequence[str]) -> list[int]:
        """Which rows it is fitted on, by their ids: numbers in order. Drawing again from those drawn changes nothing."""
        if self.take is None:
            return list(range(len(ids)))
        ranked = sorted(range(len(ids)), key=lambda number: digest_of(self.seed, self.kind, ids[number]))
        return sorted(ranked[: self.take])

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """All rows, by what was fitted. Raises `RunError` where nothing is there to be fitted on."""
        if not fitting:
            raise RunError(f"label_map: the run asked the model about no solved rows\n    {ASK_AGAIN}")
        words, targets = fitting[0].options, self.targets(fitting)
        if other := next((row for row in rows if row.options != words), None):
            raise RunError(f"label_map: {other.label} has other options than the solved rows")
        known = [str(each) for each in targets]
        owners = [known.index(str(row.target)) for row in fitting]
        weights = self.fitted([softmax(row.scores) for row in fitting], owners, len(targets))
        return Weighing(
            rows=tuple(mapped(row, targets, weights) for row in rows),
            num_fitted=len(fitting),
            num_parameters=self.num_learned(len(words), len(targets)),
            parameters={"options": list(words), "targets": list(targets), "weights": weights},
        )

    def num_parameters(self, num_options: int) -> int | None:
        """Where it says what the targets are."""
        return self.num_learned(num_options, len(self.to)) if self.to else None

    def num_learned(self, num_words: int, num_targets: int) -> int:
        """A word for each target, or a weight for each word and target."""
        return num_targets if self.method == "frequency" else num_words * num_targets

    def targets(self, fitting: Sequence[ScoreRow]) -> tuple[Any, ...]:
        """The declared targets, or those of the rows, in the order in which they come. Raises `DataError`."""
        seen: dict[str, Any] = {}
        for row in fitting:
            if row.target is None:
                raise DataError(f"label_map: {row.label} has no target, and the map is fitted on solved rows")
            seen.setdefault(str(row.target), row.target)
        found = self.to or tuple(seen.values())
        if len(found) > len(fitting[0].options) and self.method == "frequency":
            raise DataError(
                f"label_map: {len(found)} targets need a word each, and `choose` has {len(fitting[0].options)} options"
            )
        return found

    def fitted(self, probabilities: Sequence[Sequence[float]], owners: Sequence[int], num_targets: int) -> Table:
        """The weights (S, T), from each row's probabilities (N, S) and the number of its target (N,)."""
        num_words = len(probabilities[0])
        share = Fraction(str(self.top))  # as it is written: 0.29 * 100 is less than 29 in binary
        num_top = max(1, int(share * num_words)) if self.method == "bayesian_top" else 1
        counts = [[0.0] * num_targets for _ in range(num_words)]
        for row, owner in zip(probabilities, owners, strict=True):
            for word in sorted(range(num_words), key=lambda each, row=row: -row[each])[:num_top]:  # type: ignore[misc]
                counts[word][owner] += row[word] if self.method == "bayesian_top" else 1.0
        return greedy(counts) if self.method == "frequency" else bayesian(counts, self.smoothing)


def greedy(counts: Table) -> Table:
    """A word for each target: 1 there and 0 elsewhere (S, T). The pair with the most rows first, of equals the first."""
    num_targets = len(counts[0])
    weights = [[0.0] * num_targets for _ in counts]
    words, targets = set(range(len(counts))), set(range(num_targets))
    while targets and words:
        word, target = max(
            ((word, target) for word in sorted(words) for target in sorted(targets)),
            key=lambda pair: counts[pair[0]][pair[1]],
        )
        weights[word][target] = 1.0
        words.remove(word)
        targets.remove(target)
    return weights


def bayesian(counts: Table, smoothing: float) -> Table:
    """Omega (S, T): counts over each word's smoothed sum, then each target's column over its own sum."""
    shares = [[each / (fsum(row) + smoothing) if fsum(row) else 0.0 for each in row] for row in counts]
    sums = [fsum(column) for column in zip(*shares, strict=True)]
    return [[each / total if total else 0.0 for each, total in zip(row, sums, strict=True)] for row in shares]


def mapped(row: ScoreRow, targets: Sequence[Any], weights: Table) -> Weighed:
    """A row's probabilities of the targets: sums over the words, each by its weight, over their sum."""
    words = softmax(row.scores)
    sums = [
        fsum(word * weight for word, weight in zip(words, column, strict=True)) for column in zip(*weights, strict=True)
    ]
    total = fsum(sums)
    even = 1 / len(sums)
    return Weighed(values=tuple(targets), probabilities=tuple(each / total if total else even for each in sums))


def digest_of(seed: int, purpose: str, name: str) -> bytes:
    """What a row is drawn by."""
    return hashlib.sha256(f"{seed}\0{purpose}\0{name}".encode()).digest()
