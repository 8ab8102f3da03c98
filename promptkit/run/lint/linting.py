"""What the linter has to say of a pipeline."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import PromptkitError
from promptkit.run.lint.allowed import allowed_at
from promptkit.run.lint.rule import Finding, Rule, Skipped
from promptkit.run.lint.rules import RULES
from promptkit.run.lint.subject import NoDemonstrations, Subject, Unknown, first_line
from promptkit.run.pipeline import Pipeline
from promptkit.run.sweeps.sweep import Sweep

__all__ = ["Linted", "lint_pipeline", "lint_sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What was found, in the order of the file; what its lines or the caller allow; the rules that could not know."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    allowed: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def lint_pipeline(pipeline: Pipeline, *, data_folder: Path | None = None, allow: Collection[str] = ()) -> Linted:
    """The findings of all rules. `allow` names rules whose findings are all allowed.

    Rules that need data read the first rows of what is here, and those that need tokens take the tokenizer if it is here;
    nothing is downloaded, and no model is loaded.
    """
    subject = Subject(pipeline, data_folder)
    found: list[Finding] = []
    skipped: list[Skipped] = []
    for code, rule in RULES.items():
        for name, part in parts(subject, rule).items():
            try:
                found += findings_of(code, rule, part)
            except NoDemonstrations:
                continue
            except (Unknown, PromptkitError) as error:
                reason = f"{name}: {first_line(error)}" if name else first_line(error)
                skipped.append(Skipped(code=code, reason=reason))
    kept = [each for each in found if each.code in allow or each.code in allowed_at(each.problem.position)]
    told = sorted((each for each in found if each not in kept), key=place_of)
    return Linted(
        findings=tuple(each for each in told if not each.rule.is_note),
        notes=tuple(each for each in told if each.rule.is_note),
        allowed=tuple(kept),
        skipped=tuple(skipped),
    )


def lint_sweep(sweep: Sweep, *, data_folder: Path | None = None, allow: Collection[str] = ()) -> Linted:
    """The findings in all cells, each once, however many cells have it."""
    linted = [lint_pipeline(each, data_folder=data_folder, allow=allow) for each in sweep.pipelines]
    return Linted(
        findings=once(each for one in linted for each in one.findings),
        notes=once(each for one in linted for each in one.notes),
        allowed=once(each for one in linted for each in one.allowed),
        skipped=tuple(dict.fromkeys(each for one in linted for each in one.skipped)),
    )


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of the file; of those that say the same of the same place, the first."""
    by_place = {(each.code, str(each.problem.position), each.problem.message): each for each in reversed([*findings])}
    return tuple(sorted(by_place.values(), key=place_of))


def parts(subject: Subject, rule: Rule) -> dict[str, Subject]:
    """What a rule looks at: the pipeline, or those of its stages that the rule is about, by name."""
    stages = subject.stages()
    if not stages or rule.scope == "file":
        return {"": subject}
    if rule.scope == "first":
        return dict(list(stages.items())[:1])
    answering = subject.pipeline.answering
    return {name: each for name, each in stages.items() if rule.scope != "answer" or name in answering}


def findings_of(code: str, rule: Rule, subject: Subject) -> list[Finding]:
    """What one rule finds; what an anchor repeats in several places of a file is told once."""
    found: list[Finding] = []
    places = set()
    for problem in rule.find(subject):
        place = (str(problem.position), problem.message)
        if problem.position is None or place not in places:
            found.append(Finding(code=code, rule=rule, problem=problem))
        places.add(place)
    return found


def place_of(finding: Finding) -> tuple[str, int, int, str]:
    """Where a finding stands."""
    position = finding.problem.position
    return (
        (position.source.name, position.line, position.column, finding.code) if position else ("", 0, 0, finding.code)
    )
