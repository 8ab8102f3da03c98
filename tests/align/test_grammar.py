"""`grammar`: what fits is found, what its rules take is captured, and what can be read in two ways is not guessed."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptkit.align import Answer, Chain, Found, GrammarStep, Missing, NoAnswer
from promptkit.text import Span

SENTENCE = """
start: "The answer is" answer unit? "."
answer: NUM
unit: /[a-z]+/
NUM: /-?[0-9]+/
%ignore " "
"""
ITEMS = 'start: item ("," item)*\nitem: /[a-z]+/\n%ignore " "'
SUM = 'start: e\ne: e "+" e | N\nN: /[0-9]/'


TIMED_OUT = (
    "timed out after 0.3 s",
    "the text does not fit the grammar",
    "no part at the text's end fits the grammar",
    "no part fits the grammar",
)


def read(grammar, text, **settings):
    return Chain((GrammarStep(text=grammar, **settings),)).align(text)


def test_a_text_that_fits_gives_the_rule_answer_and_captures_the_others():
    """The spans are those of the completion, white space around it or not."""
    made = read(SENTENCE, " The answer is 18 eggs. ")
    assert isinstance(made, Answer)
    assert (made.value, made.span, made.step) == ("18", Span(start=15, end=17), "align[0].grammar")
    assert {name: (each.value, each.span) for name, each in made.captures.items()} == {
        "unit": ("eggs", Span(start=18, end=22))
    }


@pytest.mark.parametrize(
    ("anchor", "text", "value"),
    [
        ("whole", "The answer is 3.", "3"),
        ("whole", "So. The answer is 3.", None),
        ("end", "So. The answer is 3. No: The answer is 4 eggs.", "4"),
        ("end", "The answer is 3. Yes", None),
        ("anywhere", "So. The answer is 3. The answer is 4 eggs. Yes", "4"),
        ("anywhere", "The answer is 3. The answer is 4.", "3"),
    ],
)
def test_the_anchor_says_what_must_fit(anchor, text, value):
    """The longest part, and the first of several that are as long."""
    made = read(SENTENCE, text, anchor=anchor)
    assert (made.value if isinstance(made, Answer) else None) == value


def test_a_rule_that_is_read_several_times_gives_a_list():
    """Without a rule `answer`, the value is all that was parsed."""
    made = read(ITEMS, "a, b,c")
    assert isinstance(made, Answer)
    assert (made.value, made.captures["item"].value) == ("a, b,c", ["a", "b", "c"])
    several = read('start: answer+\nanswer: /[0-9]/ ";"', "1;2;")
    assert isinstance(several, Answer)
    assert several.value == ["1;", "2;"]


def test_what_can_be_read_in_two_ways_is_ambiguous():
    """lark's own default would pick one of them."""
    made = read(SUM, "1+2+3")
    assert isinstance(made, NoAnswer)
    assert (made.status, made.reason) == ("ambiguous", "can be read in two ways: e '1+2', or e '1'")
    assert isinstance(read(SUM, "1+2+3", capture=["N"]), Answer)  # both ways take the same numbers


@pytest.mark.parametrize(
    ("grammar", "text"),
    [
        ("start: a*\na: /x/ |", "xx"),  # rules that may be empty, in a loop
        ("start: a\na: a | /x/", "x"),  # a rule that is itself
        ("start: start /x/ | /x/", "xxx"),
        ("start: /x/ start | /x/", "xxx"),
        ('start: /a|ab/ "c"', "abc"),  # a terminal reads as much as it can, whatever alternative is first
    ],
)
def test_every_sort_of_grammar_is_read(grammar, text):
    """What breaks simple parsers."""
    made = read(grammar, text)
    assert isinstance(made, Answer)
    assert made.value == text


def test_a_long_list_is_no_deep_recursion():
    """A list of thousands is a tree of thousands of levels."""
    made = read(ITEMS, ", ".join(["abc"] * 1500), timeout_s=20)
    assert isinstance(made, Answer)
    assert len(made.captures["item"].value) == 1500


@pytest.mark.parametrize("anchor", ["whole", "end", "anywhere"])
@pytest.mark.parametrize("grammar", ["start: /[a-z ]+/", "start: (/[a-z ]/)+", SUM, 'start: "x" start "x" | "x"'])
def test_a_huge_text_takes_no_longer_than_its_time(grammar, anchor):
    """FIELD 24: a megabyte is refused by its length, a tenth of it by the clock."""
    step = GrammarStep(text=grammar, anchor=anchor, timeout_s=0.3)
    for size in (1_000_000, 90_000):
        made = Chain((step,)).align("x" * size)
        expected = ("is longer than 100,000 characters",) if size > 100_000 else TIMED_OUT
        assert isinstance(made, Answer) or made.reason in expected


def test_a_catastrophic_terminal_is_given_up():
    """A pattern is a person's, the text a model's."""
    made = read(r"start: /(x|xx)+(?<!x)y/", "x" * 60 + "!", timeout_s=0.3)
    assert isinstance(made, NoAnswer)
    assert made.reason == "timed out after 0.3 s"


STEPS = [
    GrammarStep(text=grammar, anchor=anchor)
    for grammar in (SENTENCE, ITEMS, SUM, "start: (/x/ | y)*\ny: /x|,/ |")
    for anchor in ("whole", "end", "anywhere")
]


@pytest.mark.parametrize("step", STEPS, ids=repr)
@given(text=st.one_of(st.text(max_size=30), st.text("ab1+, x.", max_size=12), st.just("The answer is 1 b.")))
@example(text="\ud800")
@settings(max_examples=40, deadline=None)
def test_a_step_never_raises_and_its_spans_are_inside(step, text):
    """And what was read is read again from its own span."""
    result = step(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    if isinstance(result, Missing):
        assert result.reason
        return
    for name, each in (*result.captures.items(), ("", result)):
        assert 0 <= each.span.start <= each.span.end <= len(text)
        if isinstance(each.value, str):
            assert each.value == text[each.span.start : each.span.end], name


@given(text=st.text("ab1+", max_size=7))
@settings(max_examples=200, deadline=None)
def test_what_fits_is_what_lark_parses(text):
    """lark's own parser is the oracle."""
    import lark

    grammar = 'start: a start | "+" | a\na: "a" "b"? | /1+/ |'
    parser = lark.Lark(grammar, parser="earley", lexer="dynamic", regex=True)
    try:
        parser.parse(text)
        fits = text != ""
    except lark.exceptions.LarkError:
        fits = False
    made = GrammarStep(text=grammar, capture=[])(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    assert isinstance(made, Found) == fits


def test_a_target_that_is_a_whole_completion_becomes_its_answer():
    """Gold chains and gold answers are both used as targets."""
    step = GrammarStep(text=SENTENCE)
    assert step.align_target("The answer is 18 eggs.", {}) == "18"
    assert step.align_target("18", {}) == "18"
    assert step.align_target(18, {}) == 18
