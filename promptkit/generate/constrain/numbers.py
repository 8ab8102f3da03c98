"""JSON Schemas whose numbers are such as a program can hold.

A number in JSON may be `474e687`, which is none to most who read it. Where a schema leaves a number open, the constraint
keeps it within `MOST`, written without an exponent; where it leaves a value open, any value is one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["holding"]

MOST = 10**15
NUMBER = {"type": "number", "minimum": -MOST, "maximum": MOST}
NAME = "any-value"
VALUE = {"$ref": f"#/$defs/{NAME}"}
ANY = {
    "anyOf": [
        {"type": ["string", "boolean", "null"]},
        NUMBER,
        {"type": "array", "items": VALUE},
        {"type": "object", "additionalProperties": VALUE},
    ]
}
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"})
MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SCHEMAS = frozenset({"items", "additionalProperties"})


def holding(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of the same documents, but for numbers that are too large."""
    held = bounded(dict(schema))
    return {**held, "$defs": {**held.get("$defs", {}), NAME: ANY}}


def bounded(schema: Any) -> Any:
    """The same of a schema inside; what allows any value refers to the one that says which."""
    if schema is True or schema == {}:
        return VALUE
    if not isinstance(schema, dict):
        return schema
    held = {key: inner(key, value) for key, value in schema.items()}
    named = schema.get("type", ())
    types = [named] if isinstance(named, str) else named
    if "number" in types and not BOUNDS & schema.keys():
        held |= {"minimum": -MOST, "maximum": MOST}
    if "object" in types:
        held.setdefault("additionalProperties", VALUE)
    if "array" in types:
        held.setdefault("items", VALUE)
    return held


def inner(key: str, value: Any) -> Any:
    """What a key of a schema holds, with the schemas in it bounded."""
    if key in MAPS and isinstance(value, dict):
        return {name: bounded(each) for name, each in value.items()}
    if key in LISTS and isinstance(value, list):
        return [bounded(each) for each in value]
    return bounded(value) if key in SCHEMAS else value
