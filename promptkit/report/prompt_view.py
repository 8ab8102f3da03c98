"""The exact prompt on a terminal: piece by piece, each with the line that it came from, white space made visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from promptkit.data import Example
from promptkit.generate import Tokenizer
from promptkit.prompt import Piece, Prompt
from promptkit.report.shown_view import shown_view

__all__ = ["prompt_json", "prompt_view", "tokens_view", "visible"]

STYLES = {
    "instruction": "cyan",
    "demonstrations": "blue",
    "query": "green",
    "cue": "yellow",
    "system": "magenta",
    "chat template": "dim",
}
NEWLINE = "⏎"
SPACE = "·"
BAR = "│"


def prompt_view(example: Example, prompt: Prompt, options: Sequence[str] = ()) -> Text:
    """The prompt, a heading above each piece. A line's end shows as ⏎, a space at a line's end as ·."""
    view = Text()
    view.append(f"example {example.id}", style="bold")
    view.append(f"   {example.origin}   {len(prompt.text):,} characters\n", style="dim")
    for segment in prompt.segments:
        shown = prompt.text[segment.span.start : segment.span.end]
        view.append(f"── {heading(segment.piece, segment.role)} ".ljust(80, "─") + "\n", style="dim")
        view.append_text(visible(shown, STYLES.get(segment.piece.kind, "")))
        view.append("\n")
    view.append("── the model writes from here ".ljust(80, "─") + "\n", style="dim")
    for option in options:
        view.append_text(visible(option, "green"))
        view.append("\n")
    return view.append_text(shown_view(prompt.shown))


def heading(piece: Piece, role: str) -> str:
    """What a piece is, and where it came from."""
    parts = [piece.kind]
    if role not in ("text", "template"):
        parts[0] += f" ({role})"
    if piece.example is not None:
        parts.append(piece.example)
    if piece.position is not None:
        parts.append(f"{piece.position.source.name}:{piece.position.line}")
    if piece.template is not None:
        parts.append(piece.template)
    return " · ".join(parts)


def visible(text: str, style: str) -> Text:
    """The text with its white space shown where it would not be seen."""
    view = Text()
    lines = text.split("\n")
    for place, line in enumerate(lines):
        body = line.rstrip(" ")
        view.append(body, style=style)
        view.append(SPACE * (len(line) - len(body)), style="dim red")
        if place < len(lines) - 1:
            view.append(f"{NEWLINE}\n", style="dim")
    return view


def tokens_view(prompt: Prompt, tokenizer: Tokenizer, *, is_striped: bool = True) -> Text:
    """The tokens of the prompt, one stripe each, with their number and what stands first.

    Where there is no colour, a bar stands between them.
    """
    pieces = tokenizer.pieces(prompt.text, add_special_tokens=not prompt.is_chat)
    view = Text()
    view.append(f"{len(pieces):,} tokens", style="bold")
    view.append(f"   {bos_note(pieces, tokenizer)}\n", style="dim")
    for place, (number, text) in enumerate(pieces):
        view.append("" if is_striped or place == 0 else BAR)
        shown = text.replace("\n", NEWLINE + "\n").replace("\t", "⇥")
        view.append(shown or f"<{number}>", style="black on bright_cyan" if place % 2 else "black on bright_yellow")
    view.append("\n")
    return view


def bos_note(pieces: Sequence[tuple[int, str]], tokenizer: Tokenizer) -> str:
    """Whether the prompt begins with BOS, and whether that stands there twice."""
    bos = tokenizer.special_tokens.get("bos_token")
    if bos is None:
        return "the model has no BOS"
    leading = 0
    while leading < len(pieces) and pieces[leading][1] == bos:
        leading += 1
    if leading > 1:
        return f"BOS {bos!r} stands {leading} times at the beginning"
    return f"begins with BOS {bos!r}" if leading else f"no BOS: the tokenizer adds none ({bos!r} is its BOS)"


def prompt_json(
    example: Example, prompt: Prompt, tokenizer: Tokenizer | None = None, options: Sequence[str] = ()
) -> dict[str, Any]:
    """The prompt as JSON values: text, segments with their places, messages, and tokens where asked for."""
    shown: dict[str, Any] = {
        "id": example.id,
        "origin": example.origin,
        "prompt": prompt.text,
        "segments": [segment.to_json() for segment in prompt.segments],
        "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
        **prompt.shown.to_json(),
    }
    if options:
        shown["options"] = list(options)
    if tokenizer is not None:
        pieces = tokenizer.pieces(prompt.text, add_special_tokens=not prompt.is_chat)
        shown["tokens"] = [{"id": number, "text": text} for number, text in pieces]
        shown["bos"] = bos_note(pieces, tokenizer)
    return shown
