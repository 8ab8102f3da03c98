"""What holds for every text: no step raises, spans stay inside, and what was read can be read again."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptkit.align import (
    After,
    AllOf,
    Answer,
    Before,
    Between,
    Boxed,
    Captured,
    Chain,
    Choice,
    CodeBlock,
    Context,
    Date,
    First,
    Found,
    Json,
    Latex,
    Lines,
    List,
    Lower,
    Map,
    Maths,
    Missing,
    Number,
    PythonLiteral,
    Regex,
    Reject,
    Strip,
    YesNo,
)
from promptkit.text import Span

OPTIONS = ["A) 5", "B) 7.5", "C) the moon", "D) none"]
FIELDS = {"options": OPTIONS}
PIECES = [
    "answer is ",
    "(B)",
    "A ",
    "I ",
    "7.5",
    "$",
    "-",
    "\u2212",
    "1,234",
    "3/4",
    "%",
    " ",
    "\n",
    "**",
    ".",
    "#### ",
]
PIECES += [r"\(", r"\)", r"\boxed{", "}", r"\text{", " and ", "\\", "x"]
PIECES += ["5", "e", "^", "\u00bd", "the moon", r"\frac{1}{2}", "\u20ac", ",", "/", ":", "USD ", "million", "\u00a0"]
PIECES += [
    " + ",
    " and ",
    "'",
    ", ",
    "- ",
    "-",
    "1. ",
    "10^{-3}",
    "; ",
    "<a>",
    "=",
    "[",
    "\\",
    "]",
    "```",
    "between ",
    "half",
    "json\n",
    "k",
    "not ",
    "one ",
    "or ",
    "to ",
    "twenty",
    "x10^3",
    "{",
    "}",
    "~~~",
    '"',
    r"\boxed{",
]
PIECES += ["yes", "No", "true", "is wrong", "May ", "24", "2021", "05/06/", "th", "B) ", "none of the above", "\u00b1"]
TEXT = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))

STEPS = [
    Strip(),
    Strip(chars="*."),
    Lower(),
    *(
        Regex(pattern=r"answer is\s*(?P<answer>[^\n]+)|(?P<answer>\d+)", take=take)
        for take in ("first", "last", "only", "all")
    ),
    *(Number(take=take) for take in ("first", "last", "only", "all", "result")),
    *(Number(take=take, words=True) for take in ("first", "last", "all")),
    *(YesNo(take=take, give=give) for take in ("first", "last", "only") for give in ("word", "bool")),
    *(Date(take=take) for take in ("first", "last", "only", "all")),
    Date(order="dmy", default_year=2020, pivot=30, format="%d %B %Y"),
    Number(percent="fraction"),
    *(Choice(take=take, give=give) for take in ("first", "last", "only") for give in ("letter", "index")),
    Choice(options=None),
    *(Latex(take=take) for take in ("first", "last", "only", "all")),
    *(Maths(take=take) for take in ("first", "last", "only", "all")),
    Map(table={"5": 1, "x": 2}, otherwise="keep"),
    First(alternatives=[{"regex": r"#### (.*)"}, "number", "strip"]),
    Regex(pattern=[r"#### (?P<answer>.)(?P<rest>.*)", r"(?P<rest>[a-z ]+)(?P<answer>\d+)"], search="end"),
    Regex(pattern=r"(?P<word>\w+)?(?P<answer>[\d.]+)", take="all", search="end"),
    *(After(marker=["answer is", ":"], take=take) for take in ("first", "last")),
    *(Before(marker=[".", "is "], take=take, required=False) for take in ("first", "last")),
    *(Between(start="[", end=["]", "}"], take=take, open=True) for take in ("first", "last", "only", "all")),
    Between(start="*", end="*"),
    *(Lines(take=take, skip_empty=skip) for take in ("first", "all", 1, -2) for skip in (True, False)),
    List(),
    List(items="number", min_items=0),
    List(separator=" "),
    *(CodeBlock(take=take, open=True) for take in ("first", "last", "only", "all")),
    CodeBlock(language="json"),
    *(PythonLiteral(take=take) for take in ("first", "last", "only")),
    *(Json(take=take, repair=repair) for take in ("first", "last", "only") for repair in (True, False)),
    Json(open=True, pointer="/5"),
    Json(schema_={"type": "array", "items": {"type": ["number", "array"]}}),
    *(Boxed(take=take) for take in ("first", "last", "only", "all")),
    Boxed(plain=False),
    Captured(name="word"),
    AllOf(parts={"a": ["strip", "number"], "b": "boxed"}, optional=["b"]),
    *(
        Reject(patterns=["5", "moon"], unless="e", where=where)
        for where in ("anywhere", "start", "end", "last_sentence")
    ),
]
VALUES = st.one_of(TEXT, st.integers(), st.floats(), st.booleans(), st.none(), st.lists(TEXT, max_size=3))


@pytest.mark.parametrize("step", STEPS, ids=repr)
@given(text=TEXT, before=st.integers(min_value=0, max_value=5))
@example(text="1e999999999", before=0)
@example(text="\ud800", before=1)
@settings(max_examples=60, deadline=None)
def test_a_step_finds_a_part_of_what_it_was_given(step, text, before):
    """The span is inside the given one, and a verbatim value is the text at its span."""
    whole = Span(start=before, end=before + len(text))
    result = step(Found(value=text, span=whole, is_verbatim=True, context=Context(fields=FIELDS)))
    if isinstance(result, Missing):
        assert result.reason
        return
    assert whole.start <= result.span.start <= result.span.end <= whole.end
    if result.is_verbatim:
        assert result.value == text[result.span.start - before : result.span.end - before]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@given(value=VALUES)
@settings(max_examples=40, deadline=None)
def test_a_step_raises_on_no_value(step, value):
    """A table or a function may have put anything there."""
    result = step(Found(value=value, span=Span(start=0, end=3), context=Context(fields=FIELDS)))
    assert isinstance(result, Found | Missing)


@given(text=TEXT)
@settings(max_examples=400, deadline=None)
def test_a_number_is_read_again_from_its_own_span(text):
    """The span holds all that the value was read from, and nothing else that matters."""
    for step in (Number(), Number(percent="fraction"), Number(take="last"), Number(take="result"), Number(words=True)):
        chain = Chain((Regex(pattern=r"(?s:.+)"), step))
        outcome = chain.align(text, fields={}, ended="eos")
        if isinstance(outcome, Answer):
            again = chain.align(text[outcome.span.start : outcome.span.end], fields={}, ended="eos")
            assert isinstance(again, Answer)
            assert again.value == outcome.value
            assert again.span == Span(start=0, end=outcome.span.end - outcome.span.start)


@pytest.mark.parametrize("step", [Latex(), Latex(take="last"), Maths(), Maths(take="last")], ids=repr)
@given(text=TEXT)
@example(text=r"\boxed{Monday}")
@example(text=r"\[ \text{where $x = 1$} \]")
@example(text="5\\, cm")
@settings(max_examples=200, deadline=None)
def test_a_formula_is_read_again_from_its_own_span(step, text):
    """The marks belong to the span where the formula could not be told without them."""
    outcome = Chain((step,)).align(text)
    if isinstance(outcome, Answer):
        again = Chain((step,)).align(text[outcome.span.start : outcome.span.end])
        assert isinstance(again, Answer)
        assert again.value == outcome.value


def read_number(text):
    outcome = Chain((Number(),)).align(text, fields={}, ended="eos")
    assert isinstance(outcome, Answer)
    return outcome.value


@given(number=st.integers(min_value=-(10**15), max_value=10**15))
def test_written_integers_come_back(number):
    """Plain, with thousands separators, in prose, and as a target."""
    for written in (str(number), f"{number:,}", f"{'-' if number < 0 else ''}${abs(number):,}.00"):
        assert read_number(written) == read_number(f"The answer is {written}.") == number
        assert Number().align_target(written, {}) == number


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_written_floats_come_back(number):
    """No noise in the last digit: what Python writes is read as the same float, and whole ones as integers."""
    value = read_number(repr(number))
    assert float(value) == number
    assert number.is_integer() == isinstance(value, int)
