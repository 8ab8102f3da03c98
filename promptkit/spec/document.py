"""A YAML file as a tree of nodes that know where they stand.

The scalars are those of YAML 1.2's core schema (section 10.3): `no`, `on` and `12:30` are text, as people expect of
the answers of a data set; only `true` and `false` are booleans.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from promptkit.errors import DeclarationError
from promptkit.text import Located, Position, Problem, Source

__all__ = ["Entry", "Node", "Place", "parse", "read_source"]

MAX_NODES = 200_000  # a file of aliases of aliases would otherwise fill the memory
TAG = "tag:yaml.org,2002:"


class CoreLoader(yaml.SafeLoader):
    """PyYAML's composer with the resolvers of YAML 1.2's core schema in place of those of 1.1."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own name and kind of attribute


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    CoreLoader.add_implicit_resolver(TAG + _tag, re.compile(f"^(?:{_pattern})$"), list(_first))

SCALARS: dict[str, Callable[[str], Any]] = {
    TAG + "bool": lambda text: text.lower() == "true",
    TAG + "null": lambda _: None,
    TAG + "int": lambda text: int(text, 0) if text[:2] in ("0o", "0x") else int(text),
    TAG + "float": lambda text: float(re.sub(r"\.(inf|nan)", r"\1", text.lower())),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map, with the place of the key."""

    position: Position
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in a file: its key, its value, and the way to it in words, `prompt[1].query.text`."""

    key: Position
    value: Position
    words: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file: a scalar, a tuple of nodes, or a map of entries; `position` is its first character."""

    value: Any
    position: Position

    def plain(self) -> Any:
        """The value as plain data, in which every string knows its place."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def only(self, keys: Collection[str]) -> Node:
        """A map with no other keys than these; what is no map stays as it is."""
        if not isinstance(self.value, dict):
            return self
        return Node({key: entry for key, entry in self.value.items() if key in keys}, self.position)

    def without(self, keys: Collection[str]) -> Node:
        """A map without these keys."""
        return Node({key: entry for key, entry in self.value.items() if key not in keys}, self.position)

    def locate(self, path: tuple[str | int, ...], lacking: Collection[str] = ()) -> Place:
        """The place of what `path` leads to, or of the last part of the way that exists.

        A map with one key is looked through: a step's parameters stand under the step's name, which is no part of
        the path. The map that is `lacking` the last part, known by its keys, is not.
        """
        node, key, words = self, self.position, ""
        for part in path:
            if isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
                node, words = node.value[part], f"{words}[{part}]"
                key = node.position
                continue
            is_at_its_end = part == path[-1] and isinstance(node.value, dict) and set(node.value) == set(lacking)
            if isinstance(node.value, dict) and part not in node.value and len(node.value) == 1 and not is_at_its_end:
                ((name, entry),) = node.value.items()
                node, key, words = entry.node, entry.position, f"{words}.{name}"
            if isinstance(node.value, dict) and part in node.value:
                entry = node.value[str(part)]
                node, key, words = entry.node, entry.position, f"{words}.{part}"
        return Place(key=key, value=node.position, words=words.removeprefix("."))

    def merged_over(self, below: Node) -> Node:
        """This node laid over `below`: maps are merged key by key, anything else replaces."""
        if not (isinstance(self.value, dict) and isinstance(below.value, dict)):
            return self
        merged = dict(below.value)
        for key, entry in self.value.items():
            below_it = merged.get(key)
            merged[key] = replace(entry, node=entry.node.merged_over(below_it.node)) if below_it else entry
        return Node(merged, self.position)


def read_source(path: Path, name: str | None = None, extended_at: Position | None = None) -> Source:
    """The text of a pipeline file. Raises `DeclarationError` where there is none, or it is not UTF-8."""
    shown = name or str(path)

    def refuse(message: str, hint: str = "") -> DeclarationError:
        return DeclarationError([Problem(position=None, path=shown, message=message, hint=hint)])

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise refuse("there is no such file") from error
    except OSError as error:
        raise refuse(f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise refuse(f"is not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}") from error
    # what is no file, such as a pipe, has nothing beside it
    folder = path.absolute().parent if path.is_file() else Path.cwd()
    return Source(name=shown, text=text, folder=folder, extended_at=extended_at)


def parse(source: Source) -> tuple[Node, list[Problem]]:
    """The tree of a file and what is wrong with its keys. Raises `DeclarationError` where it is not YAML."""
    try:
        loader = CoreLoader(source.text)
        try:
            composed = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise DeclarationError([syntax_problem(source, error)]) from error
    except RecursionError as error:
        start = Position(source=source, line=1, column=1)
        raise DeclarationError([Problem(position=start, path="", message="is nested too deeply")]) from error
    if composed is None:
        start = Position(source=source, line=1, column=1)
        raise DeclarationError([Problem(position=start, path="", message="the file is empty")])
    builder = Builder(source)
    return builder.build(composed, ()), builder.problems


def syntax_problem(source: Source, error: yaml.YAMLError) -> Problem:
    """What PyYAML found, in our words where they are clearer."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    message = str(getattr(error, "problem", None) or error).strip()
    hint = ""
    if isinstance(error, yaml.reader.ReaderError):
        character = chr(error.character) if isinstance(error.character, int) else error.character
        return Problem(position=None, path=source.name, message=f"is not text: it holds the character {character!r}")
    position = Position(source=source, line=mark.line + 1, column=mark.column + 1) if mark else None
    if "'\\t'" in message:
        message, hint = "a tab where YAML wants spaces", "indent with spaces only"
    elif "mapping values are not allowed" in message:
        message, hint = "a second ': ' on one line", "put quotes around text that holds ': '"
    elif "unknown escape character" in message:
        hint = "in double quotes a backslash begins an escape; in single quotes, as patterns stand, it is one"
    elif "found undefined alias" in message or "expected a single document" in message:
        message = message.replace("but found another document", "found another document")
    return Problem(position=position, path="", message=f"not YAML: {message}", hint=hint)


class Builder:
    """Turns PyYAML's nodes into ours, and collects what is wrong with the keys on the way."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.num_nodes = 0

    def build(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Node:
        """Our node for PyYAML's; `above` are the nodes that it stands in."""
        position = self.position(node)
        self.num_nodes += 1
        if self.num_nodes > MAX_NODES or any(node is outer for outer in above):
            raise DeclarationError(
                [Problem(position=position, path="", message="an alias that contains itself, or too many")]
            )
        inside = (*above, node)
        if isinstance(node, yaml.MappingNode):
            return Node(self.entries(node, inside), position)
        if isinstance(node, yaml.SequenceNode):
            return Node(tuple(self.build(item, inside) for item in node.value), position)
        assert isinstance(node, yaml.ScalarNode)
        return Node(self.scalar(node, position), position)

    def entries(self, node: yaml.MappingNode, inside: tuple[yaml.Node, ...]) -> dict[str, Entry]:
        """The entries of a map; a key that was there before is a problem, and its first value stays."""
        entries: dict[str, Entry] = {}
        for key, value in node.value:
            position = self.position(key)
            if not isinstance(key, yaml.ScalarNode):
                is_braces = node.flow_style and isinstance(key, yaml.MappingNode)
                hint = 'a template stands in quotes: "{{ name }}"' if is_braces else ""
                self.problems.append(Problem(position=position, path="", message="a key must be text", hint=hint))
            elif key.value in entries:
                first = entries[key.value].position
                message = f"the key {key.value!r} stands here twice"
                self.problems.append(
                    Problem(position=position, path="", message=message, hint=f"first at line {first.line}")
                )
            else:
                entries[key.value] = Entry(position, self.build(value, inside))
        return entries

    def scalar(self, node: yaml.ScalarNode, position: Position) -> Any:
        """The scalar's value: text with its place, or a bool, number or None."""
        if node.tag == TAG + "str":
            return Located(node.value, position, is_block=node.style == "|")
        if node.tag in SCALARS:
            try:
                return SCALARS[node.tag](node.value)
            except ValueError:
                pass
        self.problems.append(Problem(position=position, path="", message=f"the tag {node.tag!r} means nothing here"))
        return Located(str(node.value), position)

    def position(self, node: yaml.Node) -> Position:
        """Where PyYAML's node begins."""
        mark = node.start_mark
        return Position(source=self.source, line=mark.line + 1, column=mark.column + 1)
