"""How sure chosen answers are and how right: the calibration error, and what weighing the options' scores changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from promptkit.align import STATUSES, WeighingStep
from promptkit.generate import Choose
from promptkit.run.pipeline import Pipeline
from promptkit.run.record import Record
from promptkit.run.weighing import probabilities
from promptkit.score import NUM_BINS, calibration_error, count_statuses

__all__ = ["reliability", "stage_reliability"]

ScoresOf = Callable[[Sequence[Record]], dict[str, Any]]


def reliability(records: Sequence[Record], pipeline: Pipeline, scores_of: ScoresOf) -> dict[str, Any]:
    """What a summary says of it: `confidence` where options were chosen from, `calibration` where they were weighed.

    `scores_of` gives the metrics of records.
    """
    confidence = confidence_json(records, pipeline)
    found = {"confidence": confidence} if confidence else {}
    step = pipeline.weighing
    return {**found, "calibration": calibration_json(records, pipeline, step, scores_of)} if step else found


def calibration_json(
    records: Sequence[Record], pipeline: Pipeline, step: WeighingStep, scores_of: ScoresOf
) -> dict[str, Any]:
    """What scores were weighed with, fitted to how many rows, and what came of it: before and after.

    `before` is None where there was no answer before: the options are no targets.
    """
    quality = partial(quality_json, pipeline=pipeline, scores_of=scores_of)
    weighing = next((record.calibrated.weighing for record in records if record.calibrated), None)
    return {
        "kind": step.kind,
        "num_rows": len(records),
        "num_fitted": weighing.num_fitted if weighing else 0,
        "num_parameters": weighing.num_parameters if weighing else 0,
        "before": quality([uncalibrated(record) for record in records]) if step.gives_options else None,
        "after": quality(records),
        "parameters": dict(weighing.parameters) if weighing else {},
    }


def quality_json(records: Sequence[Record], pipeline: Pipeline, scores_of: ScoresOf) -> dict[str, Any]:
    """How good answers are, and how sure."""
    statuses = count_statuses([record.outcome.status for record in records], STATUSES)
    return {"scores": scores_of(records), "statuses": statuses, **(confidence_json(records, pipeline) or {})}


def stage_reliability(
    name: str, records: Sequence[Record], stage: Pipeline, scores_of: ScoresOf
) -> dict[str, dict[str, Any]]:
    """What a summary says under `calibration` of a stage whose options were weighed, call by call; nothing of another.

    `before` and `after` count the statuses of all rows that it ran for; their scores are of the rows that it answers,
    and are not there where it answers none.
    """
    ran = [kept for record in records for kept in record.stages if kept["stage"] == name and "calibrated" in kept]
    if stage.weighing is None or not ran:
        return {}
    weighings = {call: each for record in records for (of, call), each in record.weighings.items() if of == name}
    own = [record for record in records if record.stage == name and record.calibrated]
    after = quality_json(own, stage, scores_of) if own else {}
    before = quality_json([uncalibrated(record) for record in own], stage, scores_of) if own else {}
    calls = [
        {
            "num_rows": sum(kept["call"] == call for kept in ran),
            "num_fitted": weighing.num_fitted,
            "num_parameters": weighing.num_parameters,
            "parameters": dict(weighing.parameters),
        }
        for call, weighing in sorted(weighings.items())
    ]
    return {
        "calibration": {
            "kind": stage.weighing.kind,
            "num_rows": len(ran),
            "calls": calls,
            "before": {**before, "statuses": count_statuses([kept["uncalibrated_status"] for kept in ran], STATUSES)},
            "after": {**after, "statuses": count_statuses([kept["status"] for kept in ran], STATUSES)},
        }
    }


def uncalibrated(record: Record) -> Record:
    """The record as it was before its scores were weighed."""
    calibrated = record.calibrated
    assert calibrated is not None
    assert calibrated.before is not None
    return replace(record, outcome=calibrated.before, scores=calibrated.scores, calibrated=None)


def confidence_json(records: Sequence[Record], pipeline: Pipeline) -> dict[str, Any] | None:
    """The calibration error of the answers' probabilities, by the first metric; None where nothing was chosen.

    `ece` has bins of equal width, `adaptive_ece` bins of equally many answers; both None where no example has a target.
    """
    choose, metric = pipeline.declaration.choose, pipeline.metrics[0].name
    known = [record for record in records if record.completion.options]
    if choose is None or not known:
        return None
    num_bins = pipeline.weighing.bins if pipeline.weighing else NUM_BINS
    try:
        pairs = [(confidence(record, choose), record.scores[metric]) for record in known]
    except KeyError:  # of an older version, which did not keep what `choose` asked beside
        return None
    judged = [(sure, right) for sure, right in pairs if right is not None]
    sure, rights = [each for each, _ in judged], [each for _, each in judged]
    return {
        "ece": calibration_error(sure, rights, num_bins),
        "adaptive_ece": calibration_error(sure, rights, num_bins, "mass"),
        "num_bins": num_bins,
    }


def confidence(record: Record, choose: Choose) -> float:
    """The probability of the most probable answer."""
    return max(record.calibrated.weighed.probabilities if record.calibrated else probabilities(record, choose))
