"""JSON Schemas in a pipeline: checked when the file is read, and never slower on a text than its length allows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import regex
from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from promptkit.align.pointer import to_pointer
from promptkit.spec.declaration import shorten
from promptkit.spec.template import FolderLoader
from promptkit.spec.written import Written
from promptkit.text import Located

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

__all__ = ["Schema"]

PATTERN_TIMEOUT_S = 0.2
MAX_MESSAGE = 200
DRAFT = "https://json-schema.org/draft/2020-12/schema"
TRIALS: tuple[Any, ...] = (None, "a", 0, [None], {"a": None})


class Schema(Written):
    """A JSON Schema (draft 2020-12, or the one that it names). Two are equal if they say the same."""

    form: ClassVar[Mapping[str, Any]] = {
        "type": ["object", "boolean", "string"],
        "description": "a JSON Schema, or the name of a file with one",
    }

    def __init__(self, content: Any) -> None:
        """Takes a schema. Raises `ValueError` where it is none."""
        self.content: Any = content
        self._check()

    def _check(self) -> None:
        content: Any = self.content
        if not isinstance(self.content, dict | bool):
            raise ValueError(f"is no JSON Schema, which is a map, but {shorten(self.content)}")  # noqa: TRY004 - as below
        from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - slow to import, and few files have a schema

        try:
            self.validator.check_schema(content)
        except SchemaError as error:
            where = to_pointer(list(error.absolute_path))
            raise ValueError(
                f"is no valid JSON Schema{f': at {where}' if where else ''}: {cut(error.message)}"
            ) from error
        if has_both(self.content):
            raise ValueError("has `unevaluatedProperties` beside `patternProperties`, which is not supported")
        for pattern in patterns_of(self.content):
            try:
                regex.compile(pattern)
            except regex.error as error:
                raise ValueError(f"has a pattern that does not compile: {shorten(pattern)}: {error}") from error
        for trial in TRIALS:  # a reference that leads nowhere, or in a circle, would be met in the middle of a run
            try:
                self.validator.is_valid(trial)
            except RecursionError:
                raise ValueError("refers to itself without end") from None
            except Exception as error:
                raise ValueError(f"cannot be used: {cut(str(error))}") from error

    @cached_property
    def validator(self) -> Validator:
        """The validator, which looks nothing up outside the schema."""
        from jsonschema import validators  # noqa: PLC0415 - slow to import, and few files have a schema
        from referencing.jsonschema import EMPTY_REGISTRY, SchemaRegistry  # noqa: PLC0415 - the same

        named = validators.validator_for(self.content, default=validators.validator_for({"$schema": DRAFT}))
        checks = {"pattern": check_pattern, "patternProperties": check_pattern_properties}
        checks |= {"additionalProperties": check_additional, "uniqueItems": check_unique}
        safe: Any = validators.extend(named, checks)  # type: ignore[no-untyped-call]
        registry: SchemaRegistry = EMPTY_REGISTRY
        validator: Validator = safe(self.content, registry=registry)
        return validator

    def violation(self, value: Any) -> str:
        """What of a value is against the schema, and where; empty where nothing is."""
        from jsonschema.exceptions import best_match  # noqa: PLC0415 - slow to import, and few files have a schema

        try:
            error = best_match(self.validator.iter_errors(value))
        except TimeoutError:
            return "a pattern of the schema timed out"
        except RecursionError:
            return "the document is nested too deeply to be checked"
        except Exception as error:  # noqa: BLE001 - of a library, on a text of any kind
            return f"the schema cannot be checked: {cut(str(error))}"
        if error is None:
            return ""
        return f"at {to_pointer(list(error.absolute_path)) or 'the top'}: {cut(error.message)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.content == other.content

    def __hash__(self) -> int:
        return hash(json.dumps(self.content, sort_keys=True))

    def __repr__(self) -> str:
        return f"Schema({shorten(self.content)})"

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> Schema:
        """The schema that a file's value is, or that stands in the file that it names."""
        if isinstance(value, Schema):
            return value
        name = f"{str(value)!r} " if isinstance(value, str) else ""
        try:
            return Schema(opened(value, info) if isinstance(value, str) else json.loads(json.dumps(value)))
        except PydanticCustomError:
            raise
        except (ValueError, TypeError) as error:
            raise PydanticCustomError("schema", "{name}{why}", {"name": name, "why": str(error)}) from error

    def as_written(self) -> Any:
        """What it says, also where a file said it."""
        return self.content


def opened(name: str, info: ValidationInfo) -> Any:
    """The content of a schema's file: beside the pipeline's, in the folder above it, or shipped."""
    folder: Path | None = name.position.source.folder if isinstance(name, Located) else None
    loader = FolderLoader(folder or (info.context or {}).get("folder"))
    path = loader.find(name)
    if path is None:
        hint = f"looked in: {', '.join(str(each) for each in loader.folders)}"
        raise PydanticCustomError("schema", "there is no file {name}", {"name": repr(str(name)), "hint": hint})
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error


def patterns_of(schema: Any) -> Iterator[str]:
    """Every pattern that stands in a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), dict):
            yield from schema["patternProperties"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from patterns_of(each)


def has_both(schema: Any) -> bool:
    """Whether patterns are looked for in a place that has no time-out."""
    shown = json.dumps(schema)
    return '"unevaluatedProperties"' in shown and '"patternProperties"' in shown


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches anywhere. Raises `TimeoutError`."""
    return regex.search(pattern, text, timeout=PATTERN_TIMEOUT_S) is not None


def check_pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    """`pattern`, with a time-out."""
    from jsonschema import ValidationError  # noqa: PLC0415 - slow to import, and few files have a schema

    if isinstance(value, str) and not matches(pattern, value):
        yield ValidationError(f"{shorten(value)} does not match {pattern!r}")


def check_pattern_properties(validator: Any, properties: Mapping[str, Any], value: Any, _schema: Any) -> Iterator[Any]:
    """`patternProperties`, with a time-out."""
    if isinstance(value, dict):
        for pattern, inner in properties.items():
            for name, item in value.items():
                if matches(pattern, name):
                    yield from validator.descend(item, inner, path=name, schema_path=pattern)


def check_additional(validator: Any, allowed: Any, value: Any, schema: Any) -> Iterator[Any]:
    """`additionalProperties`, with a time-out for the patterns beside it."""
    from jsonschema import ValidationError  # noqa: PLC0415 - slow to import, and few files have a schema

    if isinstance(value, dict):
        patterns = schema.get("patternProperties", {})
        for name, item in value.items():
            if name in schema.get("properties", {}) or any(matches(pattern, name) for pattern in patterns):
                continue
            if isinstance(allowed, dict):
                yield from validator.descend(item, allowed, path=name)
            elif not allowed:
                yield ValidationError(f"{shorten(name)} is one name too many")


def check_unique(_validator: Any, is_unique: bool, value: Any, _schema: Any) -> Iterator[Any]:
    """`uniqueItems`, in the time of one walk."""
    from jsonschema import ValidationError  # noqa: PLC0415 - slow to import, and few files have a schema

    if is_unique and isinstance(value, list):
        keys = {json.dumps(with_whole_numbers(item), sort_keys=True) for item in value}
        if len(keys) < len(value):
            yield ValidationError(f"{shorten(value)} has an item twice")


def with_whole_numbers(value: Any) -> Any:
    """The value, in which 1.0 is 1."""
    if isinstance(value, dict):
        return {key: with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def cut(message: str) -> str:
    """The message, as long as a reason can hold, without a last full stop."""
    line = " ".join(message.split()).rstrip(".")
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 3] + "..."


def always_has(content: Any, pointer: str) -> bool:
    """Whether every document of a schema has a value at the pointer, and none that is null, as far as it says so itself.

    >>> always_has({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, "/a")
    True
    """
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not (isinstance(content, dict) and name in content.get("required", ())):
            return False
        content = content.get("properties", {}).get(name)
    if not isinstance(content, dict):
        return False
    if "const" in content or "enum" in content:
        return None not in (content.get("enum") or [content.get("const")])
    named = content.get("type", "null")
    return "null" not in (named if isinstance(named, list) else [named])
