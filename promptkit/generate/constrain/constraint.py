"""A constraint, as a request carries it: a grammar in llguidance's dialect, and where it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

__all__ = ["Constraint", "check"]

RULE = 2  # raised when the same constraint may give another completion than before


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What a completion must be. It begins once the text `after` is written; at once, where that is empty."""

    lark: str
    after: str = ""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All of it that can change a completion, as JSON values."""
        return {"lark": self.lark, "after": self.after, "rule": RULE, "llguidance": version("llguidance")}


def check(lark: str) -> str:
    """What llguidance finds wrong with a grammar; empty where it can follow it."""
    from llguidance import LLMatcher  # noqa: PLC0415 - only where a constraint is declared

    is_error, messages = LLMatcher.validate_grammar_with_warnings(LLMatcher.grammar_from_lark(lark))
    return messages[0] if is_error or messages else ""
