"""`after`, `before`, `between`: text beside markers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.align import After, Answer, Before, Between, Chain, Found, Missing, Number
from promptkit.errors import DeclarationError
from promptkit.text import Span


def read(step, text):
    result = step(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    if isinstance(result, Missing):
        return result.reason
    assert isinstance(result.value, list) or text[result.span.start : result.span.end] == result.value
    return result.value


@pytest.mark.parametrize(
    ("step", "text", "value"),
    [
        (After(marker="Answer:"), "Answer: 1. ANSWER: 2", " 2"),
        (After(marker="Answer:", take="first"), "Answer: 1. Answer: 2", " 1. Answer: 2"),
        (After(marker=["Answer", "Answer:"]), "Answer: 1", " 1"),
        (After(marker=["So", "Answer:"]), "Answer: 1. So 2", " 2"),
        (After(marker="Answer:", ignore_case=False), "answer: 1", "'Answer:' is not there"),
        (After(marker=["a+", "(b"]), "no", "'(b' or 'a+' is not there"),
        (After(marker="x", required=False), "no", "no"),
        (After(marker="(.*"), "a (.* b", " b"),
        (Before(marker="Q:"), "5\nQ: x\nQ: y", "5\n"),
        (Before(marker="Q:", take="last"), "5\nQ: x\nQ: y", "5\nQ: x\n"),
        (Before(marker=["z", "Q:"], required=False), "5", "5"),
        (Between(start="<a>", end="</a>"), "<a>1</a> <A>2</A>", "2"),
        (Between(start="<a>", end="</a>", take="first"), "<a>1</a> <a>2</a>", "1"),
        (Between(start="<a>", end="</a>", take="all"), "<a>1</a> <a>2</a>", ["1", "2"]),
        (Between(start="<a>", end="</a>"), "put it in <a>: <a>1</a> <a>2", "1"),
        (Between(start="<a>", end="</a>", open=True), "<a>1</a> <a>2", "2"),
        (Between(start="<a>", end="</a>"), "<a>2", "'<a>' is there, and no '</a>' after it"),
        (Between(start="<a>", end="</a>"), "2</a>", "'<a>' is not there before '</a>'"),
        (Between(start="|", end="|"), "| a | b | c", " a "),
        (Between(start=["[", "("], end=["]", ")"], take="all"), "[1] (2)", ["1", "2"]),
    ],
)
def test_the_text_beside_a_marker(step, text, value):
    """Markers are plain text: people copy them from their prompt, brackets and all."""
    expected = value.replace("'(b' or 'a+'", "'a+' or '(b'") if isinstance(value, str) else value
    assert read(step, text) == expected


@pytest.mark.parametrize("step", [After(marker=["ab", "b:", "b"], take="first"), Before(marker=["ab", "b:", "b"])])
@given(text=st.text("ab: 1", max_size=12), more=st.lists(st.text("ab: 1", max_size=6), max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_settled_marker_stays_where_it_is(step, text, more):
    """A longer marker, or one that begins earlier, may yet be completed."""
    chain = Chain((step, Number()))
    if chain.is_settled(text, fields={}):
        outcome = chain.align(text)
        assert isinstance(outcome, Answer)
        assert all(chain.align(text + each) == outcome for each in more)


def test_a_marker_settles_an_answer():
    """A model that writes on after it costs time."""
    chain = Chain((After(marker="Answer:", take="first"), Before(marker="\n")))
    assert chain.unsettled() == ""
    assert next(end for end in range(14) if chain.is_settled("Answer: 7\nSo "[:end], fields={})) == 10
    assert (
        Chain((After(marker="A"), Number())).unsettled() == "[0].after with `take: last` waits for the end of the text"
    )


def test_a_marker_must_be_text(declare):
    """An empty marker is everywhere."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - after: ''\n  - before: []\n")
    assert str(caught.value) == (
        "pipe.yaml:2:12: align[0].after: must be a text that is not empty, or several\n"
        "    2 |   - after: ''\n"
        "                   ^\n"
        "pipe.yaml:3:13: align[1].before: must be a text that is not empty, or several\n"
        "    3 |   - before: []\n"
        "                    ^"
    )
