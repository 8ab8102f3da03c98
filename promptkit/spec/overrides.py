"""`--set path=value`: one value of a pipeline, changed from outside before it is read."""

from __future__ import annotations

import re
from typing import Any

from promptkit.errors import DeclarationError
from promptkit.spec.document import Entry, Node, parse
from promptkit.text import Position, Problem, Source, known_names

__all__ = ["apply_override"]

PART = re.compile(r"[^.\[\]]+|\[\d+\]")


def apply_override(root: Node, override: str) -> Node:
    """The tree with one value changed. `override` is `path=value`, the value in YAML.

    A path goes by keys and numbers, `prompt[1].demonstrations.take`; in a list, a step's name will do where one
    step has it: `prompt.demonstrations.take`. Raises `DeclarationError` where the path leads nowhere.
    """
    path, equals, text = override.partition("=")
    source = Source(name=f"--set {override}", text="")
    start = Position(source=source, line=1, column=1)
    parts = PART.findall(path)
    if not equals or not parts:
        message = f"--set wants path=value, not {override!r}"
        raise DeclarationError([Problem(position=None, path="", message=message)])
    if parts[0] == "extends":
        message = "files are put together before --set changes a value"
        raise DeclarationError([Problem(position=None, path=f"--set {path}", message=message)])
    value, _ = parse(Source(name=source.name, text=text)) if text.strip() else (Node(None, start), [])
    return put(root, tuple(part.strip("[]") for part in parts), value, f"--set {path}")


def put(node: Node, parts: tuple[str, ...], value: Node, where: str) -> Node:
    """`node` with `value` at the end of the way `parts`; maps that are missing on the way are made."""
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if isinstance(node.value, tuple):
        index = item_index(node, part, where)
        if not part.isdigit() and is_named(node.value[index]):  # a stage, which is a map of its own
            pass
        elif not part.isdigit() and rest:  # the name of a step: go on inside it
            rest = (part, *rest)
        elif not part.isdigit():
            rest = (part,)
        items = list(node.value)
        items[index] = put(items[index], rest, value, where)
        return Node(tuple(items), node.position)
    entries = dict(node.value) if isinstance(node.value, dict) else {}
    if node.value is not None and not isinstance(node.value, dict):
        raise DeclarationError(
            [Problem(position=None, path=where, message=f"cannot go into {part!r}: there is no map")]
        )
    below = entries[part].node if part in entries else Node(None, value.position)
    entries[part] = Entry(value.position, put(below, rest, value, where))
    return Node(entries, node.position)


def is_named(item: Node) -> bool:
    """Whether an item of a list is a map that says its own name, as stages do."""
    return isinstance(item.value, dict) and len(item.value) > 1 and "name" in item.value


def item_name(item: Node) -> Any:
    """What an item of a list is called: its own name, or that of its step."""
    if is_named(item):
        return item.value["name"].node.value
    return next(iter(item.value)) if isinstance(item.value, dict) and item.value else item.value


def item_index(node: Node, part: str, where: str) -> int:
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
    raise DeclarationError([Problem(position=None, path=where, message=message, hint=hint)])
