"""A step that weighs: it reads the scores of all options in all rows, and gives each row its answer."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, fsum, isclose, log
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep
from promptkit.errors import RunError
from promptkit.spec import Coordinates, Count

__all__ = [
    "ASK_AGAIN",
    "Ask",
    "Asks",
    "ScoreRow",
    "Weighed",
    "Weighing",
    "WeighingStep",
    "check_same_number",
    "less",
    "log_mean",
    "log_softmax",
    "softmax",
]

NO_FIELDS: Mapping[str, str] = {}
CLOSE = 1e-12  # probabilities that differ by less are equal: quotients of floats
ASK_AGAIN = "run the pipeline with this step in its `align`: then the model is asked, and what it said is kept"

Asks = Callable[[Mapping[str, Any]], tuple["Ask", ...]]  # from an example's fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A prompt to score a row's options after, beside its own: its own with `fields` replaced, or `prompt` itself."""

    fields: Mapping[str, str] = field(default_factory=lambda: NO_FIELDS)
    prompt: str | None = None

    @property
    def key(self) -> str:
        """What it is known by in a run: JSON."""
        said = {"fields": dict(self.fields)} if self.prompt is None else {"prompt": self.prompt}
        return json.dumps(said, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """The options of a row and their scores (K,), made comparable as `choose` declares.

    `asked` are the scores of the same options after each prompt that the step asked for. `label` names the row in
    messages; `target` is there where the step is fitted to the row.
    """

    label: str
    options: tuple[str, ...]
    scores: tuple[float, ...]
    asked: tuple[tuple[float, ...], ...] = ()
    target: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a row may be answered with, and how probable each of these is; the probabilities sum to 1."""

    values: tuple[Any, ...]
    probabilities: tuple[float, ...]

    @property
    def best(self) -> list[Any]:
        """The most probable value; several where they are equally so."""
        top = max(self.probabilities)
        pairs = zip(self.values, self.probabilities, strict=True)
        return [value for value, probability in pairs if isclose(probability, top, rel_tol=0, abs_tol=CLOSE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """All rows, weighed. `num_fitted` rows is what it was fitted to, 0 where nothing was; `parameters` what came out."""

    rows: tuple[Weighed, ...]
    num_fitted: int = 0
    num_parameters: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)


class WeighingStep(AlignStep):
    """The first step after `choose`: it gives an answer by the scores of all options, and the chain goes on from there.

    Text that nobody scored, as `extract` reads it, it lets pass.
    """

    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical")
    replaces_fields: ClassVar[bool] = False  # whether it asks the row's own prompt with other texts in its fields
    gives_options: ClassVar[bool] = True  # whether its answers are options, so that there is a before and an after

    bins: Count = Field(default=15, description="bins of the expected calibration error, of equal width")

    def asks(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Asks:
        """What is to be asked for a row: a function of its fields. `rows` are the fields of all rows of the run.

        `names` are the fields to replace, where the step replaces some.
        """
        return lambda _: ()

    @property
    def replaced(self) -> tuple[str, ...]:
        """The fields to replace, as declared; empty where they follow from the prompt."""
        return ()

    def drawn(self, ids: Sequence[str]) -> list[int]:
        """Which of the solved rows it is fitted on, by their ids: numbers, in order. None, unless a step needs some."""
        return []

    @abstractmethod
    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """All rows of a run, weighed. `fitting` are solved rows that the step asked for."""

    def num_parameters(self, num_options: int) -> int | None:
        """How many numbers it fits, where each row has `num_options`; None where the data decides it."""
        return 0

    def __call__(self, found: Found) -> Found | Missing:
        """The most probable value, where it is one."""
        weighed = found.context.weighed
        if weighed is None:
            return found
        if len(weighed.best) == 1:
            return found.become(weighed.best[0])
        names = ", ".join(map(repr, weighed.best))
        return Missing(reason=f"{len(weighed.best)} answers are equally probable: {names}", is_ambiguous=True)


def log_softmax(scores: Sequence[float]) -> list[float]:
    """Log-probabilities (K,) whose exponentials sum to 1, from scores (K,)."""
    top = max(scores)
    total = top + log(fsum(exp(score - top) for score in scores))
    return [score - total for score in scores]


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Probabilities (K,) that sum to 1, from scores (K,)."""
    return tuple(exp(each) for each in log_softmax(scores))


def log_mean(rows: Sequence[Sequence[float]]) -> list[float]:
    """The logarithm of the mean probability of each option (K,), from log-probabilities (N, K)."""
    return [peak + log(fsum(exp(each - peak) for each in column) / len(column)) for column, peak in with_peaks(rows)]


def with_peaks(rows: Sequence[Sequence[float]]) -> list[tuple[tuple[float, ...], float]]:
    """Each column with its largest number."""
    return [(column, max(column)) for column in zip(*rows, strict=True)]


def less(row: ScoreRow, log_prior: Sequence[float], strength: float = 1.0) -> Weighed:
    """The row's probabilities over a prior (K,), to the power `strength`, and over their sum."""
    pairs = zip(log_softmax(row.scores), log_prior, strict=True)
    return Weighed(values=row.options, probabilities=softmax([each - strength * prior for each, prior in pairs]))


def check_same_number(kind: str, rows: Sequence[ScoreRow]) -> None:
    """Nothing; or `RunError` where rows have different numbers of options, which a fit by position cannot be made to."""
    for row in rows:
        if len(row.options) != len(rows[0].options):
            raise RunError(
                f"{kind}: options are compared by their position, and {rows[0].label} has {len(rows[0].options)} "
                f"options, {row.label} {len(row.options)}\n    `contextual` and `pmi` take each row by itself"
            )
