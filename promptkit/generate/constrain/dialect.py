"""Patterns, grammars, schemas and texts in llguidance's dialect, so that what it writes is what we read.

Its patterns are not ours: other classes of characters, no assertions, no preferences. So a pattern is not handed on as it
stands, but written anew from its outline, each character class as the characters that it has for us. What cannot be
written so is refused: `NotShared` says what it is.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import regex

from promptkit.generate.constrain.numbers import holding
from promptkit.spec import Grammar, Terminal
from promptkit.spec.outline import (
    Assertion,
    Either,
    Group,
    Node,
    NotFollowed,
    One,
    Peek,
    Repeat,
    Row,
    irregular,
    outline_of,
)

__all__ = ["NotShared", "begins_at_edge", "constraining", "of_grammar", "of_pattern", "of_schema", "of_texts"]

# what `common.ESCAPED_STRING` is for lark, and the same without looking behind
ESCAPED_STRING = r'".*?(?<!\\)(\\\\)*?"'
PLAIN_STRING = r'/"(?:[^"\\\n]|\\[^\n])*"/'
WHITE_SPACE = "[ \\n\\r\\t]{0,16}"  # in JSON, where a model could otherwise go on with it for ever
FIRST, LAST = frozenset({"^", r"\A"}), frozenset({"$", r"\Z", r"\z"})


class NotShared(Exception):
    """Something that a constraint cannot say; the message says what, after the words "has" or "with"."""


def constraining(body: str, *, lead: str = "", after: str = "") -> str:
    """The whole grammar from the lines that define `body`; white space may come first, as `lead` has it."""
    if not lead:
        return f"start: body\n{body}"
    first = r"/[ \t\n]{1,4}/" if after else f"/{literal(lead)}/"
    return f"start: LEAD? body\nLEAD: {first}\n{body}"


def of_texts(texts: Iterable[str]) -> str:
    """One of these texts."""
    return f"body: T\nT: /{'|'.join(map(literal, dict.fromkeys(texts)))}/"


def of_schema(schema: Mapping[str, Any]) -> str:
    """A JSON document of a schema, with little white space, and no number that is too large to be read."""
    options = {"whitespace_pattern": WHITE_SPACE, **schema.get("x-guidance", {})}
    return f"body: %json {json.dumps({**holding(schema), 'x-guidance': options})}"


def of_pattern(compiled: regex.Pattern[str], answer: int | str = 0, *, stripped: str | None = None) -> str:
    """A text all of which the pattern matches, and in which the group `answer` is not blank.

    `stripped` are characters that stand neither at its beginning nor at its end. Raises `NotShared`.
    """
    try:
        node = without_edges(outline_of(compiled))
    except NotFollowed as error:
        raise NotShared(str(error)) from error
    if why := irregular(node):
        raise NotShared(why)
    if answer == 0:
        term = unblanked(node, f"/{text_of(node)}/")
    elif not passes(node, answer):
        raise NotShared(f"a way past the group {answer!r}, or through it without text")
    else:
        term = term_of(node, answer)
    if stripped is not None:
        inner = negated(stripped)
        term = f"({term} & /{inner}(?:{ANY}*{inner})?/)"
    return f"body: T\nT: {term}"


def begins_at_edge(compiled: regex.Pattern[str]) -> bool:
    """Whether the pattern says that it begins where the text does, so that nothing may come first."""
    return edged(outline_of(compiled))[1]


def without_edges(node: Node) -> Node:
    """The outline without the assertions that its text begins or ends there, which the whole text does."""
    return edged(node)[0]


def edged(node: Node) -> tuple[Node, bool]:
    """The outline without such assertions at its edges, and whether any way begins with one."""
    if isinstance(node, Either):
        every = [edged(part) for part in node.parts]
        return Either(tuple(part for part, _ in every)), any(begins for _, begins in every)
    parts = list(node.parts) if isinstance(node, Row) else [node]
    num = len(parts)
    while parts and isinstance(parts[0], Assertion) and parts[0].text in FIRST:
        parts.pop(0)
    begins = len(parts) < num
    while parts and isinstance(parts[-1], Assertion | Peek) and parts[-1].text in LAST:
        parts.pop()
    return Row(tuple(parts)), begins


def text_of(node: Node) -> str:
    """A regular outline as a pattern of llguidance's."""
    if isinstance(node, One):
        return characters(node.pattern.pattern, node.pattern.flags)
    if isinstance(node, Row):
        return "".join(map(text_of, node.parts))
    if isinstance(node, Either):
        return f"(?:{'|'.join(map(text_of, node.parts))})"
    if isinstance(node, Repeat):
        return f"(?:{text_of(node.part)}){times(node)}"
    assert isinstance(node, Group)
    return f"(?:{text_of(node.part)})"


def times(node: Repeat) -> str:
    """How often, as both patterns and terminals say it."""
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def term_of(node: Node, answer: int | str) -> str:
    """A regular outline as a terminal's definition, in which the text of the group `answer` is not blank."""
    if not any(is_answer(each, answer) for each in groups(node)):
        return f"/{text_of(node)}/"
    if isinstance(node, Row):
        return " ".join(term_of(part, answer) for part in node.parts if part != Row(()))
    if isinstance(node, Either):
        return f"({' | '.join(term_of(part, answer) for part in node.parts)})"
    if isinstance(node, Repeat):
        return f"({term_of(node.part, answer)}){times(node)}"
    assert isinstance(node, Group)
    inner = term_of(node.part, answer)
    return unblanked(node, inner) if is_answer(node, answer) else f"({inner})"


def unblanked(node: Node, term: str) -> str:
    """A terminal's definition without its blank texts; where it has none, nothing is said, since saying it costs time."""
    return f"({term})" if is_never_blank(node) else f"({term} & {NOT_BLANK})"


def is_never_blank(node: Node) -> bool:
    """Whether every way through a regular outline reads a character that is no white space."""
    if isinstance(node, Row):
        return any(map(is_never_blank, node.parts))
    if isinstance(node, Either):
        return all(map(is_never_blank, node.parts))
    if isinstance(node, Repeat):
        return node.least > 0 and is_never_blank(node.part)
    if isinstance(node, Group):
        return is_never_blank(node.part)
    return isinstance(node, One) and not any(map(node.pattern.fullmatch, SPACES))


def is_answer(group: Group, answer: int | str) -> bool:
    """Whether a group is the one that is called so."""
    return answer in (group.number, group.name)


def groups(node: Node) -> list[Group]:
    """Every group in an outline."""
    if isinstance(node, One | Assertion):
        return []
    parts = node.parts if isinstance(node, Row | Either) else (node.part,)
    inner = [each for part in parts for each in groups(part)]
    return [node, *inner] if isinstance(node, Group) else inner


def passes(node: Node, answer: int | str) -> bool:
    """Whether every way through a regular outline goes through the group `answer`, and takes some text there."""
    if isinstance(node, Row):
        return any(passes(part, answer) for part in node.parts)
    if isinstance(node, Either):
        return all(passes(part, answer) for part in node.parts)
    if isinstance(node, Repeat):
        return node.least > 0 and passes(node.part, answer)
    if isinstance(node, Group):
        return passes(node.part, answer) or (is_answer(node, answer) and not may_be_empty(node.part))
    return False


def may_be_empty(node: Node) -> bool:
    """Whether a regular outline has a way that reads nothing."""
    if isinstance(node, Row):
        return all(map(may_be_empty, node.parts))
    if isinstance(node, Either):
        return any(map(may_be_empty, node.parts))
    if isinstance(node, Repeat):
        return node.least == 0 or may_be_empty(node.part)
    return isinstance(node, Group) and may_be_empty(node.part)


def of_grammar(grammar: Grammar, start: str) -> str:
    """A text of a grammar's rule. Raises `GrammarError` at the line of what a constraint cannot say."""
    rules = grammar.rules(start)
    if start in rules.nullable:
        raise grammar.refused_at(f"the rule {start!r} may be empty, and an empty text has no answer", start)
    number = {name: f"r{place}" for place, name in enumerate(rules.productions)}
    number |= {name: f"T{place}" for place, name in enumerate(rules.terminals)}
    lines = [f"body: {number[start]}"]
    for rule, productions in rules.productions.items():
        ways = (" ".join(number[part] for part in each.parts) or '""' for each in productions)
        lines.append(f"{number[rule]}: {' | '.join(ways)}")
    lines += [f"{number[name]}: {terminal_text(grammar, each)}" for name, each in rules.terminals.items()]
    lines += [f"%ignore {number[name]}" for name in rules.ignored]
    return "\n".join(lines)


def terminal_text(grammar: Grammar, terminal: Terminal) -> str:
    """A terminal's definition. Raises `GrammarError` at its line."""
    if terminal.pattern == ESCAPED_STRING:
        return PLAIN_STRING
    try:
        node = outline_of(regex.compile(terminal.pattern))
        if why := irregular(node):
            raise NotShared(why)
    except (NotFollowed, NotShared) as error:
        message = f"the terminal has {error}, which a constraint cannot follow"
        raise grammar.refused_at(message, terminal.name, terminal.written) from error
    return f"/{text_of(node)}/"


@functools.lru_cache(maxsize=1)
def every_character() -> str:
    """All characters that a text can have; halves of pairs are none."""
    return "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))


@functools.lru_cache(maxsize=1024)
def characters(pattern: str, flags: int) -> str:
    r"""The one character that a piece of a pattern matches, as a class that lists all of them.

    Digits alone are the ten that everybody reads: `\d` has those of all scripts, and a later step may not know them.
    """
    runs = regex.compile(f"(?:{pattern})+", flags).finditer(every_character())
    ranges = [each for run in runs for each in unpaired(ord(run[0][0]), ord(run[0][-1]))]
    if not ranges:
        raise NotShared(f"{pattern!r}, which no character matches")
    ten = (ord("0"), ord("9"))
    are_digits = ten in ranges and all(regex.match(r"\d", chr(code)) for both in ranges for code in both)
    return listed([ten] if are_digits else ranges)


def unpaired(first: int, last: int) -> list[tuple[int, int]]:
    """A range of characters without those that stand for halves of pairs."""
    return [(first, 0xD7FF), (0xE000, last)] if first < 0xD800 and last > 0xDFFF else [(first, last)]


def listed(ranges: Sequence[tuple[int, int]]) -> str:
    """A class of these ranges of characters."""
    if ranges[0][0] == ranges[-1][1]:
        return literal(chr(ranges[0][0]))
    return "[" + "".join(f"{escaped(first)}-{escaped(last)}" for first, last in ranges) + "]"


def escaped(code: int) -> str:
    """A character, so that no dialect means anything else by it."""
    return rf"\x{{{code:x}}}"


def literal(text: str) -> str:
    """A text as a pattern."""
    return "".join(
        chr(code) if chr(code).isascii() and chr(code).isalnum() else escaped(code) for code in map(ord, text)
    )


def negated(text: str) -> str:
    """Any character but these."""
    return f"[^{''.join(escaped(ord(each)) for each in dict.fromkeys(text))}]"


SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
ANY = r"[\x{0}-\x{10ffff}]"
NOT_BLANK = f"/{ANY}*{negated(SPACES)}{ANY}*/"
