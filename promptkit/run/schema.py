"""The JSON Schema of the language, from the same declarations that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptkit.align.step import ALIGN
from promptkit.generate import MODEL
from promptkit.prompt import ORDER, PROMPT, SELECT
from promptkit.run.declaration import PipelineDeclaration
from promptkit.run.sweeps.matrix import Matrix
from promptkit.score import SCORE
from promptkit.spec import Seam, StepDeclaration
from promptkit.spec.declaration import SEAM_KEY

__all__ = ["SEAMS", "json_schema"]

SEAMS = (PROMPT, SELECT, ORDER, MODEL, ALIGN, SCORE)
REFS = "#/$defs/{model}"


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every pipeline file fits."""
    schema = schema_of(PipelineDeclaration)
    definitions = schema.setdefault("$defs", {})
    for seam in SEAMS:
        definitions[f"{seam.name}_step"] = step_schema(seam, definitions)
    properties = schema["properties"]
    properties["extends"] = {
        "description": "a pipeline that this one is laid over, map by map; or a list of them",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    properties["matrix"] = {"description": first_line(Matrix), **part_of(Matrix, definitions)}
    schema["not"] = {"required": ["generate", "choose"]}
    resolved: dict[str, Any] = with_seams(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **resolved, "title": "promptkit pipeline"}


def with_seams(value: Any) -> Any:
    """The schema with a reference wherever a step may be named."""
    if isinstance(value, list):
        return [with_seams(item) for item in value]
    if not isinstance(value, dict):
        return value
    rest = {
        key: {name: with_seams(each) for name, each in item.items()} if key == "properties" else with_seams(item)
        for key, item in value.items()
        if key not in (SEAM_KEY, "default")
    }
    return {**rest, "$ref": f"#/$defs/{value[SEAM_KEY]}_step"} if SEAM_KEY in value else rest


def schema_of(declaration: type[Any]) -> dict[str, Any]:
    """A declaration's own schema, with its definitions inside."""
    schema: dict[str, Any] = declaration.model_json_schema(ref_template=REFS)
    return schema


def part_of(declaration: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A declaration's own schema; what it names stands among `definitions`."""
    schema = schema_of(declaration)
    for key, value in schema.pop("$defs", {}).items():
        definitions.setdefault(key, value)
    return schema


def first_line(declaration: type[Any]) -> str:
    """The first line of what is said of a declaration, which editors show of a key."""
    return (declaration.__doc__ or "").strip().splitlines()[0]


def step_schema(seam: Seam, definitions: dict[str, Any]) -> dict[str, Any]:
    """What may stand where a step is named: its name, or one key with its parameters."""
    kinds = seam.kinds()
    named = {"enum": sorted(name for name, kind in kinds.items() if not needs_parameters(kind))}
    texts: list[dict[str, Any]] = [{"type": "string"} if seam.text_means else named]
    return {"anyOf": [*texts, *(one_kind(name, kind, definitions) for name, kind in sorted(kinds.items()))]}


def needs_parameters(kind: type[StepDeclaration]) -> bool:
    """Whether a step cannot be named alone."""
    return any(field.is_required() for field in kind.model_fields.values())


def one_kind(name: str, kind: type[StepDeclaration], definitions: dict[str, Any]) -> dict[str, Any]:
    """The form `name: parameters`, long and short."""
    schema = part_of(kind, definitions)
    forms: list[dict[str, Any]] = [schema]
    if kind.main:
        forms.append(main_field(schema, kind))
    if not needs_parameters(kind):
        forms.append({"type": "null"})
    value = forms[0] if len(forms) == 1 else {"anyOf": forms}
    about = first_line(kind)
    return {
        "type": "object",
        "properties": {name: {**value, "description": about}},  # what editors show of a key
        "required": [name],
        "additionalProperties": False,
        "description": about,
    }


def main_field(schema: Mapping[str, Any], kind: type[StepDeclaration]) -> dict[str, Any]:
    """The schema of the field that a step's short form gives."""
    field = kind.model_fields[kind.main or ""]
    found: dict[str, Any] = schema["properties"][field.alias or kind.main]
    return found
