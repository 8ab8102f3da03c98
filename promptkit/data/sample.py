"""A sample: one completion from anywhere, with what its file says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from promptkit.data.files import Row
from promptkit.spec.declaration import shorten
from promptkit.text import known_names

__all__ = ["Names", "PlainRows", "Sample", "Shape", "Unreadable", "ended_of", "text_or_unreadable"]

Ended = Literal["stop", "eos", "length"]
COMPLETION = "completion"
# how servers and libraries say why a completion ended, in small letters; what is not among these ended by itself
CUT = frozenset(
    [
        "incomplete",
        "length",
        "max_length",
        "max_model_len",
        "max_new_tokens",
        "max_output_tokens",
        "max_tokens",
        "model_length",
        "token_limit",
        "true",
        "truncated",
    ]
)
STOPPED = frozenset(["stop", "stop_sequence", "stop_string", "stop_word"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A completion that somebody has.

    `id` is the row's own where it has one. `number` counts the completions of one example from 0; None where the file
    counts none. `prompt` and `question` are empty, `target` is None, where nobody says what they are. `thinking` says of
    thinking that it begins with whether it never closed, and where the answer begins; None where nobody does.
    """

    id: Any
    origin: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    number: int | None = None
    prompt: str = ""
    question: str = ""
    ended: Ended = "eos"
    target: Any = None
    thinking: tuple[bool, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A place of the file in which there should be a completion, and why there is none. `is_null`: the file says so."""

    id: Any
    reason: str
    number: int | None = None
    is_null: bool = False


class Shape(Protocol):
    """How a row is read."""

    @property
    def about(self) -> str:
        """What such a file is, to be said to the person who named it; empty for rows that are nothing special."""

    def samples(self, row: Row, fallback_id: str) -> Iterator[Sample | Unreadable]:
        """The completions of a row, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The fields that hold the completion, and what is known beside it; None where no field does."""

    completion: str = COMPLETION
    prompt: str | None = None
    question: str | None = None
    ended: str | None = None
    target: str | None = None

    def beside(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What the named fields say beside the completion, as arguments of a `Sample`."""
        said: dict[str, Any] = {}
        if self.prompt is not None:
            said["prompt"] = text_of(fields.get(self.prompt))
        if self.question is not None:
            said["question"] = text_of(fields.get(self.question))
        if self.ended is not None:
            said["ended"] = ended_of(fields.get(self.ended))
        if self.target is not None:
            said["target"] = fields.get(self.target)
        return said

    def missing(self, fields: Mapping[str, Any]) -> str | None:
        """The first name, other than the completion's, that no field has."""
        named = (self.prompt, self.question, self.ended, self.target)
        return next((name for name in named if name is not None and name not in fields), None)


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Rows of which one field is the completion."""

    names: Names = field(default_factory=Names)
    about: str = ""

    def samples(self, row: Row, fallback_id: str) -> Iterator[Sample | Unreadable]:
        """The one completion."""
        fields = row.fields
        own = fields.get("id")
        id_ = fallback_id if own is None else own
        name = self.names.completion
        if name not in fields:
            hint = known_names(name, fields)
            yield Unreadable(id=id_, reason=f"{row.origin}: there is no field {name!r}; {hint}")
            return
        text = fields[name]
        if isinstance(text, str):
            yield Sample(id=id_, origin=row.origin, text=text, fields=fields, **self.names.beside(fields))
        else:
            yield no_text(text, id_, f"{row.origin}: the field {name!r}")


def text_or_unreadable(text: Any, place: str, **known: Any) -> Iterator[Sample | Unreadable]:
    """The sample of a completion that should be text, and what is `known` of it."""
    if isinstance(text, str):
        yield Sample(text=text, **known)
    else:
        yield no_text(text, known["id"], place, known.get("number"))


def no_text(value: Any, id_: Any, place: str, number: int | None = None) -> Unreadable:
    """What to say of a value that is no text."""
    reason = f"{place} is null" if value is None else f"{place} holds {shorten(value)}, not text"
    return Unreadable(id=id_, number=number, reason=reason, is_null=value is None)


def text_of(value: Any) -> str:
    """A field as text; empty where there is none."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def ended_of(reason: Any) -> Ended:
    """Why a completion ended, from any of the usual words for it.

    >>> ended_of("max_tokens"), ended_of("end_turn"), ended_of("STOP"), ended_of(None)
    ('length', 'eos', 'stop', 'eos')
    """
    word = str(reason).strip().lower()
    return "length" if word in CUT else "stop" if word in STOPPED else "eos"
