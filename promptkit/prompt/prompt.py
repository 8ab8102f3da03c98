"""A prompt, piece by piece: what each stretch of it is, and the line that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from promptkit.prompt.shown import Shown
from promptkit.text import Position, Span

__all__ = ["Message", "Piece", "Prompt", "Role", "Segment"]

Role = Literal["text", "system", "user", "assistant", "template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one step of I adds: its text, the role it has in a chat, and the place in the file that made it."""

    text: str
    kind: str
    role: Role = "user"
    position: Position | None = None
    template: str | None = None  # the template file's name, where the text came through one
    example: str | None = None  # the id of the demonstration that it shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece in its place in the prompt. What a chat template adds around the pieces has the role "template"."""

    piece: Piece
    role: Role
    span: Span

    def to_json(self) -> dict[str, Any]:
        """What it is and where it stands, as JSON values."""
        piece = self.piece
        return {
            "kind": piece.kind,
            "role": self.role,
            "span": [self.span.start, self.span.end],
            "line": piece.position.line if piece.position else None,
            "file": piece.position.source.name if piece.position else None,
            "template": piece.template,
            "example": piece.example,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """The exact text for the model, and the segments that cover it from end to end, in order.

    `messages` are the turns that the chat template wrote out; empty where the prompt is plain text. A chat template
    writes BOS and the like itself, so `is_chat` says that the tokenizer must not add them again. `shown` says which
    demonstrations it holds, and which it does not.
    """

    text: str
    segments: tuple[Segment, ...]
    messages: tuple[Message, ...] = ()
    shown: Shown = field(default_factory=Shown)

    @property
    def is_chat(self) -> bool:
        """Whether the model's chat template wrote this text."""
        return bool(self.messages)

    @property
    def opening(self) -> str:
        """The text of the turn that the model goes on with, as far as it stands here; of plain text, all of it."""
        ends = [each.span.end for each in self.segments if each.role in ("system", "user")]
        return self.text[max(ends, default=0) :]

    @classmethod
    def from_pieces(cls, pieces: Iterable[Piece]) -> Prompt:
        """The plain prompt: the pieces one after another, byte for byte."""
        segments, start = [], 0
        for piece in pieces:
            end = start + len(piece.text)
            segments.append(Segment(piece=piece, role="text", span=Span(start=start, end=end)))
            start = end
        return cls(text="".join(each.piece.text for each in segments), segments=tuple(segments))
