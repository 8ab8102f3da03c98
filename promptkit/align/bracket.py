r"""Brackets: where a stretch between brackets ends, damaged strings and comments respected, each character met once.

A quote begins a string only where a value or a key may stand, and ends it only before what may follow one. So quotes
inside a string that nobody escaped, apostrophes and brackets inside strings do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import regex

__all__ = [
    "COMMENT",
    "CUT_STRING",
    "MAX_DEPTH",
    "QUOTE_MARK",
    "START",
    "STRING",
    "Stretch",
    "Token",
    "TooLong",
    "stretch_at",
]

MAX_DEPTH = 100  # of brackets in brackets; what reads the value later goes into it level by level
STRING, CUT_STRING, QUOTE_MARK, COMMENT = "string", "cut string", "quote", "comment"

QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}
QUOTE = "[\"'\u201c\u2018]"
WORD = r"(?:true|false|null|True|False|None)\b"
NOTE = r"//|/\*|\#(?=[ \t])"
VALUE = rf"(?:{QUOTE}|[\[{{\-0-9]|{WORD})"
KEY = r"[A-Za-z_]\w*+\s*+:"

# What begins an object or an array, and not a set, an interval's name, a subscript or a remark in brackets.
START = regex.compile(
    rf"\{{(?=\s*+(?:{QUOTE}|\}}|{NOTE}|{KEY}\s*+{VALUE})) | (?<![\w\])])\[(?=\s*+(?:{VALUE}|\]|{NOTE}))", regex.VERBOSE
)
AFTER_STRING = rf"""
    \s*+ (?: [\]}}:] | , \s*+ (?: {VALUE} | [\]}}] | {KEY} | {NOTE} | \Z ) | {NOTE} | \Z )
  | [ \t\r]*+ \n \s*+ {QUOTE} | [ \t\r]*+ \n [ \t\r]*+ \n | \s*+ \+ \s*+ {QUOTE}
"""
ENDS = {
    begin: regex.compile(
        rf"(?: [^{end}\\]++ | \\. | {end} (?! {AFTER_STRING} ) )*+ {end}", regex.VERBOSE | regex.DOTALL
    )
    for begin, end in QUOTES.items()
}
NEXT = {begin: regex.compile(rf"(?:[^{end}\\\n]|\\.)*+{end}") for begin, end in QUOTES.items()}
TOKEN = regex.compile(rf"{QUOTE}|[\[\]{{}},:]|(?<!:)//[^\n]*+|/\*|\#(?=[ \t])[^\n]*+")
MATCHING = {"}": "{", "]": "["}
MAY_FOLLOW = frozenset("{[,:")  # after these a value or a key may stand


class TooLong(Exception):
    """So much of a text was looked through in vain that it is given up."""


class Token(NamedTuple):
    """A piece of a stretch: a bracket, comma or colon by itself, a string with its quotes, a comment, a mere quote."""

    kind: str
    start: int
    end: int


@dataclass(slots=True)
class Stretch:
    """What stands from an opening bracket to the one that closes it; `end` is None where none does.

    `restart` is where, behind words that belong to no value, another one begins.
    """

    start: int
    end: int | None = None
    tokens: list[Token] = field(default_factory=list)
    restart: int | None = None
    is_too_deep: bool = False


def stretch_at(text: str, start: int, max_tokens: int, endless: set[str]) -> Stretch:
    """The stretch that begins at a bracket. Raises `TooLong` where it has more tokens than that.

    `endless` are the quotes behind which the text is known to hold no place where a string may end; those that are
    found to be so are put to it, so that a text is looked through for them once.
    """
    stretch = Stretch(start=start)
    opened: list[str] = []
    place, before = start, ","
    while match := TOKEN.search(text, place):
        if len(stretch.tokens) >= max_tokens:
            raise TooLong
        gap = text[place : match.start()]
        token = token_of(text, match, endless, is_string=not gap.strip() and (before in MAY_FOLLOW or "\n" in gap))
        stretch.tokens.append(token)
        place = token.end
        if token.kind == COMMENT:
            continue
        if token.kind in "{[":
            if stretch.restart is None and opened and gap.strip():
                stretch.restart = token.start if START.match(text, token.start) else None
            opened.append(token.kind)
        elif token.kind in "}]" and MATCHING[token.kind] in opened:
            while opened.pop() != MATCHING[token.kind]:
                pass
        before = token.kind
        if not opened:
            stretch.end = place
            break
        if len(opened) > MAX_DEPTH:
            stretch.is_too_deep = True
            break
    return stretch


def token_of(text: str, match: regex.Match[str], endless: set[str], *, is_string: bool) -> Token:
    """The token that begins with what was found; one that the text's end cuts goes to the end."""
    kind, start, end = match[0][0], match.start(), match.end()
    if kind in QUOTES:
        if not is_string:
            return Token(QUOTE_MARK, start, end)
        closing = None if kind in endless else ENDS[kind].match(text, end)
        if closing is None:
            endless.add(kind)
            closing = NEXT[kind].match(text, end)
        return Token(STRING, start, closing.end()) if closing else Token(CUT_STRING, start, len(text))
    if match[0] == "/*":
        closed = text.find("*/", end)
        return Token(COMMENT, start, closed + 2 if closed >= 0 else len(text))
    return Token(COMMENT if kind in "/#" else kind, start, end)
