"""`path=value`: one value of a pipeline, changed from outside before it is read. `--set` and a matrix say such things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from promptkit.errors import DeclarationError
from promptkit.spec.document import Entry, Node, parse
from promptkit.text import Position, Problem, Source, known_names

__all__ = ["MATRIX_WORDS", "Asking", "apply_override", "parts_of", "put", "resolved"]

PART = re.compile(r"[^.\[\]]+|\[\d+\]")
MATRIX = "matrix"
MATRIX_WORDS = ("exclude", "race", "sample", "seed")  # keys of a matrix that are no paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for a change: in words, where keys that are made on the way stand, and where it is told if it fails."""

    words: str
    key: Position
    told_at: Position | None = None

    def refuse(self, message: str, hint: str = "") -> DeclarationError:
        """What to raise where the way leads nowhere."""
        return DeclarationError([Problem(position=self.told_at, path=self.words, message=message, hint=hint)])


def apply_override(root: Node, override: str) -> Node:
    """The tree with one value changed. `override` is `path=value`, the value in YAML.

    A path goes by keys and numbers, `prompt[1].demonstrations.take`; in a list, a step's name will do where one
    step has it: `prompt.demonstrations.take`. Raises `DeclarationError` where the path leads nowhere.
    """
    path, equals, text = override.partition("=")
    source = Source(name=f"--set {override}", text="")
    start = Position(source=source, line=1, column=1)
    parts = parts_of(path)
    if not equals or not parts:
        message = f"--set wants path=value, not {override!r}"
        raise DeclarationError([Problem(position=None, path="", message=message)])
    if parts[0] == "extends":
        message = "files are put together before --set changes a value"
        raise DeclarationError([Problem(position=None, path=f"--set {path}", message=message)])
    value, _ = parse(Source(name=source.name, text=text)) if text.strip() else (Node(None, start), [])
    return put(root, parts, value, Asking(words=f"--set {path}", key=value.position))


def parts_of(path: str) -> tuple[str, ...]:
    """The parts of a path. Below `matrix`, a path of the file is one key.

    >>> parts_of("prompt[1].query"), parts_of("matrix.prompt.query"), parts_of("matrix.race.keep")
    (('prompt', '1', 'query'), ('matrix', 'prompt.query'), ('matrix', 'race', 'keep'))
    """
    parts = tuple(part.strip("[]") for part in PART.findall(path))
    if len(parts) > 1 and parts[0] == MATRIX and parts[1] not in MATRIX_WORDS:
        return (MATRIX, path.removeprefix(f"{MATRIX}."))
    return parts


def put(node: Node, parts: tuple[str, ...], value: Node, asking: Asking) -> Node:
    """`node` with `value` at the end of the way `parts`; maps that are missing on the way are made."""
    if not parts:
        return value
    parts = through_groups(node, parts)
    part, rest = parts[0], parts[1:]
    if isinstance(node.value, tuple):
        index = item_index(node, part, asking)
        is_step = not part.isdigit() and not is_named(node.value[index])  # a stage is a map of its own
        rest = (part, *rest) if is_step else rest  # the name of a step: go on inside it
        items = list(node.value)
        items[index] = put(items[index], rest, value, asking)
        return Node(tuple(items), node.position)
    entries = dict(node.value) if isinstance(node.value, dict) else {}
    if node.value is not None and not isinstance(node.value, dict):
        raise asking.refuse(f"cannot go into {part!r}: there is no map")
    known = entries.get(part)
    below = known.node if known else Node(None, value.position)
    key = known.position if known and rest else asking.key
    entries[part] = Entry(key, put(below, rest, value, asking))
    return Node(entries, node.position)


def through_groups(node: Node, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The same way, through the group that a stage stands in where it does not stand in the list itself."""
    if not isinstance(node.value, tuple) or parts[0].isdigit() or parts[0] in map(item_name, node.value):
        return parts
    holding = [place for place, item in enumerate(node.value) if holds_stage(item, parts[0])]
    return (str(holding[0]), "stages", *parts) if holding else parts


def holds_stage(item: Node, name: str) -> bool:
    """Whether an item of a list is a group in which, or in a group of which, a stage has that name."""
    inside = item.value["stages"].node if isinstance(item.value, dict) and "stages" in item.value else None
    if inside is None or not isinstance(inside.value, tuple):
        return False
    return any(item_name(each) == name or holds_stage(each, name) for each in inside.value)


def is_named(item: Node) -> bool:
    """Whether an item of a list is a map that says its own name, as stages do."""
    return isinstance(item.value, dict) and len(item.value) > 1 and "name" in item.value


def item_name(item: Node) -> Any:
    """What an item of a list is called: its own name, or that of its step."""
    if is_named(item):
        return item.value["name"].node.value
    return next(iter(item.value)) if isinstance(item.value, dict) and item.value else item.value


def resolved(node: Node, parts: tuple[str, ...], asking: Asking) -> tuple[str, ...]:
    """The same way with every item of a list by its number, so that two ways to one place are equal."""
    if not parts:
        return ()
    parts = through_groups(node, parts)
    part, rest = parts[0], parts[1:]
    if isinstance(node.value, tuple):
        index = item_index(node, part, asking)
        item = node.value[index]
        is_step = not part.isdigit() and not is_named(item)
        return (str(index), *resolved(item, (part, *rest) if is_step else rest, asking))
    entry = node.value.get(part) if isinstance(node.value, dict) else None
    return (part, *resolved(entry.node if entry else Node(None, node.position), rest, asking))


def item_index(node: Node, part: str, asking: Asking) -> int:
    """The place in a list that a number, or the name of a step, stands for."""
    names = [item_name(item) for item in node.value]
    if part.isdigit() and int(part) < len(names):
        return int(part)
    if names.count(part) == 1:
        return names.index(part)
    if part.isdigit():
        message, hint = f"there is no item {part}", f"the list has {len(names)}, counted from 0"
    elif part in names:
        message, hint = f"{part!r} stands in this list {names.count(part)} times", "use its number, counted from 0"
    else:
        message, hint = f"nothing in this list is called {part!r}", known_names(part, map(str, names))
    raise asking.refuse(message, hint)
