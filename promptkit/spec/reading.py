"""From files to declarations: read, compose (`extends`, `--set`), validate, and report every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from promptkit.errors import DeclarationError
from promptkit.spec.declaration import Declaration, shorten
from promptkit.spec.document import Node, parse, read_source
from promptkit.spec.overrides import apply_override
from promptkit.spec.shipped import find_pipeline, shipped_pipelines
from promptkit.text import Position, Problem, known_names

__all__ = ["UNSEEN", "compose", "read"]

Declared = TypeVar("Declared", bound=Declaration)

EXTENDS = "extends"
BY_STAGE = ("prompt", "generate", "choose", "align", "examples")  # `stages` take their place in a file that is extended
UNSEEN = "\0"  # begins the name of a part of a mistake's path that is not written in the file
AT_THE_KEY = {"unknown_key", "missing", "later", "both"}  # mistakes that are the key's; others are the value's


def compose(name: str, overrides: Sequence[str] = ()) -> tuple[Node, list[Problem]]:
    """The tree of a pipeline's file, laid over those that it extends, overrides applied; and its keys' problems."""
    path, shown = find_pipeline(name)
    tree, problems = with_bases(path, shown, above=())
    for override in overrides:
        tree = apply_override(tree, override)
    return tree, problems


def with_bases(
    path: Path, shown: str, above: tuple[Path, ...], extended_at: Position | None = None
) -> tuple[Node, list[Problem]]:
    """The tree of one file, laid over the files that it extends, the last named undermost; a section that is null is none."""
    source = read_source(path, shown, extended_at)
    tree, problems = parse(source)
    if not isinstance(tree.value, dict) or EXTENDS not in tree.value:
        return tree, problems
    entry = tree.value[EXTENDS]
    bases = entry.node.value if isinstance(entry.node.value, tuple) else (entry.node,)
    merged = Node({key: each for key, each in tree.value.items() if key != EXTENDS}, tree.position)
    for base in bases:
        below, more = open_base(base, path, (*above, path.resolve()))
        merged = merged.merged_over(below.without(BY_STAGE) if "stages" in said(merged) else below)
        problems += more
    return merged.only(said(merged)), problems


def said(tree: Node) -> list[str]:
    """The keys of a map that are not null."""
    return [key for key, entry in tree.value.items() if entry.node.value is not None]


def open_base(base: Node, path: Path, above: tuple[Path, ...]) -> tuple[Node, list[Problem]]:
    """The tree of one file that another extends: beside it, or shipped by that name."""

    def refuse(message: str, hint: str = "") -> DeclarationError:
        return DeclarationError([Problem(position=base.position, path=EXTENDS, message=message, hint=hint)])

    if not isinstance(base.value, str):
        raise refuse(f"must name a file, not {shorten(base.plain())}")
    beside, shipped = path.parent / base.value, shipped_pipelines()
    found, shown = beside, str(beside)
    if not (beside.exists() or beside.suffix):
        if base.value not in shipped:
            message = f"{str(base.value)!r} is neither a file nor a shipped pipeline"
            raise refuse(message, known_names(base.value, shipped))
        found, shown = shipped[base.value], f"{base.value}.yaml"
    if not found.is_file():
        raise refuse(f"there is no file {str(beside)!r}")
    if found.resolve() in above:
        raise refuse(f"{base.value!r} extends itself")
    below, problems = with_bases(found, shown, above, base.position)
    if not isinstance(below.value, dict):
        raise refuse(f"{shown} must hold a map, not {shorten(below.plain())}")
    return below, problems


def read(
    cls: type[Declared], tree: Node, problems: Iterable[Problem] = (), context: dict[str, Any] | None = None
) -> Declared:
    """The declaration that a tree holds. Raises `DeclarationError` with every mistake, in the order of the file."""
    found = list(problems)
    try:
        declared = cls.model_validate(tree.plain(), context=context or {})
    except ValidationError as error:
        found += [to_problem(each, tree) for each in without_echoes(error.errors(include_url=False))]
    if found:
        raise DeclarationError(sorted(found, key=order))
    return declared


def without_echoes(errors: Sequence[Any]) -> list[Any]:
    """The errors, without lists that are too short only because what is in them is wrong."""
    inner = [each["loc"] for each in errors]
    return [
        each
        for each in errors
        if each["type"] != "too_short"
        or not any(len(loc) > len(each["loc"]) and loc[: len(each["loc"])] == each["loc"] for loc in inner)
    ]


def order(problem: Problem) -> tuple[str, int, int]:
    """Where a problem stands: by file, line and column."""
    place = problem.position
    return (place.source.name, place.line, place.column) if place else ("", 0, 0)


def to_problem(error: Any, tree: Node) -> Problem:
    """What pydantic found, as a place in the file and a message in our words."""
    context = error.get("ctx") or {}
    whole = (*error["loc"], *context.get("at", ()))  # what is wrong between fields stands at one of them
    location = tuple(part for part in whole if isinstance(part, str | int) and not str(part).startswith(UNSEEN))
    lacking = error["input"] if error["type"] == "missing" and isinstance(error.get("input"), dict) else {}
    place = tree.locate(location, lacking)
    position, path = place.key if error["type"] in AT_THE_KEY else place.value, place.words
    if "problem" in context:  # found inside a template, which knows its place better
        inner: Problem = context["problem"]
        where = " ".join(part for part in (path, inner.path) if part)
        return Problem(position=inner.position or position, path=where, message=inner.message, hint=inner.hint)
    message, hint = in_our_words(error, context)
    return Problem(position=position, path=path, message=message, hint=str(context.get("hint", hint)))


def list_of_one(item: Any) -> str:
    """How a list is written whose one item stands where the list should."""
    if isinstance(item, dict) and item:
        return f"each item of a list stands behind a dash: - {next(iter(item))}: ..."
    is_word = isinstance(item, str) and item.replace("_", "").isalnum()
    return f"a list of one item is [{item}]" if is_word else ""


def in_our_words(error: Any, context: dict[str, Any]) -> tuple[str, str]:
    """The message and the hint for one of pydantic's errors."""
    kind, given = error["type"], shorten(error.get("input"))
    if kind == "missing":
        return f"{error['loc'][-1]!r} is missing", ""
    if kind == "literal_error":
        known = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        return f"{given} is not one of its values", known_names(str(error.get("input")), known)
    if kind == "too_short":
        least = context.get("min_length", 1)
        return ("must not be empty" if least == 1 else f"must have at least {least} items, not {given}"), ""
    wanted = {
        "string_type": "text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "tuple_type": "a list",
        "list_type": "a list",
        "dict_type": "a map",
        "greater_than_equal": f"at least {context.get('ge')}",
        "greater_than": f"more than {context.get('gt')}",
        "less_than": f"less than {context.get('lt')}",
        "less_than_equal": f"at most {context.get('le')}",
    }.get(kind)
    if wanted:
        return f"must be {wanted}, not {given}", list_of_one(error.get("input")) if wanted == "a list" else ""
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return (message if kind == "value_error" else message[:1].lower() + message[1:]), ""
