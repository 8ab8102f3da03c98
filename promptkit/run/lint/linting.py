"""What the linter has to say of a pipeline."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import PromptkitError
from promptkit.run.lint.allowed import allowances, allowances_at
from promptkit.run.lint.rule import Finding, Rule, Skipped
from promptkit.run.lint.rules import RULES, UNUSED
from promptkit.run.lint.subject import NoDemonstrations, Subject, Unknown, first_line
from promptkit.run.pipeline import Pipeline
from promptkit.run.sweeps.sweep import Sweep
from promptkit.text import Problem, Source

__all__ = ["Linted", "lint_pipeline", "lint_sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the rules found in one pipeline, which of them could not know, and the file that it was declared in."""

    found: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    source: Source | None


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
    return linted([look(pipeline, data_folder)], allow)


def lint_sweep(sweep: Sweep, *, data_folder: Path | None = None, allow: Collection[str] = ()) -> Linted:
    """The findings in all cells, each once, however many cells have it."""
    return linted([look(each, data_folder) for each in sweep.pipelines], allow)


def look(pipeline: Pipeline, data_folder: Path | None) -> Looked:
    """What all rules find in a pipeline."""
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
    source = pipeline.tree.position.source if pipeline.tree else None
    return Looked(found=tuple(found), skipped=tuple(skipped), source=source)


def linted(looked: Sequence[Looked], allow: Collection[str]) -> Linted:
    """What was found in pipelines that one file declares, parted by what is allowed."""
    found = once(each for one in looked for each in one.found)
    skipped = tuple(dict.fromkeys(each for one in looked for each in one.skipped))
    found = in_order([*found, *unused(looked[0].source, found, {each.code for each in skipped})])
    kept = [each for each in found if each.code in allow or each.code in allowed(each)]
    told = [each for each in found if each not in kept]
    return Linted(
        findings=tuple(each for each in told if not each.rule.is_note),
        notes=tuple(each for each in told if each.rule.is_note),
        allowed=tuple(kept),
        skipped=skipped,
    )


def unused(source: Source | None, found: Sequence[Finding], skipped: Collection[str]) -> Iterator[Finding]:
    """The notes on what a file allows for nothing. Of a rule that could not know, nothing is known here, either."""
    used = {each for one in found for place in one.places for each in allowances_at(place) if each.code == one.code}
    for each in allowances(source) if source else ():
        if each.code in RULES and each.code != UNUSED and each.code not in skipped and each not in used:
            message = f"{each.code} is allowed here, and finds nothing"
            problem = Problem(position=each.position, path="", message=message, hint="leave it out")
            yield Finding(code=UNUSED, rule=RULES[UNUSED], problem=problem)


def allowed(finding: Finding) -> set[str]:
    """The codes that comments allow where a finding may be allowed."""
    return {each.code for place in finding.places for each in allowances_at(place)}


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of findings that say the same of the same place, the first."""
    by_place: dict[tuple[str, str, str], Finding] = {}
    for each in findings:
        by_place.setdefault((each.code, str(each.problem.position or each.problem.path), each.problem.message), each)
    return tuple(by_place.values())


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order of the file."""
    return tuple(sorted(findings, key=place_of))


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
