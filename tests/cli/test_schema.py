"""The JSON Schema that editors read: what fits it is a pipeline, and every field says what it is."""

import jsonschema
import pytest
import yaml

from promptkit.errors import DeclarationError
from promptkit.run import load
from promptkit.run.schema import json_schema
from promptkit.spec import shipped_pipelines
from promptkit.spec.document import parse, read_source

FITS = {
    "nothing": {},
    "a list of bases": {"extends": ["sentiment", "sentiment"]},
    "one stop": {"generate": {"stop": "\n"}},
    "a section that says nothing": {"generate": None},
    "a split by its file": {"data": {"test": "a.jsonl"}},
    "a split by its files": {"data": {"test": {"files": ["a.jsonl", "b.csv"]}}},
    "a split by its rows": {"data": {"test": {"rows": [{"q": 1}]}, "fields": {"a": "{{ q }}"}}},
    "a model by its name": {"model": "owner/name"},
    "a model with its parameters": {"model": {"local": {"name": "a.gguf"}}},
    "a script, one completion": {"model": {"scripted": {"rules": [{"when": "a", "completion": "b"}]}}},
    "a script, several, short": {"model": {"scripted": [{"when": "a", "completion": ["b", "c"]}]}},
    "a step by its name": {"align": ["number", "strip"]},
    "a step with nothing": {"align": [{"number": None}]},
    "a step, short": {"align": [{"number": "last"}, {"regex": "a"}]},
    "a step, long": {"align": [{"regex": {"pattern": "a", "take": "all"}}]},
    "steps in steps": {"align": [{"first": [{"regex": "a"}, ["strip", {"regex": "b"}], "number"]}]},
    "a table": {"align": [{"map": {"a": 1, "b": None}}]},
    "a metric under another name": {"score": ["exact_match", {"exact_match": {"as": "em"}}]},
    "demonstrations": {
        "prompt": [{"demonstrations": {"from": "train", "take": 2, "select": "random", "template": "{{ q }}"}}]
    },
    "demonstrations written here": {"prompt": [{"demonstrations": {"from": [{"q": 1}], "template": "{{ q }}"}}]},
    "an example": {"examples": [{"completion": "a", "answer": None, "ended": "length"}]},
    "an example's place": {
        "examples": [{"completion": "a", "span": [0, 1]}, {"completion": "a", "span": "a", "step": "x"}]
    },
    "examples from a file": {"examples": [{"from": "rows.jsonl", "id": 3, "answer_field": "gold"}]},
}
FITS_NOT = {
    "an unknown key": {"nme": "x"},
    "an unknown key of a section": {"generate": {"max_tokens": 3}},
    "an unknown key of a step": {"align": [{"regex": {"pattern": "a", "tke": "last"}}]},
    "an unknown step": {"align": [{"regx": "a"}]},
    "an unknown metric": {"score": ["acc"]},
    "an unknown model": {"model": {"lcal": {}}},
    "an unknown selector": {"prompt": [{"demonstrations": {"from": "train", "select": "rndom", "template": "x"}}]},
    "an unknown split": {"data": {"tst": "a.jsonl"}},
    "a step that lacks its parameters": {"align": ["regex"]},
    "two steps in one": {"align": [{"regex": "a", "number": None}]},
    "a value that is none of the known": {"align": [{"number": {"take": "lst"}}]},
    "a number too small": {"generate": {"max_new_tokens": 0}},
    "text for a number": {"generate": {"max_new_tokens": "few"}},
    "a number for text": {"about": 3},
    "one step without a list": {"prompt": "x"},
    "generate and choose": {"generate": {"max_new_tokens": 3}, "choose": {"options": ["a", "b"]}},
    "stages": {"stages": []},
    "an example without a completion": {"examples": [{"answer": 3}]},
    "an example with two completions": {"examples": [{"completion": "a", "from": "rows.jsonl", "answer": 3}]},
    "an example whose place has three ends": {"examples": [{"completion": "a", "span": [0, 1, 2]}]},
    "a rule without a completion": {"model": {"scripted": [{"when": "a"}]}},
}


@pytest.fixture(scope="module")
def schema():
    """The schema."""
    return json_schema()


@pytest.fixture(scope="module")
def validator(schema):
    """What an editor does with it."""
    return jsonschema.Draft202012Validator(schema)


def fields(value, way=()):
    """Every property that a schema declares, with the way to it."""
    if isinstance(value, dict):
        for name, field in value.get("properties", {}).items():
            yield ".".join((*way, name)), field
        for key, item in value.items():
            yield from fields(item, (*way, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from fields(item, (*way, str(number)))


def references(value):
    """Every reference in a schema."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_it_is_a_schema_of_the_draft_that_it_names(schema):
    """Editors go by that line."""
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(schema):
    """A loose one makes editors give up on the whole file."""
    known = {f"#/$defs/{name}" for name in schema["$defs"]}
    assert set(references(schema)) <= known


def test_every_field_has_a_description(schema):
    """It is what an editor shows under the cursor, and all the help that many will see."""
    found = dict(fields(schema))
    assert len(found) > 60, "the walk reaches steps and sections"
    assert [way for way, field in found.items() if not field.get("description", "").strip()] == []


@pytest.mark.parametrize("name", shipped_pipelines())
def test_every_shipped_pipeline_fits(validator, name):
    """An editor that underlines what runs is an editor that nobody believes."""
    tree, problems = parse(read_source(shipped_pipelines()[name]))
    assert problems == []
    assert [error.message for error in validator.iter_errors(tree.plain())] == []


@pytest.mark.parametrize("declared", FITS.values(), ids=FITS)
def test_what_fits_is_a_pipeline(validator, tmp_path, declared):
    """Each short form, and each long one."""
    assert [error.message for error in validator.iter_errors(declared)] == []
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    (tmp_path / "rows.jsonl").touch()
    load(tmp_path / "p.yaml")


@pytest.mark.parametrize("declared", FITS_NOT.values(), ids=FITS_NOT)
def test_what_does_not_fit_is_no_pipeline(validator, tmp_path, declared):
    """The editor says so before promptkit does."""
    assert not validator.is_valid(declared)
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    with pytest.raises(DeclarationError):
        load(tmp_path / "p.yaml")
