"""`reject`: texts that say that they hold no answer."""

import time

import pytest

from promptkit.align import Answer, Chain, Found, Missing, NoAnswer, Reject
from promptkit.align.reject import last_sentence
from promptkit.errors import DeclarationError
from promptkit.text import Span


@pytest.mark.parametrize(
    ("fields", "text", "is_rejected"),
    [
        ({"patterns": "cannot (say|tell)"}, "I Cannot tell. 5", True),
        ({"patterns": "cannot tell", "ignore_case": False}, "I Cannot tell.", False),
        ({"patterns": ["x", "y"]}, "a y", True),
        ({"patterns": "cannot", "unless": "but"}, "I cannot be sure, but it is 5", False),
        ({"patterns": "sorry", "where": "start"}, " Sorry, no.", True),
        ({"patterns": "sorry", "where": "start"}, "I am sorry.", False),
        ({"patterns": "not sure", "where": "end"}, "5? I am not sure.**\n", True),
        ({"patterns": "not sure", "where": "end"}, "I am not sure. 5", False),
        ({"patterns": "cannot", "where": "last_sentence"}, "It cannot be 3.5. So it is 4.", False),
        ({"patterns": "cannot", "where": "last_sentence"}, "It is 4. No, it cannot be 3.5.", True),
        ({"patterns": "cannot", "where": "last_sentence"}, "It cannot be 4\n5", False),
    ],
)
def test_a_text_is_rejected_where_it_says_so(fields, text, is_rejected):
    """A refusal has numbers in it too."""
    found = Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True)
    result = Reject(**fields)(found)
    assert result == found if not is_rejected else isinstance(result, Missing)


def test_the_reason_quotes_what_was_said(read_with):
    """The person who reads the ledger must see why."""
    chain = "align: [reject: 'cannot be \\w+', number]"
    assert read_with(chain, "It Cannot be known, 5.") == NoAnswer(
        status="unparsed", step="align[0].reject", reason="rejected, as it says 'Cannot be known'"
    )
    assert read_with(chain, "5") == Answer(value=5, span=Span(start=0, end=1), step="align[1].number")


def test_a_pattern_that_explodes_is_stopped():
    """All patterns together have the time that is given."""
    began = time.perf_counter()
    outcome = Chain((Reject(patterns=["(a|aa)+$", "(b|a|aa)+$"], timeout_s=0.05),)).align("a" * 40 + "!")
    assert outcome == NoAnswer(status="unparsed", step="align[0].reject", reason="timed out after 0.05 s")
    assert time.perf_counter() - began < 1


def test_a_pattern_of_nothing_is_refused(declare):
    """It would reject every text."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - reject: [x, 'y*']\n")
    assert str(caught.value) == (
        "pipe.yaml:2:17: align[0].reject[1]: the pattern matches the empty text, which is in every text\n"
        "    2 |   - reject: [x, 'y*']\n"
        "                        ^"
    )


@pytest.mark.parametrize(
    ("text", "last"), [("It is 3.5. Or 4.", " Or 4."), ("a\nb", "b"), ("one", "one"), ("A (b.) c?", " c?"), ("", "")]
)
def test_the_last_sentence_begins_behind_an_end(text, last):
    """A decimal point ends nothing."""
    assert last_sentence(text) == last
