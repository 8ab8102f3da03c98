"""`json`: documents in completions, strict, in prose, damaged, cut."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.align import Answer, Found, Json, Missing, NoAnswer
from promptkit.align.mending import restored
from promptkit.errors import DeclarationError
from promptkit.text import Span

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.lists(VALUES, min_size=2, max_size=4) | st.dictionaries(st.text(max_size=5), VALUES, min_size=1)


def read(text, **fields):
    result = Json(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    return result.reason if isinstance(result, Missing) else result.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {"a": [1, 2]} ', {"a": [1, 2]}),
        ("42", 42),
        ('"x"', "x"),
        ('The answer is {"a": 1}, I think.', {"a": 1}),
        ('```json\n{"a": 1}\n```\nand not {"b": 2}', {"a": 1}),
        ('```\n{"a": 1}\n```', {"a": 1}),
        ('{"a": 1} or {"a": 2}', {"a": 2}),
        ('{"why": "see [x] and {y}", "a": 1}', {"why": "see [x] and {y}", "a": 1}),
        ('[3 apples] {"a": 1}, see [2]', {"a": 1}),
        ("Answer: [1]", [1]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        ("{}", {}),
    ],
)
def test_a_document_is_found(text, value):
    """The whole text, else in a fence, else the last in prose."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ("{'a': 'it's'}", {"a": "it's"}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ('{"a": "x\ny"}', {"a": "x\ny"}),
        ('{"a": "he said "hi" to me", "b": 2}', {"a": 'he said "hi" to me', "b": 2}),
        ('{"a": 1, // it\'s [\n "b": 2 /* { */}', {"a": 1, "b": 2}),
        ('{"a": 1 # one\n}', {"a": 1}),
        ("{\u201ca\u201d: \u201cb\u201d}", {"a": "b"}),
        ('{a: 1, "b": .5}', {"a": 1, "b": 0.5}),
        ('{"a": 1\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "b"; "c": 1}', {"a": "b", "c": 1}),
        ('{"a": "\\(\\alpha\\)"}', {"a": "\\(\\alpha\\)"}),
        ('{"a": "\\frac{1}{2} \\times \\text{m}"}', {"a": "\\frac{1}{2} \\times \\text{m}"}),
        ('{"code": "print("hi")\nx = [1]", "b": 1}', {"code": 'print("hi")\nx = [1]', "b": 1}),
    ],
)
def test_usual_damage_is_put_right(text, value):
    """Models write JSON by ear."""
    assert read(text) == value
    assert read(f"So: {text} That is it.") == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON document"),
        ("I think it is 5, see [1] and x[0].", "no JSON document"),
        ("{note: this is prose}, f = {x | x > 0}, {1, 2}", "no JSON document"),
        ('{"a": 1, "b": [2', "the JSON document is not closed"),
        ('{"a": [1, 2], "b": 3', "the JSON document is not closed"),
        ('{"a": 1} and then {"a": "half', "the JSON document is not closed"),
        ('{"a" 1}', "the JSON document cannot be read for certain"),
        ('{"a": 5 km}', "the JSON document cannot be read for certain"),
        ('{"a": ...}', "the JSON document leaves something out at '...'"),
        ('{"a": "x" + "y"}', "the JSON document leaves something out at '+'"),
        ('{"a": NaN}', "the JSON document holds NaN, which is no JSON"),
        ("{'a': -Infinity,}", "the JSON document holds -Infinity, which is no JSON"),
        ('{"a": 1e999}', "the JSON document holds 1e999, which is out of the range of numbers"),
        ('{"a": "\\ud800"}', "the JSON document holds half of a surrogate pair"),
        ("[" * 101 + "]" * 101, "the JSON document is nested too deeply"),
        ('{"a": 1,}', None),
    ],
)
def test_nothing_is_made_up(text, reason):
    """A repaired half is a wrong answer that looks right."""
    if reason is None:
        assert read(text, repair=False) == "the JSON document is not strict JSON"
    else:
        assert read(text) == reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2], "b": {"c": "hel', {"a": [1, 2], "b": {"c": "hel"}}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": "x"', {"a": "x"}),
    ],
)
def test_a_cut_document_is_closed_where_that_is_asked_for(text, value):
    """`open: true` for whom half of it is enough."""
    assert read(text, open=True) == value


def test_a_new_try_behind_one_that_was_given_up_counts():
    """The model said so."""
    text = '{"answer": "B"\n\nWait, let me do it again. {"answer": "C"}'
    assert read(text) == {"answer": "C"}
    assert read(text, take="first") == "the JSON document is not closed"


@given(value=DOCUMENTS, indent=st.sampled_from([None, 2]))
@settings(max_examples=200, deadline=None)
def test_what_json_writes_is_read(value, indent):
    """Alone and in prose, whatever its texts hold."""
    text = json.dumps(value, indent=indent)
    assert read(text, repair=False) == value
    assert read(f"Here: {text}\nDone.", repair=False) == value


@given(value=DOCUMENTS)
@settings(max_examples=200, deadline=None)
def test_what_python_writes_is_read_or_refused(value):
    """A dict that was printed has its quotes chosen by what is in them."""
    as_json = json.loads(json.dumps(value))
    got = read(f"It is {as_json!r}.")
    assert isinstance(got, str) or got in (as_json, restored(as_json)), "a form feed before a letter is LaTeX's `\\f`"


def test_a_pointer_leads_into_the_document(read_with):
    """And into a document that an earlier step has read."""
    text = 'So {"a": {"b/c": ["x", "7"]}, "n": null}'
    span = Span(start=3, end=len(text))
    assert read_with("align: [json: /a/b~1c/1, number]", text) == Answer(value=7, span=span, step="align[1].number")
    assert read_with("align: [json, json: /a, json: /b~1c/0]", text).value == "x"
    for pointer, reason in (
        ("/a/x", "there is nothing at /a/x, there are: 'b/c'"),
        ("/a/b~1c/2", "there is nothing at /a/b~1c/2, the list has 2"),
        ("/a/b~1c/0/y", "there is nothing at /a/b~1c/0/y, 'x' has no parts"),
        ("/n", "/n is null"),
    ):
        assert read_with(f"align: [json: {pointer}]", text) == NoAnswer(
            status="unparsed", step="align[0].json", reason=reason
        )


def test_a_target_is_the_value_that_its_text_writes(declare):
    """Documents are compared as values."""
    assert declare("align: [json]").align_target('{"a": 1}', {}) == {"a": 1}
    assert declare("align: [json, json: /a]").align_target("Paris", {}) == "Paris"
    assert declare("align: [json: /a, number]").align_target("1,000", {}) == 1000


def test_a_pointer_must_be_one(declare):
    """Told before anything runs."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - json: answer\n")
    assert str(caught.value) == (
        "pipe.yaml:2:11: align[0].json: 'answer' is no JSON pointer: it begins with /, and ~ is written ~0, / in a name ~1\n"
        "    2 |   - json: answer\n"
        "                  ^"
    )
