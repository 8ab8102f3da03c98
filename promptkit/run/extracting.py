"""`extract`: O alone, over completions from anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptkit.align import Answer, Chain, NoAnswer, Outcome, Tried
from promptkit.data import Batch, Names, Sample, Unreadable, open_samples
from promptkit.errors import PromptkitError, TemplateError
from promptkit.run.given import known_of
from promptkit.run.ledger import captures_json
from promptkit.run.pipeline import load
from promptkit.score import Metric
from promptkit.text import Span

__all__ = ["Extracted", "Extractor", "Order", "Tally", "Written", "extract", "not_read", "write_rows"]

# JSON as every row is written; what JSON cannot say, dates for instance, as its text
to_json = json.JSONEncoder(ensure_ascii=False, default=str).encode
to_ascii = json.JSONEncoder(default=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What the chain made of one completion. `id` is the row's own, or made from the file's name and its number.

    `step` of an outcome is None where there was no completion to be read. `target` is the right answer as the chain
    would have written it, `scores` what the metrics say; empty where nobody asked for them.
    """

    id: Any
    outcome: Outcome
    number: int | None = None
    is_readable: bool = True
    target: Any = None
    target_reason: str = ""
    scores: Mapping[str, float] | None = None

    def to_row(self) -> dict[str, Any]:
        """The row that `extract --out` writes."""
        outcome = self.outcome
        row: dict[str, Any] = {"id": self.id}
        if self.number is not None:
            row["sample"] = self.number
        if isinstance(outcome, Answer):
            span = outcome.span
            row |= {"answer": outcome.value, "status": outcome.status, "span": [span.start, span.end]}
            row["step"] = outcome.step
            if outcome.captures:
                row["captures"] = captures_json(outcome.captures)
        else:
            row |= {"answer": None, "status": outcome.status, "span": None}
            row |= {"step": outcome.step or None, "reason": outcome.reason}
        if outcome.ledger:
            row["ledger"] = [tried_row(each) for each in outcome.ledger]
        if self.scores is not None:
            row |= {"target": self.target, "scores": dict(self.scores)}
        if self.target_reason:
            row |= {"target": None, "target_reason": self.target_reason}
        return row


def tried_row(tried: Tried) -> dict[str, Any]:
    """A line of the ledger, as data."""
    return {
        "step": tried.step,
        "read": span_row(tried.read),
        "span": span_row(tried.span),
        "value": tried.value,
        "reason": tried.reason or None,
        "took_s": round(tried.took_s, 7),
    }


def span_row(span: Span | None) -> list[int] | None:
    """A span, as data."""
    return None if span is None else [span.start, span.end]


@dataclass(slots=True)
class Tally:
    """What a summary says of rows: how many there were of each status, how many could not be read, and the scores.

    `num_without_target` counts rows whose right answer no completion could give, or that have none, where scores were
    asked for. Completions of one example that follow on each other are one value of the score.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    num_unreadable: int = 0
    first_unreadable: str = ""
    num_without_target: int = 0
    scores: list[tuple[Any, Mapping[str, float]]] = field(default_factory=list)

    @property
    def num_rows(self) -> int:
        """All of them."""
        return self.statuses.total()

    def count(self, row: Extracted) -> None:
        """Takes a row in."""
        self.statuses[row.outcome.status] += 1
        if not row.is_readable:
            assert isinstance(row.outcome, NoAnswer)
            self.num_unreadable += 1
            self.first_unreadable = self.first_unreadable or row.outcome.reason
        if row.scores is not None:
            self.scores.append((row.id, row.scores))
        self.num_without_target += bool(row.target_reason)

    def add(self, other: Tally) -> None:
        """Takes in what another counted of the rows that follow."""
        self.statuses += other.statuses
        self.num_unreadable += other.num_unreadable
        self.first_unreadable = self.first_unreadable or other.first_unreadable
        self.num_without_target += other.num_without_target
        self.scores += other.scores

    def values(self, metric: str) -> list[float]:
        """The metric's value of each example."""
        means: list[float] = []
        last, num = None, 0
        for id_, scores in self.scores:
            num = num + 1 if means and id_ == last else 1
            if num == 1:
                means.append(scores[metric])
            else:
                means[-1] += (scores[metric] - means[-1]) / num
            last = id_
        return means


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Rows as lines of JSON, and what there is to say of them."""

    text: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """Reads samples with a chain. `metrics` score them where they have targets; `is_traced` asks for the ledger."""

    chain: Chain
    metrics: Sequence[Metric] = ()
    is_traced: bool = False

    def written(self, batch: Batch) -> Written:
        """The rows of a batch, ready to be written."""
        return write_rows(map(self.extracted, batch.samples()))

    def extracted(self, sample: Sample | Unreadable) -> Extracted:
        """What the chain makes of a sample. A person's mistake that only this row shows makes it unreadable."""
        if isinstance(sample, Unreadable):
            return not_read(sample.id, sample.number, sample.reason, is_null=sample.is_null)
        try:
            outcome = self.chain.align(sample.text, known_of(sample, is_traced=self.is_traced))
            target, scores = self.scores(outcome, sample) if self.metrics else (None, None)
        except PromptkitError as error:
            return not_read(sample.id, sample.number, f"{sample.origin}: {in_one_line(error)}")
        except ValueError as error:
            return Extracted(id=sample.id, number=sample.number, outcome=outcome, target_reason=str(error))
        return Extracted(id=sample.id, number=sample.number, outcome=outcome, target=target, scores=scores)

    def scores(self, outcome: Outcome, sample: Sample) -> tuple[Any, Mapping[str, float]]:
        """The target as the chain would have written it, and each metric's score: 0 where there is no answer.

        Raises `ValueError` where there is no target, or none that a completion could give.
        """
        target = self.chain.align_target(sample.target, sample.fields)
        if target is None:
            raise ValueError("there is no target")
        scores = {
            each.name: each(outcome.value, target) if isinstance(outcome, Answer) else 0.0 for each in self.metrics
        }
        return target, scores


def in_one_line(error: PromptkitError) -> str:
    """What an error says, without the line of the file that it points to."""
    if not isinstance(error, TemplateError):
        return "; ".join(line.strip() for line in str(error).splitlines())
    problem = error.problem
    place = str(problem.position) if problem.position else problem.path
    return "; ".join(part for part in (f"{place}: {problem.message}", problem.hint) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which chain is read with: a pipeline's file, read again in each process, since it may name objects of any kind."""

    file: str
    overrides: Sequence[str] = ()
    allow_code: bool = False
    is_scored: bool = False
    is_traced: bool = False

    def extractor(self) -> Extractor:
        """What reads."""
        pipeline = load(self.file, overrides=self.overrides, allow_code=self.allow_code)
        metrics = pipeline.metrics if self.is_scored else ()
        return Extractor(chain=pipeline.chain, metrics=metrics, is_traced=self.is_traced)


def not_read(id_: Any, number: int | None, reason: str, *, is_null: bool = False) -> Extracted:
    """The row of a place where there is nothing to be read."""
    outcome = NoAnswer(status="empty" if is_null else "unparsed", step="", reason=reason)
    return Extracted(id=id_, number=number, outcome=outcome, is_readable=False)


def write_rows(rows: Iterable[Extracted]) -> Written:
    """The rows, ready to be written."""
    tally, lines = Tally(), []
    for row in rows:
        tally.count(row)
        lines.append(line_of(row))
    return Written(text="".join(lines), tally=tally)


def line_of(row: Extracted) -> str:
    """The row as a line of JSON. What is no Unicode, half of a surrogate pair, is written by its escape."""
    line = to_json(row.to_row())
    try:
        line.encode()
    except UnicodeEncodeError:
        line = to_ascii(row.to_row())
    return line + "\n"


def extract(chain: Chain, path: Path, field: str | None = None, limit: int | None = None) -> Iterator[Extracted]:
    """Each row's outcome, in the order of the file. Raises `DataError` where the file cannot be read at all.

    Without a `field`, logs of other programs are known by their shape, and of any other row the completion is the field
    `completion`.
    """
    names = Names() if field is None else Names(completion=field)
    extractor = Extractor(chain=chain)
    for batch in open_samples(str(path), names, is_plain=field is not None).batches(limit):
        yield from map(extractor.extracted, batch.samples())
