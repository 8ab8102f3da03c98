"""`regex`: which group, which match, and an end to every search."""

import time

import pytest

from promptkit.align import Answer, Chain, NoAnswer, Regex
from promptkit.errors import DeclarationError
from promptkit.text import Span


def run(completion: str, **fields):
    return Chain((Regex(**fields),)).align(completion, fields={}, ended="eos")


@pytest.mark.parametrize(
    ("fields", "completion", "value", "start"),
    [
        ({"pattern": r"is (?P<answer>\d+)(\w)"}, "it is 12x", "12", 6),
        ({"pattern": r"is (\d+)"}, "it is 12", "12", 6),
        ({"pattern": r"\d+"}, "it is 12", "12", 6),
        ({"pattern": r"(i)s (\d+)"}, "it is 12", "is 12", 3),
        ({"pattern": r"(i)s (\d+)", "group": 2}, "it is 12", "12", 6),
        ({"pattern": r"(?P<n>\d)(?P<answer>\d)", "group": "n"}, "it is 12", "1", 6),
        ({"pattern": r"(\d)", "group": 0}, "it is 12", "1", 6),
        ({"pattern": r"\d"}, "1 2 3", "1", 0),
        ({"pattern": r"\d", "take": "last"}, "1 2 3", "3", 4),
        ({"pattern": r"a (\w)", "take": "only"}, "a b, a b", "b", 2),
        ({"pattern": r"\d", "take": "all"}, "x 1 2 3", ["1", "2", "3"], 2),
        ({"pattern": r"IS (.)", "ignore_case": True}, "is x", "x", 3),
        ({"pattern": r"^A: (.)", "multiline": True}, "x\nA: 5", "5", 5),
        ({"pattern": r"a.b", "dotall": True}, "a\nb", "a\nb", 0),
        ({"pattern": r"x(?P<answer>\d)|y(?P<answer>\d)"}, "y7", "7", 1),
        ({"pattern": r"(?P<answer>\d)?x"}, "x 1x", "1", 2),
        ({"pattern": r"a*", "take": "last"}, "aa b", "aa", 0),
    ],
)
def test_the_match_that_is_asked_for(fields, completion, value, start):
    """Group `answer`, else the only group, else the whole; an empty match is none."""
    outcome = run(completion, **fields)
    assert isinstance(outcome, Answer)
    assert (outcome.value, outcome.span.start) == (value, start)


def test_all_spans_from_the_first_match_to_the_last():
    """One span stands for the list; it holds every item."""
    outcome = run("a 1, 2 and 3.", pattern=r"\d", take="all")
    assert isinstance(outcome, Answer)
    assert outcome.span == Span(start=2, end=12)


def test_only_is_ambiguous_where_the_matches_differ():
    """To take one of them in silence would be a guess."""
    outcome = run("is 1, is 2, is 1", pattern=r"is (\d)", take="only")
    assert outcome == NoAnswer(status="ambiguous", step="align[0].regex", reason="there are 2 that differ: '1', '2'")


@pytest.mark.parametrize("take", ["first", "last", "only", "all"])
def test_a_pattern_that_explodes_is_stopped(take):
    """Catastrophic backtracking on one completion would hold up the whole run."""
    began = time.perf_counter()
    outcome = run("a" * 40 + "!", pattern="(a|aa)+$", timeout_s=0.05, take=take)
    assert outcome == NoAnswer(status="unparsed", step="align[0].regex", reason="timed out after 0.05 s")
    assert time.perf_counter() - began < 1


def test_the_default_time_limit_is_a_second():
    """The run goes on, and the reason says what happened."""
    outcome = run("a" * 40 + "!", pattern="(a|aa)+$")
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason == "timed out after 1 s"


def test_a_list_is_read_item_by_item(read_with):
    """`take: all` and then `number` gives numbers; an item that has none is not dropped."""
    chain = "align:\n  - regex: {pattern: '[^,]+', take: all}\n  - number"
    answered = read_with(chain, "1, 2 apples,3")
    assert answered == Answer(value=[1, 2, 3], span=Span(start=0, end=13), step="align[1].number")
    refused = read_with(chain, "1, none,3")
    assert refused == NoAnswer(status="unparsed", step="align[1].number", reason="item 1: no number")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "align:\n  - regex: 'answer is ('\n",
            (
                "pipe.yaml:2:12: align[0].regex: the pattern does not compile: missing ) at character 12\n"
                "    2 |   - regex: 'answer is ('\n"
                "                   ^"
            ),
        ),
        (
            "align:\n  - regex: {pattern: '(?P<answr>x)', group: answer}\n",
            (
                "pipe.yaml:2:45: align[0].regex.group: the pattern has no group 'answer'\n"
                "    2 |   - regex: {pattern: '(?P<answr>x)', group: answer}\n"
                "                                                    ^\n"
                "    known: answr   did you mean 'answr'?"
            ),
        ),
        (
            "align:\n  - regex: {pattern: '(x)', group: 2}\n",
            (
                "pipe.yaml:2:36: align[0].regex.group: the pattern has no group 2, it has 1\n"
                "    2 |   - regex: {pattern: '(x)', group: 2}\n"
                "                                           ^"
            ),
        ),
        (
            "align:\n  - regex: {pattern: x, take: frist}\n",
            (
                "pipe.yaml:2:31: align[0].regex.take: 'frist' is not one of its values\n"
                "    2 |   - regex: {pattern: x, take: frist}\n"
                "                                      ^\n"
                "    known: all, first, last, only   did you mean 'first'?"
            ),
        ),
    ],
)
def test_mistakes_are_told_with_their_place(declare, text, message):
    """A pattern that does not compile must fail before the model is loaded."""
    with pytest.raises(DeclarationError) as caught:
        declare(text)
    assert str(caught.value) == message
