"""Chat formatting, through the model's own template, with every piece found again in what the template wrote."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from promptkit.errors import TemplateError
from promptkit.prompt.prompt import Message, Piece, Prompt, Role, Segment
from promptkit.prompt.section import Chat
from promptkit.text import Problem, Span

__all__ = ["ChatFormat", "messages_of"]


MARK = "\ue000{}\ue001"  # private-use characters: no turn holds them, no template looks for them
CLOSE = "</think>"
FOLD = "`chat: {system: fold}` puts the system's text at the beginning of the user's turn"
MARKS = re.compile("\ue000(\\d+)\ue001")


class GenerationBlock(Extension):
    """`{% generation %}`, which marks the assistant's words for training; here it is only what it holds."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own kind of attribute

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """The block's body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatRefusal(JinjaError):
    """A chat template called `raise_exception`."""


@functools.lru_cache(maxsize=16)
def sandbox() -> ImmutableSandboxedEnvironment:
    """The sandbox in which chat templates expect to run: transformers' settings and the names it lends them."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", GenerationBlock]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().astimezone().strftime(form)
    return environment


def to_json(value: Any, **options: Any) -> str:
    """JSON as chat templates expect it: readable, nothing escaped for HTML."""
    return json.dumps(value, **{"ensure_ascii": False, **options})


def refuse(message: str) -> None:
    """What a chat template calls when it cannot write these turns."""
    raise ChatRefusal(message)


class ChatFormat:
    """A model's way to write a chat: its template and its special tokens."""

    __slots__ = ("_jinja", "_special_tokens", "chat", "model")

    def __init__(
        self, template: str, special_tokens: Mapping[str, str], *, model: str, chat: Chat | None = None
    ) -> None:
        self.model = model
        self.chat = chat or Chat()
        self._special_tokens = dict(special_tokens)
        self._jinja = sandbox().from_string(template)

    def render(self, messages: Sequence[Message]) -> str:
        """The chat as text, up to where the assistant begins to write. Raises `TemplateError` if it is refused."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return self.written(turns)
        except Exception as error:
            raise self.refusal(f"refuses these turns: {error}", messages) from error

    def written(self, turns: Sequence[Mapping[str, str]]) -> str:
        """What the template writes. Raises whatever it raises."""
        told = {**self._special_tokens, **self.chat.variables}
        return self._jinja.render(messages=turns, add_generation_prompt=True, **told)

    def writes_folded(self, messages: Sequence[Message]) -> bool:
        """Whether the template writes these turns once the system's is the user's."""
        folded = messages_of(Piece(text=each.content, kind="", role=as_user(each.role)) for each in messages)
        try:
            self.written([{"role": each.role, "content": each.content} for each in folded])
        except Exception:  # noqa: BLE001 - whatever it is, it writes nothing
            return False
        return True

    def refusal(self, what: str, messages: Sequence[Message]) -> TemplateError:
        """What to raise where the template does not write these turns."""
        hint = "turns: " + ", ".join(message.role for message in messages)
        if any(message.role == "system" for message in messages) and self.writes_folded(messages):
            hint += f"\n    {FOLD}"
        return TemplateError(
            Problem(position=None, path="chat", message=f"the chat template of {self.model!r} {what}", hint=hint)
        )

    def prompt(self, pieces: Sequence[Piece]) -> Prompt:
        """The prompt that the pieces become as turns of a chat.

        A last turn of the assistant is left open: its text stands after the template's opening of that turn.
        """
        arranged = self.chat.arranged(pieces)
        messages = messages_of(arranged)
        return Prompt(
            text=self.text(messages), segments=tuple(self.segments(messages, arranged)), messages=tuple(messages)
        )

    def text(self, messages: Sequence[Message]) -> str:
        """The chat as text; a last turn of the assistant begins what the model continues."""
        if messages and messages[-1].role == "assistant":
            return self.render(messages[:-1]) + messages[-1].content
        return self.render(messages)

    def segments(self, messages: Sequence[Message], pieces: Sequence[Piece]) -> list[Segment]:
        """The segments that cover the chat's text: the pieces where the template put them, its own text between.

        The places are found by writing the same turns with marks in the place of their contents. Where the template
        trims contents, or leaves thinking out, so are the pieces; where it does more, the text is one segment of its own.
        Raises `TemplateError` where it leaves a turn out.
        """
        text = self.text(messages)
        marked = self.text([Message(role=each.role, content=MARK.format(i)) for i, each in enumerate(messages)])
        frame = MARKS.split(marked)  # text, number, text, number, ..., text
        order = [int(number) for number in frame[1::2]]
        for number, message in enumerate(messages):
            if number not in order and message.content.strip():
                raise self.refusal(f"leaves out turn {number + 1}, the {message.role}'s", messages)
        if order == list(range(len(messages))) and (shown := shown_contents(text, frame[::2], messages)):
            return list(lay_out(frame[::2], shown, messages, pieces))
        return [template_segment(text, 0, len(text))]


def as_user(role: Role) -> Role:
    """The role, where it is not the system's; else the user's."""
    return "user" if role == "system" else role


def messages_of(pieces: Iterable[Piece]) -> list[Message]:
    """The turns that pieces make: neighbours of one role are one turn, byte for byte."""
    messages: list[Message] = []
    for piece in pieces:
        if messages and messages[-1].role == piece.role:
            messages[-1] = Message(role=piece.role, content=messages[-1].content + piece.text)
        else:
            messages.append(Message(role=piece.role, content=piece.text))
    return messages


def shown_contents(text: str, frame: Sequence[str], messages: Sequence[Message]) -> list[str]:
    """What a template shows of each turn between the texts of its frame; empty where it does more than leave out."""
    shown: list[str] = []
    cursor = len(frame[0])
    for message, after in zip(messages, frame[1:], strict=True):
        ways = [way for way in ways_to_show(message.content) if text.startswith(way + after, cursor)]
        if not ways:
            return []
        shown.append(ways[0])
        cursor += len(ways[0]) + len(after)
    return shown if "".join(interleave(frame, shown)) == text else []


def ways_to_show(content: str) -> Iterator[str]:
    """A turn's text as templates show it: whole, trimmed, or without the thinking before it (Qwen 3, DeepSeek R1)."""
    answer = content.rpartition(CLOSE)[2]
    for text in (content, answer):
        yield from (text, text.strip(), text.lstrip(), text.rstrip(), text.lstrip("\n"))


def interleave(frame: Sequence[str], contents: Sequence[str]) -> Iterator[str]:
    """The frame's texts with the contents between them."""
    for around, content in zip(frame, [*contents, ""], strict=True):
        yield around
        yield content


def lay_out(
    frame: Sequence[str], shown: Sequence[str], messages: Sequence[Message], pieces: Sequence[Piece]
) -> Iterator[Segment]:
    """The segments of a chat, from the template's own texts and what it shows of each turn."""
    text = "".join(interleave(frame, shown))
    cursor, waiting = 0, list(pieces)
    for around, content, message in zip(frame, shown, messages, strict=False):
        if around:
            yield template_segment(text, cursor, cursor + len(around))
        first = cursor + len(around) - message.content.find(content)  # where the turn would begin, untrimmed
        cursor += len(around) + len(content)
        end = first
        while waiting and end < first + len(message.content):
            piece = waiting.pop(0)
            start, end = end, end + len(piece.text)
            inside = Span(start=max(start, cursor - len(content)), end=min(end, cursor))
            if inside.start < inside.end:
                yield Segment(piece=piece, role=piece.role, span=inside)
    if cursor < len(text):
        yield template_segment(text, cursor, len(text))


def template_segment(text: str, start: int, end: int) -> Segment:
    """A stretch that the chat template wrote."""
    piece = Piece(text=text[start:end], kind="chat template", role="template")
    return Segment(piece=piece, role="template", span=Span(start=start, end=end))
