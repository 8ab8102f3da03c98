"""A pattern's outline: which characters it may read, in which order; what it asserts and prefers is only named.

Whatever way the pattern's own search goes through a text, the outline can go it, too, and others besides. So where no
way through the outline comes to the end of a text, the search never saw that end. Where nothing is asserted, and nothing
preferred but the longest, the outline is the pattern's language.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

__all__ = [
    "Assertion",
    "Either",
    "Group",
    "Node",
    "NotFollowed",
    "One",
    "Peek",
    "Repeat",
    "Row",
    "irregular",
    "outline_of",
]

KNOWN_FLAGS = regex.IGNORECASE | regex.MULTILINE | regex.DOTALL | regex.VERBOSE | regex.UNICODE | regex.VERSION0
NO_WIDTH = frozenset("AbBmMzZ")  # after a backslash: assertions that look at the characters beside them, no further
CLASSES = frozenset("dDsSwWnrtfva")  # after a backslash: one character
MANY_GROUPS = 1_000_000
HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
QUANTIFIER = regex.compile(r"(?:[*+?]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})(?P<prefers>[?+]?)")
GROUP = regex.compile(r"\?(?::|>|\||P?<(?P<name>[^\W\d]\w*)>|(?P<on>[ism]*)(?:-(?P<off>[ism]+))?(?P<end>[:)]))")


class NotFollowed(Exception):
    """The pattern has something whose way through a text is not known; the message says what."""


@dataclass(frozen=True, slots=True)
class One:
    """One character, which `pattern` matches."""

    pattern: regex.Pattern[str]


@dataclass(frozen=True, slots=True)
class Row:
    """Parts one after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part, so many times; `most` None is without end. `prefers` is "" for as often as it can be, which may be undone
    where the rest wants it; "?" for as seldom; "+" for what is never undone.
    """

    part: Node
    least: int
    most: int | None
    prefers: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A part whose text is taken, under its number and perhaps a name; or, with neither, one whose way is never undone."""

    part: Node
    number: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """No text, where something is asserted of the characters beside it."""

    text: str


@dataclass(frozen=True, slots=True)
class Peek:
    """A part that is looked for ahead, and whose outcome is left open."""

    part: Node
    text: str


Node = One | Row | Either | Repeat | Group | Assertion | Peek
NOTHING = Row(())


def outline_of(compiled: regex.Pattern[str]) -> Node:
    """The outline of a pattern. Raises `NotFollowed` for what it does not know for certain."""
    if compiled.flags & ~KNOWN_FLAGS:
        raise NotFollowed("flags other than i, m, s")
    reader = Reader(compiled.pattern, is_verbose=bool(compiled.flags & regex.VERBOSE))
    node = reader.alternatives(compiled.flags & (regex.IGNORECASE | regex.DOTALL))
    if reader.place < len(reader.text):
        raise NotFollowed("a bracket that closes nothing")
    return node


def irregular(node: Node) -> str:
    """What in an outline asserts or prefers something, so that it is not the pattern's language; empty for nothing."""
    if isinstance(node, Assertion):
        return f"`{node.text}`"
    if isinstance(node, Peek):
        return f"`{node.text}`"
    if isinstance(node, Group) and node.number is None:
        return "an atomic group"
    if isinstance(node, Repeat) and node.prefers:
        return "a lazy quantifier" if node.prefers == "?" else "a possessive quantifier"
    parts = node.parts if isinstance(node, Row | Either) else () if isinstance(node, One) else (node.part,)
    return next(filter(None, map(irregular, parts)), "")


class Reader:
    """A pattern that is being read, and how far."""

    def __init__(self, text: str, *, is_verbose: bool) -> None:
        self.text = text
        self.place = 0
        self.is_verbose = is_verbose
        self.is_behind = False  # inside a look behind
        self.num_groups = 0
        self.numbers: dict[str, int] = {}  # of named groups: a name that comes again has its number again

    def next(self) -> str:
        """The next character that means something; empty at the end."""
        while self.is_verbose and self.text[self.place : self.place + 1].isspace():
            self.place += 1
        return self.text[self.place : self.place + 1]

    def alternatives(self, flags: int) -> Node:
        """The parts between `|`, up to the bracket that closes, which is left standing."""
        parts = [self.row(flags)]
        while self.next() == "|":
            self.place += 1
            parts.append(self.row(flags))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def row(self, flags: int) -> Node:
        """The pieces up to the next `|` or the bracket that closes."""
        parts = []
        while self.next() not in ("", "|", ")"):
            parts.append(self.quantified(self.piece(flags)))
        return Row(tuple(parts))

    def quantified(self, part: Node) -> Node:
        """The part as often as the quantifier after it says; the last `+` or `?` of one only says what is preferred."""
        self.next()
        match = QUANTIFIER.match(self.text, self.place)
        if match is None:
            return part
        self.place = match.end()
        prefers = match["prefers"]
        if match[0][0] != "{":
            return Repeat(part, int(match[0][0] == "+"), 1 if match[0][0] == "?" else None, prefers)
        if not (match["least"] or match["most"]):
            raise NotFollowed("a brace that is no number of times")
        least = int(match["least"] or 0)
        most = (int(match["most"]) if match["most"] else None) if match["comma"] else least
        return Repeat(part, least, most, prefers)

    def piece(self, flags: int) -> Node:
        """The next group, class, escape or character."""
        character = self.next()
        self.place += 1
        if character == "(":
            return self.group(flags)
        if character == "[":
            return self.character_class(flags)
        if character == "\\":
            return self.escape(flags)
        if character == "^":
            return Assertion("^")
        if character == "$":  # it looks whether a line's end is the last character, so one further than itself
            if self.is_behind:
                raise NotFollowed("`$` in a look behind")
            return Peek(self.one(r"\n", 0), "$")
        if character in "*+?{" or (character == "#" and self.is_verbose):
            raise NotFollowed(f"{character!r}, unescaped")
        return self.one(character if character == "." else regex.escape(character), flags)

    def one(self, text: str, flags: int) -> One:
        """The one character that a piece of the pattern stands for."""
        try:
            return One(regex.compile(text, flags))
        except regex.error as error:
            raise NotFollowed(f"{text!r}") from error

    def escape(self, flags: int) -> Node:
        """What stands after a backslash."""
        start, letter = self.place - 1, self.text[self.place]
        self.place += 1
        if letter in NO_WIDTH:
            return Assertion(f"\\{letter}")
        if letter in HEX_DIGITS:
            self.place += HEX_DIGITS[letter]
        elif letter in "pP":
            end = self.text.find("}", self.place)
            if self.text[self.place : self.place + 1] != "{" or end < 0:
                raise NotFollowed(f"'\\{letter}' without braces")
            self.place = end + 1
        elif letter.isascii() and letter.isalnum() and letter not in CLASSES:
            raise NotFollowed(f"'\\{letter}'")
        return self.one(self.text[start : self.place], flags)

    def character_class(self, flags: int) -> Node:
        """What stands in square brackets."""
        start = self.place - 1
        self.place += self.text.startswith("^", self.place)
        self.place += self.text.startswith("]", self.place)
        while (character := self.text[self.place : self.place + 1]) != "]":
            if character in ("", "["):
                raise NotFollowed("'[' in a class")
            self.place += 2 if character == "\\" else 1
        self.place += 1
        return self.one(self.text[start : self.place], flags)

    def group(self, flags: int) -> Node:
        """What stands in brackets."""
        if self.text.startswith("*", self.place):
            raise NotFollowed("'(*'")
        if not self.text.startswith("?", self.place):
            return self.taken(flags, None)
        if self.text.startswith(("?<=", "?<!"), self.place):
            self.place += 3
            return self.behind(flags)
        if self.text.startswith(("?=", "?!"), self.place):
            return self.ahead(flags)
        match = GROUP.match(self.text, self.place)
        if match is None:
            raise NotFollowed(f"'({self.text[self.place : self.place + 2]}'")
        self.place = match.end()
        if match["name"]:
            return self.taken(flags, match["name"])
        return self.untaken(match, flags)

    def untaken(self, match: regex.Match[str], flags: int) -> Node:
        """A group whose text is not taken; `match` is how it begins."""
        if match["end"] == ")":  # flags of the whole pattern, which are known already
            return NOTHING
        if match[0] == "?>":
            return Group(self.closed(flags))
        if match[0] == "?|":  # its alternatives count from the same number, so that none is known after it
            self.num_groups += MANY_GROUPS
        return self.closed((flags | flag_values(match["on"])) & ~flag_values(match["off"]))

    def ahead(self, flags: int) -> Node:
        """What is looked for ahead."""
        if self.is_behind:
            raise NotFollowed("a look ahead in a look behind")
        text = self.text[self.place - 1 : self.place + 2]
        self.place += 2
        return Peek(self.closed(flags), text)

    def taken(self, flags: int, name: str | None) -> Node:
        """A group whose text is taken."""
        if name is None or name not in self.numbers:
            self.num_groups += 1
        number = self.numbers.setdefault(name, self.num_groups) if name else self.num_groups
        return Group(self.closed(flags), number, name)

    def closed(self, flags: int) -> Node:
        """The alternatives up to the bracket that closes, and past it."""
        node = self.alternatives(flags)
        if self.next() != ")":
            raise NotFollowed("a bracket that is not closed")
        self.place += 1
        return node

    def behind(self, flags: int) -> Node:
        """No text: what stands before a place is known once the place is reached."""
        was_behind, self.is_behind = self.is_behind, True
        self.closed(flags)
        self.is_behind = was_behind
        return Assertion("(?<")


def flag_values(letters: str | None) -> int:
    """The flags of these letters that say what one character matches."""
    return regex.IGNORECASE * ("i" in (letters or "")) | regex.DOTALL * ("s" in (letters or ""))
