"""When a chain knows its answer before the text has ended, and that it is never wrong in that."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptkit.align import Answer, Chain, Choice, First, Lower, Map, Number, Regex, Strip

PIECES = [
    "answer is ",
    "Answer is ",
    "(B)",
    "A",
    "B ",
    "I",
    "7",
    "12",
    ".",
    "5",
    "%",
    " ",
    "\n",
    "yes",
    "no",
    "Yes",
    "x",
    "#### ",
]
PIECES += [
    ",",
    "/",
    "-",
    " to ",
    " and ",
    "between ",
    "k",
    "km",
    "^2",
    " x 10^3",
    "=",
    "million",
    "**",
    "moon",
    "\u03a3",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
FIELDS = {"options": ["5", "7", "the moon", "12"]}

CHAINS = {
    "regex": "[regex: 'answer is (\\d+)']",
    "regex, line": "[regex: '(?i)answer is\\s*(?P<answer>[^\\n]+)', strip, number]",
    "regex, number: last": "[regex: 'answer is ([^\\n]+)', number: last]",
    "regex, choice": "[regex: 'answer is ([^\\n.]+)', choice]",
    "regex, lower, map": "[regex: {pattern: '\\b(yes|no)\\b', ignore_case: true}, lower, map: {table: {yes: true, no: false}}]",
    "regex, empty group": "[regex: 'x|answer is(?P<answer> \\w*)?']",
    "strip, regex": "[strip, regex: '^(\\w+)\\b']",
    "strip: chars, regex": "[strip: {chars: '* '}, regex: '^(\\w+)$']",
    "number": "[number]",
    "number: fraction": "[strip, number: {percent: fraction}]",
    "first": "[first: [regex: '#### (\\d+)', number]]",
    "first, in first": "[first: [[strip, first: [number, strip]], regex: '(B)']]",
}


@pytest.mark.parametrize("name", CHAINS)
@given(text=TEXT, more=st.lists(TEXT, min_size=4, max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_settled_answer_is_the_answer_of_every_continuation(declare, name, text, more):
    """The same value, span and step: an option that changed one answer would be worth nothing."""
    chain = declare("align: " + CHAINS[name])
    assert chain.unsettled() == ""
    if chain.is_settled(text, fields=FIELDS):
        outcome = chain.align(text, fields=FIELDS, ended="answered")
        assert isinstance(outcome, Answer)
        assert all(chain.align(text + each, fields=FIELDS, ended="eos") == outcome for each in more)
        assert all(chain.is_settled(text + each, fields=FIELDS) for each in more)


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        (CHAINS["regex"], "The answer is 42."),
        (CHAINS["regex, line"], "The answer is 42.\n"),
        (CHAINS["regex, number: last"], "The answer is 6 * 7 = 42\n"),
        (CHAINS["regex, choice"], "The answer is (B)."),
        (CHAINS["regex, lower, map"], "Yes,"),
        (CHAINS["strip, regex"], "  yes s"),
        (CHAINS["number"], "It is 42. "),
        (CHAINS["number"], "It is $1,234.50 for m"),
        (CHAINS["number"], "It is 42 apples,"),
        (CHAINS["first"], "#### 7\n"),
        (CHAINS["first, in first"], "7;"),
    ],
)
def test_an_answer_is_settled_with_the_character_that_ends_it(declare, chain, text):
    """Earlier would be wrong, and later would be wasted."""
    ready = declare("align: " + chain)
    settled = [end for end in range(len(text) + 1) if ready.is_settled(text[:end], fields=FIELDS)]
    assert settled == [len(text)]


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        (CHAINS["regex, line"], "The answer is unknown.\n"),  # no number in it: whatever follows, there is no answer
        (CHAINS["regex, choice"], "The answer is (B) or (C)."),
        (CHAINS["first"], "It is 7, I think. "),  # `####` may yet come
        (CHAINS["number"], "1,5 and then 7. "),  # what cannot be read stays the first
        ("[regex: {pattern: '(?:x+x+)+y', timeout_s: 0.01}]", "x" * 60),
    ],
)
def test_what_is_no_answer_is_not_settled(declare, chain, text):
    """The model may write on: its no-answer has a status, and how the text ended is a part of that."""
    assert not declare("align: " + chain).is_settled(text, fields=FIELDS)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((), ": no step says where an answer ends"),
        ((Strip(),), ": no step says where an answer ends"),
        ((Regex(pattern="a", take="last"), Number()), "[0].regex with `take: last` waits for the end of the text"),
        ((Regex(pattern="a", take="only"),), "[0].regex with `take: only` waits for the end of the text"),
        ((Strip(), Number(take="all")), "[1].number with `take: all` waits for the end of the text"),
        ((Regex(pattern=["a", "b"]),), "[0].regex with several patterns waits for the end of the text"),
        ((Regex(pattern="a", search="end"),), "[0].regex with `search: end` waits for the end of the text"),
        ((Regex(pattern=r"(a)\1"),), r"[0].regex has '\1' in its pattern"),
        ((Lower(), Regex(pattern="a")), "[0].lower reads the text to its end"),
        ((Choice(take="first"),), "[0].choice reads the text to its end"),
        ((Map(table={"a": 1}),), "[0].map reads the text to its end"),
        (
            (First(alternatives=[{"number": "last"}, "number"]),),
            "[0].first[0].number with `take: last` waits for the end of the text",
        ),
        ((First(alternatives=[["strip", "lower"]]),), "[0].first[0][1].lower reads the text to its end"),
        ((First(alternatives=["strip"]),), "[0].first[0]: no step says where an answer ends"),
    ],
)
@given(text=TEXT)
@settings(max_examples=30, deadline=None)
def test_a_chain_that_never_settles_says_which_step_keeps_it_from_it(steps, why, text):
    """And it does not settle."""
    chain = Chain(steps)
    assert chain.unsettled() == why
    assert not chain.is_settled(text, fields=FIELDS)


def test_a_capital_that_comes_later_moves_the_span_of_what_lower_found():
    """Why `lower` never settles on the text itself, though the value would stay."""
    chain = Chain((Lower(), Regex(pattern="yes")))
    early, late = (chain.align(text, fields={}, ended="eos") for text in ("yes, ", "yes, I do"))
    assert isinstance(early, Answer)
    assert isinstance(late, Answer)
    assert (early.value, late.value) == ("yes", "yes")
    assert early.span != late.span


def test_a_text_cut_after_another_chains_answer_is_truncated_where_this_one_finds_nothing():
    """The model was not asked to go on: that is no fault of its own."""
    chain = Chain((Regex(pattern="#### (.+)"),))
    assert chain.align("The answer is 7.", fields={}, ended="answered").status == "truncated"
