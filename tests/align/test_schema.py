"""`json: {schema: ...}`: documents that must fit a JSON Schema."""

import time

import pytest

from promptkit.align import Found, Json, Missing
from promptkit.errors import DeclarationError
from promptkit.text import Span

SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}, "required": ["a"]}


def read(text, **fields):
    result = Json(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    return result.reason if isinstance(result, Missing) else result.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1]}', {"a": [1]}),
        ('{"a": [1, "x"]}', "the document does not fit the schema: at /a/1: 'x' is not of type 'integer'"),
        ('{"b": 1}', "the document does not fit the schema: at the top: 'a' is a required property"),
        ("[1, 2]", "the document does not fit the schema: at the top: [1, 2] is not of type 'object'"),
        (f'{{"a": [{"1," * 60_000}1]}}', "the document has 120010 characters, a schema is checked on 100000"),
    ],
)
def test_a_document_that_does_not_fit_is_no_answer(text, value):
    """The reason says where, as a pointer."""
    assert read(text, schema=SCHEMA) == value


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        ({"items": {"pattern": "^(a|aa)+$"}}, '["' + "a" * 40 + '!"]', "a pattern of the schema timed out"),
        ({"patternProperties": {"^(a|aa)+$": {}}}, '{"' + "a" * 40 + '!": 1}', "a pattern of the schema timed out"),
        (
            {"patternProperties": {"^x$": {"type": "null"}}, "additionalProperties": False},
            '{"x": null, "y": 1}',
            "at the top: 'y' is one name too many",
        ),
        ({"uniqueItems": True}, '[{"a": 1}, {"a": 1.0}]', "at the top: [{'a': 1}, {'a': 1.0}] has an item twice"),
        (
            {"$defs": {"t": {"items": {"$ref": "#/$defs/t"}, "type": "array"}}, "$ref": "#/$defs/t"},
            "[[], [[1, 2]]]",
            "at /1/0/1: 2 is not of type 'array'",
        ),
    ],
)
def test_no_schema_slows_a_run(schema, text, reason):
    """A text of any kind meets a schema of any kind."""
    began = time.perf_counter()
    assert read(text, schema=schema) == f"the document does not fit the schema: {reason}"
    assert time.perf_counter() - began < 2


def test_a_schema_may_be_a_file_beside_the_pipeline(declare, tmp_path):
    """It is shared with other programs."""
    (tmp_path / "s.json").write_text('{"type": "array"}', encoding="utf-8")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    chain = declare("align: [json: {schema: s.json}]", folder=tmp_path)
    assert chain.align("{}").reason == "the document does not fit the schema: at the top: {} is not of type 'array'"
    with pytest.raises(DeclarationError, match=r"align\[0\].json.schema: there is no file 't.json'"):
        declare("align: [json: {schema: t.json}]", folder=tmp_path)
    with pytest.raises(DeclarationError, match=r"align\[0\].json.schema: 'bad.json' is not JSON"):
        declare("align: [json: {schema: bad.json}]", folder=tmp_path)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{type: objct}", "is no valid JSON Schema: at /type: 'objct' is not valid under any of the given schemas"),
        (
            "{properties: {a: {type: 1}}}",
            "is no valid JSON Schema: at /properties/a/type: 1 is not valid under any of the given schemas",
        ),
        ("{pattern: '('}", "is no valid JSON Schema: at /pattern: '(' is not a 'regex'"),
        ("{$ref: '#/x'}", "cannot be used: PointerToNowhere: '/x' does not exist within {'$ref': '#/x'}"),
        ("{$ref: 'http://example.com/x'}", "cannot be used: Unresolvable: http://example.com/x"),
        ("{$ref: '#'}", "refers to itself without end"),
        ("3", "is no JSON Schema, which is a map, but 3"),
    ],
)
def test_a_schema_that_is_none_is_refused_when_the_file_is_read(declare, schema, message):
    """And nothing is fetched from anywhere."""
    with pytest.raises(DeclarationError) as caught:
        declare(f"align: [json: {{schema: {schema}}}]")
    assert str(caught.value).splitlines()[0] == f"pipe.yaml:1:24: align[0].json.schema: {message}"
