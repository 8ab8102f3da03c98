r"""Mending: a damaged JSON document as it was meant, or a reason why nobody can tell.

Single and curly quotes, quotes inside a string, raw line ends in strings, backslashes that escape nothing, comments,
trailing commas, a comma missing at a line's end, Python's `True` and `None`, names without quotes: these are put right
token by token. For other damage `json_repair` is asked, and believed only where every letter and digit of the text is
still there and none has come to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NoReturn

import regex

from promptkit.align.bracket import COMMENT, CUT_STRING, MAX_DEPTH, QUOTE_MARK, STRING, Stretch, Token

__all__ = ["MAX_REPAIRED", "Refused", "closed", "decode", "mend", "repair", "strict", "with_latex"]

BARE = "bare"
CLOSED_BY = {"{": "}", "[": "]"}
OPENING, CLOSING = ("{", "[", ":"), ("}", "]", ":")

MAX_REPAIRED = 20_000  # characters; json_repair takes 10 us for each of them where it finds much to do

ESCAPED = regex.compile(
    r"\\u[0-9a-fA-F]{4}|\\x(?P<hex>[0-9a-fA-F]{2})|\\U(?P<hex>00[01][0-9a-fA-F]{5})|\\(?P<one>(?s:.))|[\"\x00-\x1f]"
)
CUT_ESCAPE = regex.compile(r"(?<!\\)(?:\\\\)*+\K\\(?:u[0-9a-fA-F]{0,3})?$")
LETTERS = regex.compile(r"[^\W_]|\\(?=[A-Za-z])")
IDENTIFIER = regex.compile(r"[A-Za-z_$][\w$-]*+")
NUMBER = regex.compile(
    r"(?P<sign>[-+]?)(?P<whole>[0-9]*+)(?:\.(?P<part>[0-9]*+))?+(?P<exponent>(?:[eE][-+]?[0-9]++)?+)"
)
ELISIONS = {"...", "\u2026", "+"}  # the last joins texts that are not all there is
WORDS = {"true": "true", "false": "false", "null": "null", "none": "null"}
NOT_JSON = {"nan", "infinity", "-infinity", "inf", "-inf", "undefined"}

# What LaTeX becomes where its backslash was not doubled: \frac, \boxed, \text, \times, \right.
SWALLOWED = regex.compile(
    r"[\f\x08](?=[A-Za-z])|\t(?=ext(?:bf|it|rm)?\{|imes(?!\w)|frac\{|heta(?!\w))|\r(?=ight|ho(?!\w))"
)
SWALLOWED_LETTER = {"\f": "\\f", "\x08": "\\b", "\t": "\\t", "\r": "\\r"}
SWALLOWING = regex.compile(r"\\[fbtr][a-zA-Z]")
SURROGATE = regex.compile(r"\\u[dD][89a-fA-F]")


class Refused(ValueError):
    """The document holds what no repair could put right."""


def refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities, which Python would take, are no JSON."""
    raise Refused(f"holds {name}, which is no JSON")


def finite(text: str) -> float:
    """The number, if it is one."""
    value = float(text)
    if math.isinf(value):
        raise Refused(f"holds {text}, which is out of the range of numbers")
    return value


DECODER = json.JSONDecoder(parse_constant=refuse_constant, parse_float=finite)


def decode(text: str, start: int = 0) -> tuple[Any, int]:
    """The strict JSON value that begins at `start`, and where it ends. Raises `ValueError` where none does."""
    try:
        value, end = DECODER.raw_decode(text, start)
    except RecursionError:
        raise Refused("is nested too deeply") from None
    source = text[start:end]
    if source.count("[") + source.count("{") > MAX_DEPTH and is_deep(value):
        raise Refused("is nested too deeply")
    if SURROGATE.search(source):
        refuse_surrogates(value)
    return value, end


def strict(text: str) -> Any:
    """The value of a text that is one JSON document and nothing else. Raises `ValueError`."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    value, end = decode(text, start)
    if text[end:].strip(" \t\r\n"):
        raise ValueError("goes on after its end")
    return value


def is_deep(value: Any) -> bool:
    """Whether brackets stand in brackets more than so often."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for each in level for item in children(each)]
        if not level:
            return False
    return True


def children(value: Any) -> Iterator[Any]:
    """The values in a value."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def refuse_surrogates(value: Any) -> None:
    """Half a character, which no file could hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused("holds half of a surrogate pair") from None


def with_latex(value: Any, source: str) -> Any:
    r"""The value with `\frac` where JSON made a form feed and `rac` of it."""
    return restored(value) if SWALLOWING.search(source) else value


def restored(value: Any) -> Any:
    """The same in every text of a value."""
    if isinstance(value, str):
        return SWALLOWED.sub(lambda match: SWALLOWED_LETTER[match[0]], value)
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value


def mend(text: str, stretch: Stretch) -> Any:
    """The value of a damaged document that is closed, piece by piece. Raises `ValueError` where a piece is unclear."""
    rewritten = rewrite(text, pieces(text, stretch))
    if rewritten is None:
        raise ValueError("cannot be read")
    return strict(rewritten)


def closed(text: str, stretch: Stretch) -> Any:
    """The value of a document that the text's end cuts, as if it ended there. Raises `ValueError` where it cannot."""
    every = pieces(text, replace(stretch, tokens=[*stretch.tokens, Token(COMMENT, len(text), len(text))]))
    commas = [number for number, piece in enumerate(every) if piece.kind == ","]
    for number in (len(every), *commas[-1:]):
        rewritten = rewrite(text, every[:number])
        if rewritten is not None:
            try:
                return strict(rewritten + closing_brackets(every[:number]))
            except Refused:
                raise
            except ValueError:
                continue
    raise ValueError("cannot be read")


def closing_brackets(every: Sequence[Token]) -> str:
    """What closes the brackets that are open behind some pieces."""
    opened: list[str] = []
    for piece in every:
        if piece.kind in CLOSED_BY:
            opened.append(CLOSED_BY[piece.kind])
        elif piece.kind in CLOSED_BY.values() and opened:
            opened.pop()
    return "".join(reversed(opened))


def rewrite(text: str, every: Sequence[Token]) -> str | None:
    """Pieces of a document in strict spelling, as far as they say what was meant; None where one does not."""
    out: list[str] = []
    end: int | None = None  # of the value before, where one has ended
    has_comma = False
    for piece, after in pairwise([*every, None]):
        assert piece is not None
        kind = piece.kind
        if kind == BARE and (bare := text[piece.start : piece.end]) in ELISIONS:
            raise Refused(f"leaves something out at {bare!r}")
        if kind == ",":
            if has_comma or end is None:
                return None
            has_comma = True
            continue
        if kind == ":" and has_comma:
            return None
        if kind not in CLOSING and end is not None:
            if not has_comma and "\n" not in text[end : piece.start]:
                return None
            out.append(",")
        spelling = spelled(text[piece.start : piece.end], kind, is_key=after is not None and after.kind == ":")
        if spelling is None:
            return None
        out.append(spelling)
        has_comma, end = False, None if kind in OPENING else piece.end
    return "".join(out)


def pieces(text: str, stretch: Stretch) -> list[Token]:
    """The tokens of a document without its comments, and what stands bare between them."""
    found: list[Token] = []
    place = stretch.start
    for token in stretch.tokens:
        bare = text[place : token.start]
        if stripped := bare.strip():
            start = place + bare.index(stripped)
            found.append(Token(BARE, start, start + len(stripped)))
        if token.kind != COMMENT:
            found.append(token)
        place = token.end
    return found


def spelled(text: str, kind: str, *, is_key: bool) -> str | None:
    """A piece as strict JSON spells it, or None."""
    if kind == QUOTE_MARK:
        return None
    if kind in {STRING, CUT_STRING}:
        inner = text[1:-1] if kind == STRING else CUT_ESCAPE.sub("", text[1:])
        return f'"{ESCAPED.sub(escaped, inner)}"'
    if kind != BARE:
        return text
    if is_key:
        return f'"{text}"' if IDENTIFIER.fullmatch(text) or text.isdigit() else None
    if text.lower() in NOT_JSON:
        raise Refused(f"holds {text}, which is no JSON")
    number = NUMBER.fullmatch(text)
    if number and (number["whole"] or number["part"]):
        return spelled_number(number)
    return WORDS.get(text.lower())


def escaped(match: regex.Match[str]) -> str:
    """An escape, or what should have been one, as JSON has it."""
    whole, one = str(match[0]), match["one"]
    if match["hex"]:
        code = int(match["hex"], 16)
        return json.dumps(chr(code))[1:-1] if code < 0x110000 else "\\\\" + whole[1:]
    if one is None:
        return whole if len(whole) > 1 else json.dumps(whole)[1:-1]
    if one in '"\\/bfnrt':
        return whole
    return "'" if one == "'" else "\\\\" + json.dumps(one, ensure_ascii=False)[1:-1]


def spelled_number(number: regex.Match[str]) -> str | None:
    """A number with nothing but what JSON has: `.5` is 0.5, `+5` is 5, `5.` is 5. One that is led by 0 is none."""
    whole = number["whole"] or "0"
    if len(whole) > 1 and whole.startswith("0"):
        return None
    point = f".{number['part']}" if number["part"] else ""
    return f"{number['sign'].removeprefix('+')}{whole}{point}{number['exponent']}"


def repair(text: str, stretch: Stretch) -> Any:
    """What `json_repair` makes of a document, if nothing was lost or invented. Raises `ValueError`."""
    text, bare = (
        text[stretch.start : stretch.end],
        "".join(text[each.start : each.end] for each in pieces(text, stretch)),
    )
    if len(text) > MAX_REPAIRED:
        raise ValueError(f"is damaged, and too long to be mended ({len(text)} characters, at most {MAX_REPAIRED})")
    from json_repair import loads  # noqa: PLC0415 - slow to import, and most documents are strict

    try:
        value = loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict if text.startswith("{") else list) or is_deep(value):
        raise ValueError("cannot be read")
    if letters("".join(leaves(value))) != letters(bare):
        raise ValueError("cannot be read for certain")
    if any(leaf.lower() in NOT_JSON for leaf in leaves(value)):
        raise Refused("holds NaN or an infinity, which is no JSON")
    refuse_surrogates(value)
    return value


def leaves(value: Any) -> Iterator[str]:
    """The names and the values of a document, as they were written."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


def letters(text: str) -> str:
    """The letters and digits of a text, in their order, and the backslashes of its commands."""
    return "".join(LETTERS.findall(text)).lower()
