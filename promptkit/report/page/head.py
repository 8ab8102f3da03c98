"""What the page says of a run as a whole: scores, statuses, stages, timing, and what was run with what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from promptkit.report.settings import in_words
from promptkit.report.table import format_seconds, thinking_lines

__all__ = ["Head", "ScoreLine", "StatusShare", "head_of", "score_line"]

MAX_ABOUT = 600  # characters of what a file says about itself
DIGEST = 12  # characters of digests; run.json has all
Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """A score with its interval in per cent, as numbers and as text; None over nothing."""

    name: str
    value: float | None
    low: float
    high: float
    note: str = ""

    @property
    def text(self) -> str:
        """The score as people read it."""
        return "n/a" if self.value is None else f"{self.value:.1f} %"

    @property
    def interval(self) -> str:
        """Its interval; empty over nothing."""
        return "" if self.value is None else f"{self.low:.1f} to {self.high:.1f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusShare:
    """How many completions, or decisions over samples, have a status."""

    name: str
    num: int
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is said of a run: `number` is its place on the page, `facts` are names and values."""

    number: int
    label: str
    pipeline: str
    about: str
    model: str
    num_examples: int
    scores: tuple[ScoreLine, ...]
    statuses: tuple[StatusShare, ...]
    stages: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    timing: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    declaration: str


def head_of(summary: Summary, number: int, label: str) -> Head:
    """What is said of a run."""
    declaration = summary["declaration"]
    about = str(declaration.get("about") or "")
    return Head(
        number=number,
        label=label,
        pipeline=summary["pipeline"],
        about=about if len(about) <= MAX_ABOUT else about[: MAX_ABOUT - 1] + "…",
        model=summary["model"],
        num_examples=summary["num_examples"],
        scores=tuple(score_lines(summary)),
        statuses=tuple(status_shares(summary["statuses"])),
        stages=tuple(stage_rows(summary.get("stages") or {})),
        lines=(*thinking_lines([summary]), *other_lines(summary)),
        timing=tuple(timing_facts(summary)),
        facts=tuple(facts(summary)),
        declaration=yaml.safe_dump(plain(declaration), sort_keys=False, allow_unicode=True, width=100),
    )


def score_line(name: str, score: Mapping[str, float | None], note: str = "") -> ScoreLine:
    """A score of a summary as the page shows it."""
    value, low, high = (score.get(each) for each in ("value", "low", "high"))
    per_cent = None if value is None else 100 * value
    ends = (100 * (value or 0) if end is None else 100 * end for end in (low, high))
    return ScoreLine(name=name, value=per_cent, low=next(ends), high=next(ends), note=note)


def score_lines(summary: Summary) -> Iterator[ScoreLine]:
    """Each metric over all examples, over the answered alone, of single samples, and before options were weighed."""
    single: Mapping[str, Any] = (summary.get("samples") or {}).get("scores") or {}
    calibration = summary.get("calibration") or {}
    before: Mapping[str, Any] = (calibration.get("before") or {}).get("scores") or {}
    for name, score in summary["scores"].items():
        yield score_line(name, score)
        answered = score.get("answered")
        if answered and answered["num"] != summary["num_examples"]:
            yield score_line("", answered, f"of the {answered['num']:,} answered")
        if name in single:
            yield score_line("", single[name], "of single samples")
        if name in before:
            yield score_line("", before[name], f"before {calibration['kind']}")


def status_shares(statuses: Mapping[str, int]) -> Iterator[StatusShare]:
    """The statuses that came up, and always how many were answered."""
    total = sum(statuses.values()) or 1
    for name, num in statuses.items():
        if num or name == "answered":
            yield StatusShare(name=name, num=num, percent=100 * num / total)


def stage_rows(stages: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Of each stage: its name, how often it ran, how often it answered, its statuses, its tokens."""
    for name, each in stages.items():
        statuses = ", ".join(f"{status} {num:,}" for status, num in each["statuses"].items() if num)
        nums = (each["num_ran"], each["num_answers"], each["prompt_tokens"], each["new_tokens"])
        ran, answers, prompt, new = (f"{num:,}" for num in nums)
        yield name, ran, answers, statuses, prompt, new


def other_lines(summary: Summary) -> Iterator[str]:
    """What a summary says beside: how samples were decided, how sure choices were, how options were weighed."""
    if summary.get("samples"):
        yield f"{summary['num_samples']:,} samples, decided by {summary['samples']['decided_by']}"
    if confidence := summary.get("confidence"):
        yield f"expected calibration error {confidence['ece']:.3f}" if confidence["ece"] is not None else ""
    if (calibration := summary.get("calibration")) and calibration["num_fitted"]:
        yield (
            f"{calibration['kind']}: {calibration['num_parameters']:,} parameters fitted to "
            f"{calibration['num_fitted']:,} rows"
        )
    if "dropped_after" in summary:
        yield f"dropped by the race after {summary['dropped_after']:,} examples"


def timing_facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """Time and tokens; nothing of a cell, whose work is shared with others."""
    timing: Mapping[str, Any] = summary.get("timing") or {}
    if timing.get("total_s") is not None:
        yield "time", format_seconds(timing["total_s"])
        parts = [(name, timing.get(f"{name}_s")) for name in ("load", "prefill", "decode")]
        yield "of it", ", ".join(f"{name} {format_seconds(value)}" for name, value in parts if value)
    if timing:
        computed = timing.get("computed_prompt_tokens")
        some = f", {computed:,.0f} of them computed" if computed is not None else ""
        yield "prompt tokens", f"{timing['prompt_tokens']:,}{some}"
        yield "new tokens", f"{timing['new_tokens']:,}"
    if done := summary.get("completions"):
        stored = f", {done['from_store']:,} from the store" if done.get("from_store") else ""
        yield "completions", f"{done['computed']:,} computed{stored}"


def facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """What was run with what, and when."""
    identity: Mapping[str, Any] = summary.get("identity") or {}
    selection: Mapping[str, Any] = summary.get("selection") or {}
    yield "file", summary["file"]
    yield "model", " · ".join(str(identity[name]) for name in ("kind", "dtype", "device") if identity.get(name))
    if selection:
        limit = f", the first {selection['limit']:,}" if selection.get("limit") else ""
        yield "examples", f"split {selection['split']}{limit}"
    versions = {
        "promptkit": summary.get("promptkit"),
        **{name: identity.get(name) for name in ("torch", "transformers")},
    }
    yield "versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    yield "when", str(summary.get("made_at") or "").replace("T", " ")
    yield "weights", str(identity.get("weights") or "")[:DIGEST]
    yield "digest", str(summary.get("digest") or "")[:DIGEST]
    if settings := summary.get("settings"):
        yield "settings", in_words(dict(settings))


def plain(value: Any) -> Any:
    """A declaration as values that YAML has a form for."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if value is None or type(value) in (bool, int, float, str) else str(value)
