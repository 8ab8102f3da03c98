"""`constrain` of `generate:`: what a completion must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import regex
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from regex import Pattern  # `regex` is a field where it is needed

from promptkit.errors import GrammarError
from promptkit.generate.constrain.constraint import Constraint, check
from promptkit.generate.constrain.dialect import (
    NotShared,
    begins_at_edge,
    constraining,
    of_grammar,
    of_pattern,
    of_schema,
    of_texts,
)
from promptkit.spec import Declaration, Grammar, Template

__all__ = ["STEPS", "Constrain", "NotConstrained"]

Step = Literal["grammar", "regex", "json", "choice"]
STEPS: tuple[Step, ...] = ("grammar", "regex", "json", "choice")
FORMS = ("step", "regex", "json", "choice", "grammar")


class NotConstrained(Exception):
    """No completion can be constrained so; the message says why."""


class Constrain(Declaration):
    """What a completion can be, and nothing else: no token is taken that leads elsewhere.

    Where a completion may end and the model would go on with what is not allowed, it ends.
    """

    main: ClassVar[str | None] = "step"

    step: Step | None = Field(
        default=None, description="the kind of align step, of which the chain's first says what a completion must be"
    )
    regex: str | None = Field(default=None, description="a pattern that must match all of the completion")
    json_schema: Mapping[str, Any] | None = Field(
        default=None, alias="json", description="a JSON Schema that the completion must be a document of; {} is any"
    )
    choice: Template | tuple[str, ...] | None = Field(
        default=None, description="the texts of which the completion must be one: a list, or a template that gives one"
    )
    grammar: Grammar | None = Field(
        default=None, description="a grammar in Lark's language, or the name of a .lark file"
    )
    start: str = Field(default="start", description="the grammar's rule that the completion must be")
    after: str = Field(
        default="",
        description="the text, such as </think>, with whose first coming the constraint begins; empty for at once",
    )
    lead: str = Field(
        default=" ",
        description="white space that may come first, since a completion often begins with a space; empty for none",
    )

    @field_validator("lead")
    @classmethod
    def _is_white(cls, lead: str) -> str:
        if lead.strip():
            raise PydanticCustomError("lead", "must be white space, not {value}", {"value": repr(str(lead))})
        return lead

    @model_validator(mode="after")
    def _can_be_followed(self) -> Constrain:
        given = [name for name in FORMS if getattr(self, "json_schema" if name == "json" else name) is not None]
        if len(given) != 1:
            known = ", ".join(FORMS)
            raise PydanticCustomError("constrain", "needs one of {known}", {"known": known})
        try:
            _ = self.fixed
        except NotConstrained as error:
            raise PydanticCustomError("constrain", "{why}", {"why": str(error), "at": (given[0],)}) from error
        except GrammarError as error:
            raise PydanticCustomError("grammar", "grammar", {"problem": error.problem}) from error
        return self

    @cached_property
    def fixed(self) -> Constraint | None:
        """The constraint, where it is the same for every example and stands here. Raises `NotConstrained`."""
        if self.regex is not None:
            return self.by_pattern(compiled(self.regex))
        if self.json_schema is not None:
            return self.by_schema(self.json_schema)
        if self.grammar is not None:
            return self.by_grammar(self.grammar, self.start)
        return None if self.choice is None or isinstance(self.choice, Template) else self.by_texts(self.choice)

    def texts(self, fields: Mapping[str, Any]) -> Sequence[str]:
        """The texts of `choice` for one example. Raises `ValueError` where they are none, and `TemplateError`."""
        assert isinstance(self.choice, Template)
        value = self.choice.value(fields)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError(f"`constrain.choice` must give a list of texts, not {value!r}")  # noqa: TRY004 - a value of the data
        return [each if isinstance(each, str) else str(each) for each in value]

    def by_pattern(self, pattern: Pattern[str], answer: int | str = 0, *, stripped: str | None = None) -> Constraint:
        """The constraint to what a pattern matches; see `of_pattern`."""
        try:
            body = of_pattern(pattern, answer, stripped=stripped)
        except NotShared as error:
            raise NotConstrained(f"the pattern has {error}, which a constraint cannot follow") from error
        may_lead = stripped is not None or not begins_at_edge(pattern)
        return self.ready(body, lead=self.lead if may_lead else "")

    def by_grammar(self, grammar: Grammar, start: str) -> Constraint:
        """The constraint to what a grammar's rule is. Raises `GrammarError` at the grammar's line."""
        return self.ready(of_grammar(grammar, start), lead=self.lead)

    def by_schema(self, schema: Mapping[str, Any]) -> Constraint:
        """The constraint to documents of a JSON Schema."""
        return self.ready(of_schema(schema), lead=self.lead)

    def by_texts(self, texts: Sequence[str]) -> Constraint:
        """The constraint to these texts."""
        if not texts or not all(text.strip() for text in texts):
            raise NotConstrained(f"`choice` must be texts, none of them empty, not {list(texts)!r}")
        return self.ready(of_texts(texts), lead=self.lead)

    def ready(self, body: str, *, lead: str) -> Constraint:
        """The constraint, after llguidance has looked at it."""
        lark = constraining(body, lead=lead, after=self.after)
        if wrong := check(lark):
            why = wrong.strip().splitlines()[0].rpartition("failed to compile JSON schema: ")[2]
            raise NotConstrained(f"a constraint cannot follow it: {why}")
        return Constraint(lark=lark, after=self.after)


def compiled(pattern: str) -> regex.Pattern[str]:
    """The pattern, ready. Raises `NotConstrained` where it does not compile."""
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise NotConstrained(f"the pattern does not compile: {getattr(error, 'msg', None) or error}") from error
