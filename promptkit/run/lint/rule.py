"""A rule of the linter, and a finding: what a rule has to say of one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from promptkit.run.lint.subject import Subject
from promptkit.text import Position, Problem

__all__ = ["Finding", "Need", "Rule", "Scope", "Skipped"]

Need = Literal["data", "tokenizer"]
Scope = Literal["file", "stage", "first", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is looked for, why it costs score, and how to mend it.

    `find` gives the places in a pipeline, and raises `Unknown` where it cannot know. A note is told only where it is
    asked for, and keeps nothing from being well. `scope` says where it looks in a pipeline of stages: at the file, at
    each stage, at the first, whose prompt is known, or at those that answer.
    """

    title: str
    why: str
    mend: str
    find: Callable[[Subject], Iterable[Problem]]
    needs: tuple[Need, ...] = ()
    is_note: bool = False
    scope: Scope = "stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found, where, and what would be right."""

    code: str
    rule: Rule
    problem: Problem

    @property
    def places(self) -> tuple[Position, ...]:
        """Where it may be allowed: in its place, but never within a text for the model; or where its file is named."""
        position, begins = self.problem.position, self.problem.begins
        if position is None or begins is None:
            return (position,) if position else ()
        return (begins,) if begins.source == position.source else (position, begins)

    @property
    def silence(self) -> str:
        """What to write on the line, or above it, to keep it as it is."""
        position = self.problem.position
        if position is None or not position.source.text or position.source.folder is None:
            return f"check --allow {self.code}"
        is_template = position.source.name.endswith(".jinja")
        return f"{{# lint: allow {self.code} -#}}" if is_template else f"# lint: allow {self.code}"

    def __str__(self) -> str:
        path = " ".join(part for part in (self.code, self.problem.path) if part)
        return f"{replace(self.problem, path=path)}\n    why: {self.rule.why}\n    to keep it: {self.silence}{self._elsewhere()}"

    def _elsewhere(self) -> str:
        position = self.problem.position
        place = next(iter(self.places), None)
        if position is None or place is None:
            return ""
        at = f", at {place}" if place.line != position.line else ""
        above = place.source.extended_at
        return f"{at}{f', there or at {above}' if above else ''}"

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        position = self.problem.position
        return {
            "code": self.code,
            "title": self.rule.title,
            "is_note": self.rule.is_note,
            "place": str(position) if position else None,
            "file": position.source.name if position else None,
            "line": position.line if position else None,
            "column": position.column if position else None,
            "path": self.problem.path,
            "message": self.problem.message,
            "hint": self.problem.hint,
            "why": self.rule.why,
            "silence": self.silence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A rule that could not know, and why."""

    code: str
    reason: str
