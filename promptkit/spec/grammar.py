"""Grammars: Lark's language, read and checked when the file is, and told of at the grammar's own line.

A grammar is kept as plain rules and terminals, which both ends of a pipeline read: what parses a completion, and what
constrains one. lark itself is imported where a grammar is declared, and nowhere else.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import regex
from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from promptkit.errors import GrammarError
from promptkit.spec.template import FolderLoader
from promptkit.spec.written import Written
from promptkit.text import Located, Position, Problem, Source, known_names

__all__ = ["Grammar", "Production", "Rules", "Terminal"]

SUFFIX = ".lark"
PLACE = re.compile(r"line (\d+),? column (\d+)")
QUOTED = re.compile(r"'(\w+)'|: (\w+)$")
RELATIVE_IMPORT = re.compile(r"^\s*%import\s*\.", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A token: the pattern that it must match, which never matches nothing. `written` is the text that says so."""

    name: str
    pattern: str
    written: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """One way to make a rule's text: parts in a row, each the name of a rule or terminal. `name` is what captures it."""

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A grammar without its short forms. `ignored` are the terminals that may stand between any two."""

    start: str
    productions: Mapping[str, tuple[Production, ...]]
    terminals: Mapping[str, Terminal]
    ignored: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names under which a text of a rule can be captured; those that begin with `_` are nobody's."""
        every = (production.name for productions in self.productions.values() for production in productions)
        return frozenset(name for name in every if not name.startswith("_"))

    @functools.cached_property
    def nullable(self) -> frozenset[str]:
        """The rules that may have no text."""
        found: set[str] = set()
        while True:
            more = {
                rule
                for rule, productions in self.productions.items()
                if rule not in found and any(found.issuperset(each.parts) for each in productions)
            }
            if not more:
                return frozenset(found)
            found |= more

    def always_has(self, name: str) -> bool:
        """Whether every text of the start rule has some text that is captured under a name."""
        without = {rule for rule in self.productions if rule in self.nullable}
        found = set(self.productions)  # rules of which that may hold; those of which it does not are taken out
        while True:
            fewer = {
                rule
                for rule in found
                if all(
                    (each.name == name and rule not in without) or not found.isdisjoint(each.parts)
                    for each in self.productions[rule]
                )
            }
            if fewer == found:
                return self.start in found
            found = fewer


class Grammar(Written):
    """A grammar's text and where it was written. Equal texts are equal grammars."""

    form: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "description": "a grammar in Lark's language, or the name of a .lark file",
    }

    __slots__ = ("_folder", "_is_block", "_read", "name", "position", "source", "text")

    def __init__(self, text: str, *, folder: Path | None = None) -> None:
        """Reads a text: one that ends with `.lark` on one line names a file, any other is the grammar.

        Raises `GrammarError` where there is no such file.
        """
        self.position = text.position if isinstance(text, Located) else None
        if self.position is not None and self.position.source.folder is not None:
            folder = self.position.source.folder
        self.name: str | None = None
        self.source: Source | None = None  # the grammar's own file, where it has one
        self.text = str(text)
        self._is_block = isinstance(text, Located) and text.is_block
        self._read: dict[str, Rules] = {}
        if text.endswith(SUFFIX) and "\n" not in text and ":" not in text:
            self._open(str(text), FolderLoader(folder))

    def _open(self, name: str, loader: FolderLoader) -> None:
        path = loader.find(name)
        if path is None:
            looked = ", ".join(str(folder) for folder in loader.folders)
            raise self.refused(f"there is no grammar {name!r}", hint=f"looked in: {looked}")
        self.name = name
        try:
            self.text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.refused(f"the grammar {name!r} is not UTF-8 text") from error
        self.source = Source(name=name, text=self.text, folder=path.parent)

    def rules(self, start: str) -> Rules:
        """The grammar's rules, from the rule `start` on. Raises `GrammarError` that names the grammar's line."""
        if start not in self._read:
            self._read[start] = read_rules(self, start)
        return self._read[start]

    def refused(self, message: str, *, line: int = 1, column: int = 1, hint: str = "") -> GrammarError:
        """The error at a line of the grammar, as a place in the file in which the grammar was written."""
        position, path = self.position, ""
        if self.source is not None:
            path = f"(named at {position})" if position else ""
            position = Position(source=self.source, line=line, column=column)
        elif position is not None and self._is_block:
            own = ([*self.text.splitlines(), ""])[min(line - 1, len(self.text.splitlines()))]
            indent = max(0, position.source.line(position.line + line).find(own))
            position = Position(source=position.source, line=position.line + line, column=indent + column)
        return GrammarError(Problem(position=position, path=path, message=message, hint=hint))

    def refused_at(self, message: str, *names: str, hint: str = "") -> GrammarError:
        """The error at the first line where one of these names is defined, or else is named."""
        for pattern in (r"^[ \t]*[?!]?{}(?=[.{{\s:])", r"(?<!\w){}(?!\w)", "{}"):
            for name in filter(None, names):
                if match := re.search(pattern.format(re.escape(name)), self.text, re.MULTILINE):
                    before = self.text[: match.end() - len(name)]
                    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
                    return self.refused(message, line=line, column=column, hint=hint)
        return self.refused(message, hint=hint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grammar) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Grammar({self.name or self.text!r})"

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> Grammar:
        """The grammar that a file's value is; its rules are read with the name of the first."""
        if isinstance(value, Grammar):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("not_text", "a grammar must be text, not {value}", {"value": repr(value)})
        try:
            return Grammar(value, folder=(info.context or {}).get("folder"))
        except GrammarError as error:
            raise PydanticCustomError("grammar", "grammar", {"problem": error.problem}) from error

    def as_written(self) -> str:
        """Its file's name, or its text."""
        return self.name or self.text


def read_rules(grammar: Grammar, start: str) -> Rules:
    """The rules that lark reads in a grammar's text."""
    import lark  # noqa: PLC0415 - only where a grammar is declared

    if match := RELATIVE_IMPORT.search(grammar.text):
        line = grammar.text.count("\n", 0, match.end()) + 1
        raise grammar.refused("grammar: imports come from lark's own grammars, such as `common`, only", line=line)
    try:
        read = lark.Lark(
            grammar.text, start=start, parser="earley", lexer="dynamic", regex=True, maybe_placeholders=False
        )
    except (lark.exceptions.LarkError, regex.error, OSError, ValueError, LookupError, RecursionError) as error:
        raise explained(grammar, start, error) from error
    check_parts(grammar, read)
    productions: dict[str, list[Production]] = {}
    for rule in read.rules:
        name, parts = str(rule.origin.name), tuple(str(part.name) for part in rule.expansion)
        named = str(rule.alias or name).partition("{")[0]  # a template's rule is called by the template's name
        productions.setdefault(name, []).append(Production(name=named, parts=parts))
    return Rules(
        start=start,
        productions={name: tuple(dict.fromkeys(each)) for name, each in productions.items()},
        terminals={str(each.name): terminal_of(each) for each in read.terminals},
        ignored=tuple(map(str, read.ignore_tokens)),
    )


def terminal_of(read: Any) -> Terminal:
    """A terminal as lark has read it."""
    pattern = read.pattern
    return Terminal(name=str(read.name), pattern=pattern.to_regexp(), written=str(pattern.raw or pattern.value))


def check_parts(grammar: Grammar, read: Any) -> None:
    """Nothing; or `GrammarError` where a rule or terminal has a priority, or a terminal no pattern."""
    rules = [str(rule.origin.name) for rule in read.rules if rule.options and rule.options.priority]
    terminals = [str(terminal.name) for terminal in read.terminals if terminal.priority]
    for name in (*rules, *terminals):
        message = f"grammar: {name!r} has a priority: of two readings none is preferred here, both are told"
        raise grammar.refused_at(message, name)
    known = {terminal.name for terminal in read.terminals}
    for part in (part for rule in read.rules for part in rule.expansion):
        if part.is_term and part.name not in known:
            raise grammar.refused_at(f"grammar: the terminal {str(part.name)!r} has no pattern", str(part.name))


def explained(grammar: Grammar, start: str, error: Exception) -> GrammarError:
    """What lark found wrong, in our words where they are clearer, at the grammar's line."""
    message = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ")
    line, column = getattr(error, "line", None), getattr(error, "column", None)
    if isinstance(error, regex.error):
        pattern = getattr(error, "pattern", "")
        message = f"grammar: the pattern does not compile: {getattr(error, 'msg', message)}"
        return grammar.refused_at(message, str(pattern), str(pattern).replace("/", r"\/"))
    if isinstance(error, OSError):
        named = Path(str(error.filename)).stem
        return grammar.refused_at(f"grammar: there is no {named!r} to import from", named)
    if f"NonTerminal('{start}')" in message:
        found = re.findall(r"^[ \t]*[?!]?([a-z]\w*)(?:\.\d+)?[ \t]*:", grammar.text, re.MULTILINE)
        return grammar.refused(f"grammar: there is no rule {start!r} to start with", hint=known_names(start, found))
    if match := PLACE.search(message):
        line, column = int(match[1]), int(match[2])
        message = "does not parse here" if "Unexpected" in message else message[: match.start()].strip()
    if line is not None and line > 0:
        return grammar.refused(f"grammar: {message}", line=line, column=max(1, column or 1))
    if "zero-width" in message:
        return empty_terminal(grammar, error)
    names = [name for pair in QUOTED.findall(message) for name in pair]
    return grammar.refused_at(f"grammar: {message[:1].lower() + message[1:]}", *names)


def empty_terminal(grammar: Grammar, error: Exception) -> GrammarError:
    """What to say of a terminal that may match nothing."""
    terminal = next((each for each in flattened(error.args) if hasattr(each, "pattern")), None)
    names: Iterable[str] = (terminal.name, terminal.pattern.value) if terminal else ()
    return grammar.refused_at("grammar: a terminal that may match nothing; a rule may, with `?` or `*`", *names)


def flattened(values: Iterable[Any]) -> Iterable[Any]:
    """The values, those inside tuples among them."""
    for value in values:
        if isinstance(value, tuple) and not hasattr(value, "pattern"):
            yield from flattened(value)
        else:
            yield value
