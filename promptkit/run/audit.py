"""The audit of a run: some of its rows computed once more, each alone, by the model's plain reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from promptkit.errors import Interrupted, RunError
from promptkit.generate import Completion, Generator, HasReference
from promptkit.run.asking import unconditional
from promptkit.run.plan import Job
from promptkit.run.record import Grader, Made, Record

__all__ = ["audit", "check_has_reference", "spread"]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One row beside the same row alone: what differs, None for nothing; how far log-likelihoods lie apart at most."""

    differing: dict[str, Any] | None
    difference: float = 0.0


def check_has_reference(generator: Generator) -> None:
    """Nothing; or `RunError` where the generator has nothing to compare a row with."""
    if not isinstance(generator, HasReference):
        raise RunError(
            f"--audit: model {generator.name!r} has no reference that its rows could be compared with\n"
            "    only models that are computed on this machine have one"
        )


def audit(
    jobs: Sequence[Job], made: Sequence[Made], generator: Generator, grader: Grader, num_rows: int
) -> dict[str, Any]:
    """How many of `num_rows` rows, evenly spread, are the same computed alone, and how the others differ.

    Free text is compared token for token; of options, the chosen one, and `max_difference` says how far the
    log-likelihoods lie apart at most. Raises `Interrupted` on Ctrl-C.
    """
    assert isinstance(generator, HasReference)
    pairs = [(job, each) for job, each in zip(jobs, made, strict=True) if is_comparable(each.completion)]
    try:
        rows = [
            compare_choice(job, each, generator, grader) if job.options else compare_text(job, each, generator)
            for job, each in spread(pairs, num_rows)
        ]
    except KeyboardInterrupt as error:
        raise Interrupted(
            "stopped in the audit: every completion is in the store; the same command goes on from there"
        ) from error
    differing = [row.differing for row in rows if row.differing is not None]
    found = {"rows": len(rows), "agree": len(rows) - len(differing), "dtype": generator.identity.get("dtype")}
    if any(job.options for job in jobs):
        found["max_difference"] = max((row.difference for row in rows), default=0.0)
    return {**found, "differing": differing}


def is_comparable(completion: Completion) -> bool:
    """Whether the completion holds what can be compared: tokens, or scores of options."""
    return bool(completion.token_ids or completion.options)


def spread(values: Sequence[Value], num: int) -> list[Value]:
    """`num` of the values, evenly spread; all of them where there are no more.

    >>> spread("abcdefgh", 2), spread("abc", 9)
    (['c', 'g'], ['a', 'b', 'c'])
    """
    num = min(num, len(values))
    return [values[(2 * place + 1) * len(values) // (2 * num)] for place in range(num)]


def compare_text(job: Job, made: Made, generator: HasReference) -> Compared:
    """Where a text that was made parts from the one computed alone."""
    parting = generator.parting(job.request, made.completion, generator.alone(job.request))
    return Compared(differing=None if parting is None else {**named(job), **asdict(parting)})


def compare_choice(job: Job, made: Made, generator: HasReference, grader: Grader) -> Compared:
    """Whether the scores computed alone choose the same option, and how far they lie from those that were made."""
    wanted = {ask.key for ask in unconditional(grader.choose, job.example.fields)}
    asked = {name: generator.alone(request) for name, request in job.asked.items() if name in wanted}
    alone = Made(completion=generator.alone(job.request), asked=asked)
    difference = score_difference(made.completion, alone.completion)
    here, there = chosen(grader.record(job, made)), chosen(grader.record(job, alone))
    if here == there:
        return Compared(differing=None, difference=difference)
    return Compared(
        differing={**named(job), "run": here, "alone": there, "difference": difference}, difference=difference
    )


def score_difference(made: Completion, alone: Completion) -> float:
    """How far the log-likelihoods of two completions' options lie apart at most."""
    pairs = zip(made.options, alone.options, strict=True)
    return max(abs(one.log_likelihood - other.log_likelihood) for one, other in pairs)


def chosen(record: Record) -> str:
    """The option that a record chose, and whether another had the same score."""
    return record.completion.text + (" (ambiguous)" if record.outcome.status == "ambiguous" else "")


def named(job: Job) -> dict[str, Any]:
    """Which row it is."""
    return {"id": job.example.id, "sample": job.sample}
