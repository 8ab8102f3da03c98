"""How far a search looks: where it never saw the text's end, no continuation changes the first match."""

import pytest
import regex
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from promptkit.align.number import reach
from promptkit.align.numeral import Numeral, numerals
from promptkit.align.reach import Reach
from promptkit.spec.outline import NotFollowed

ATOMS = ["a", "b", "1", " ", r"\n", ".", r"\d", r"\w", r"\s", r"[^\n]", "[ab]", "[^a]", r"\W", r"\.", "A"]
ASSERTIONS = [r"\b", r"\B", "^", "$", r"\A", r"\Z", r"\m", r"\M"]
GROUPS = ["(%s)", "(?:%s)", "(?=%s)", "(?!%s)", "(?<=%s)", "(?<!%s)", "(?>%s)", "(?i:%s)", "(?s:%s)", "(?-s:%s)"]
QUANTIFIERS = ["", "", "", "*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{,2}?"]
QUANTIFIED = st.tuples(st.sampled_from(ATOMS), st.sampled_from(QUANTIFIERS)).map("".join)


def longer(inner):
    """Alternatives of a few pieces, in groups of every sort."""
    grouped = st.tuples(st.sampled_from(GROUPS), inner, st.sampled_from(QUANTIFIERS)).map(
        lambda all_: all_[0] % all_[1] + all_[2]
    )
    row = st.lists(st.one_of(QUANTIFIED, st.sampled_from(ASSERTIONS), grouped), min_size=1, max_size=4).map("".join)
    return st.lists(row, min_size=1, max_size=3).map("|".join)


PATTERNS = st.recursive(QUANTIFIED, longer, max_leaves=8)
FLAGS = st.sampled_from(["", "", "(?i)", "(?m)", "(?s)"])
TEXT = st.text("ab1 \n.", max_size=7)


def compiled(pattern):
    """The pattern, or None where it is none."""
    try:
        return regex.compile(pattern)
    except regex.error:
        return None


@given(flags=FLAGS, pattern=PATTERNS, text=TEXT, more=st.lists(TEXT, min_size=4, max_size=8))
@example(flags="", pattern="a(?=.*b)|b", text="ab1", more=["b", "", "\n", " "])
@example(flags="", pattern="a$", text="a\n", more=["", "a", "\n", " "])
@example(flags="", pattern=r"ab\B|a", text="ab", more=["a", "", "\n", " "])
@settings(max_examples=1500, deadline=None)
def test_a_search_that_is_over_finds_the_same_whatever_follows(flags, pattern, text, more):
    """Assertions, lazy and possessive quantifiers, atomic groups: `regex` itself, on the longer text, is the oracle."""
    ready = compiled(flags + pattern)
    assume(ready is not None)
    found = ready.search(text)
    try:
        is_over = found is not None and Reach(ready).is_over(text, found.start())
    except NotFollowed:
        return
    if is_over:
        assert {ready.search(text + each).regs for each in ["", *more]} == {found.regs}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"answer is (\d+)", "The answer is 42."),
        (r"answer is\s*([^\n]+)", "The answer is 42.\n"),
        (r"answer is (.*?)\.", "The answer is 42. So\n"),
        (r"\b([A-E])\b", "B "),
        (r"(?m)^([A-E])$", "B\n\n"),
        (r"#### (.+)", "#### 7\n"),
        (r"is:?\s*((?:(?!answer is)[^\n])+)", "answer is: 7\n"),
        (r"\\boxed\{(?P<answer>[^{}]+)\}", r"\boxed{7} "),
        (r"(?i:ANSWER) (?>\p{L}+)\x21", "answer yes! "),
    ],
)
def test_a_search_is_over_at_the_first_character_that_decides(pattern, text):
    """Not a character earlier; and what is written later does not open it again."""
    ready = regex.compile(pattern)
    reach = Reach(ready)
    over = [
        end
        for end in range(len(text) + 1)
        if (found := ready.search(text[:end])) and reach.is_over(text[:end], found.start())
    ]
    assert over == [len(text)]
    found = ready.search(text)
    assert found is not None
    assert reach.is_over(text + "answer is 3 B", found.start())


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", r"'\1'"),
        (r"(?r)a", "flags other than i, m, s"),
        (r"(?V1)a", "flags other than i, m, s"),
        (r"(?:a){e<=1}", "'{', unescaped"),
        (r"a{x", "'{', unescaped"),
        (r"(?<=a(?=b))b", "a look ahead in a look behind"),
        (r"(?<=4$)\n", "`$` in a look behind"),
        (r"(?P<x>a)(?(x)b|c)", "'(?('"),
        (r"a(?R)?b", "'(?R'"),
        (r"a(*SKIP)b", "'(*'"),
        (r"\X", r"'\X'"),
        (r"\Ka", r"'\K'"),
        (r"[a[b]", "'[' in a class"),
        (r"(?#a)b", "'(?#'"),
        (r"(?:a{100}){100}", "too many repetitions"),
    ],
)
def test_what_cannot_be_followed_is_named(pattern, why):
    """In doubt the pattern is refused, never guessed at."""
    ready = regex.compile(pattern)
    with pytest.raises(NotFollowed) as caught:
        Reach(ready)
    assert str(caught.value).startswith(why)


PIECES = [
    "7.5",
    "$",
    "-",
    "1,234",
    "3/4",
    "%",
    " ",
    "\n",
    ".",
    "5",
    "e",
    "^",
    "\u00bd",
    "x",
    r"\frac{1}{2}",
    "\u20ac",
    ",",
]
PIECES += ["/", ":", "USD ", "million", "\u00a0", "per cent", "x10^", "2020-01-02", "So"]
PIECES += ["'", " m", "/s", " cm", "$x", "o'clock", " ft", "5 in", " p.m."]
NUMBERS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(text=NUMBERS, more=st.lists(NUMBERS, min_size=4, max_size=8))
@settings(max_examples=600, deadline=None)
def test_a_number_that_has_ended_stays_the_first(text, more):
    """The pattern of numbers looks ahead for dates, per cent, powers and millions."""
    first = next(numerals(text), None)
    if isinstance(first, Numeral) and reach().is_over(text, first.span.start):
        assert all(next(numerals(text + each)) == first for each in more)


def test_time_grows_with_the_text_alone():
    """A pattern on which a search runs away is walked in one pass, and a long text twice as long in about twice the time."""
    reach = Reach(regex.compile("(a|a)+b"))
    assert not reach.is_over("a" * 100_000, 0)
