"""`list`: the items of a list, in all the ways in which lists are written."""

import pytest

from promptkit.align import Answer, Found, List, Missing, NoAnswer
from promptkit.text import Span


def read(step, text):
    result = step(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    return result.reason if isinstance(result, Missing) else result.value


@pytest.mark.parametrize(
    ("text", "items"),
    [
        # in brackets
        ('["a", "b, c"]', ["a", "b, c"]),
        ("['a', 'it\\'s', \"c\"]", ["a", "it's", "c"]),
        ("[a, b].", ["a", "b"]),
        ("The result is [3, 1, 2].", ["3", "1", "2"]),
        ('Answer: ["x"]', ["x"]),
        ("The answer is (a, b).", ["a", "b"]),
        (r"$\{1, 2, 3\}$", ["1", "2", "3"]),
        # with marks
        ("- a\n- b", ["a", "b"]),
        ("* **Apple**\n* Pear.", ["Apple", "Pear"]),
        ("- red apples.\n- pears.", ["red apples", "pears"]),
        ("\u2022 a\n\n\u2022 b", ["a", "b"]),
        ("- a\n  - part of a\n- b\n  goes on", ["a", "b"]),
        ("1. a\n2. b", ["a", "b"]),
        ("1) a\n2) b", ["a", "b"]),
        ("(1) a\n(2) b", ["a", "b"]),
        ("**1. Apple**\n**2. Pear**", ["Apple", "Pear"]),
        ("1. red 2. green 3. blue", ["red", "green", "blue"]),
        ("1) red, 2) green, and 3) blue", ["red", "green", "blue"]),
        (
            "Here it is:\n\n1. Apple: a fruit\n2. Leek: a vegetable\n\nAsk for more!",
            ["Apple: a fruit", "Leek: a vegetable"],
        ),
        ("1. I compare them.\n2. I sort them.\n\nSorted list: apple, pear", ["apple", "pear"]),
        # with separators
        ("a,b,c", ["a", "b", "c"]),
        ("red, green or blue", ["red", "green", "blue"]),
        ("red, green, and blue.", ["red", "green", "blue"]),
        ("red and blue", ["red", "blue"]),
        ("Paris, France; London, UK; and Rome, Italy", ["Paris, France", "London, UK", "Rome, Italy"]),
        ("a | b | c", ["a", "b", "c"]),
        ("a \u2192 b -> c", ["a", "b -> c"]),
        ("(1, 2), (3, 4)", ["(1, 2)", "(3, 4)"]),
        ('"a, b", "c"', ["a, b", "c"]),
        ("U.S., U.K., U.S.", ["U.S.", "U.K.", "U.S."]),
        ("name: Ann, age: 5", ["name: Ann", "age: 5"]),
        # numbers
        ("1,234, 5,678", ["1,234", "5,678"]),
        ("1,234", ["1,234"]),
        ("1,2,3", ["1", "2", "3"]),
        ("1,200,30", ["1", "200", "30"]),
        # behind words
        ("Sure, the sorted list is: a, b, and c.", ["a", "b", "c"]),
        ("**Answer:** red, blue", ["red", "blue"]),
        ("The sorted list is a, b.", ["a", "b"]),
        ("The three largest cities are Tokyo, Delhi, and Shanghai.", ["Tokyo", "Delhi", "Shanghai"]),
        ("Step 1: compare a, b.\nThe final order is: a, b, c", ["a", "b", "c"]),
        ("Words: apple, pear.\n\nThese are sorted as you asked for.", ["apple", "pear"]),
        ("Words:\napple\npear", ["apple", "pear"]),
        ("Words:\napple, pear", ["apple", "pear"]),
        ("apple, pear. I hope this helps you.", ["apple", "pear"]),
        # one a line, and alone
        ("apple\nred pear\nplum", ["apple", "red pear", "plum"]),
        ("apple", ["apple"]),
        ("New York City", ["New York City"]),
    ],
)
def test_a_list_is_read_as_it_is_written(text, items):
    """The spelling is the model's; the items are the answer."""
    assert read(List(), text) == items


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no list"),
        ("[]", "the list is empty"),
        ("I cannot determine the list from this text.", "no list"),
        ("However, I cannot tell, since the words are missing from the text that you gave me.", "no list"),
        ("So the list [2, 3] has two items and [1] is a note.", "no list"),
    ],
)
def test_what_is_no_list_is_none(text, reason):
    """A sentence cut at its commas would be an answer that nobody gave."""
    assert read(List(), text) == reason


def test_items_are_read_by_a_chain(read_with):
    """`list: number` gives numbers, and says which item is none."""
    assert read_with("align: [list: number]", "It is: $3, 1,234 and 5 m.") == Answer(
        value=[3, 1234, 5], span=Span(start=7, end=24), step="align[0].list"
    )
    refused = read_with("align: [list: {items: [strip, number]}]", "3, none")
    assert refused == NoAnswer(status="unparsed", step="align[0].list[1][1].number", reason="item 1: no number")


def test_a_list_of_an_earlier_step_is_taken_as_it_is(read_with):
    """`json` and `lines` give lists too."""
    assert read_with("align: [json: /a, list: number]", '{"a": ["1 kg", "2 kg"]}').value == [1, 2]
    assert List()(Found(value=5, span=Span(start=0, end=0))) == Missing(reason="list reads text, not int")


@pytest.mark.parametrize(
    ("fields", "text", "value"),
    [
        ({"separator": " "}, " a  b\nc", ["a", "b", "c"]),
        ({"separator": "/"}, "a, b/c", ["a, b", "c"]),
        ({"min_items": 3}, "a, b", "2 items, and at least 3 are asked for"),
        ({"max_items": 1}, "a, b", "2 items, and at most 1 are asked for"),
        ({"min_items": 0}, "[]", []),
    ],
)
def test_separators_and_counts_can_be_said(fields, text, value):
    """Words sorted by a model often have spaces alone between them."""
    assert read(List(**fields), text) == value


def test_a_target_is_a_list_too(declare):
    """Data sets have lists, or text with commas."""
    chain = declare("align: [list: number]")
    assert chain.align_target("1, 2 and 3", {}) == [1, 2, 3]
    assert chain.align_target([1, "2"], {}) == [1, 2]
    assert chain.align_target(7, {}) == [7]
    with pytest.raises(ValueError, match="'x' is not a number"):
        chain.align_target(["x"], {})
