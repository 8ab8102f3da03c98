"""`regex`: which group, which match, and an end to every search."""

import time

import pytest

from promptkit.align import Answer, Capture, Chain, Context, NoAnswer, Regex
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


def test_several_patterns_share_the_time_limit():
    """A list of ten must not take ten times as long."""
    began = time.perf_counter()
    outcome = run("a" * 40 + "!", pattern=["(a|aa)+$"] * 10, timeout_s=0.05)
    assert outcome == NoAnswer(status="unparsed", step="align[0].regex", reason="timed out after 0.05 s")
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("completion", "value"),
    [("answer is 3, #### 4", "4"), ("answer is 3, answer is 5", "5"), ("it is 6", None)],
)
def test_the_first_pattern_that_matches_wins(completion, value):
    """`take` is asked of that pattern's matches alone."""
    outcome = run(completion, pattern=[r"#### (\d+)", r"answer is (?P<answer>\d+)"], take="last")
    if value is None:
        assert outcome == NoAnswer(status="unparsed", step="align[0].regex", reason="no match")
    else:
        assert outcome.value == value
        assert outcome.step == "align[0].regex"


def test_the_ledger_says_which_pattern_it_was():
    """The step is one step; how often the second pattern was needed is asked of the ledger."""
    outcome = Chain((Regex(pattern=["x", r"\d", "y"]),)).align("a 5", Context(is_traced=True))
    assert [(entry.step, entry.value, entry.reason) for entry in outcome.ledger] == [
        ("align[0].regex", "5", ""),
        ("align[0].regex[0]", None, "no match"),
        ("align[0].regex[1]", "5", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "completion", "value"),
    [
        ({"pattern": r"\d+"}, "1 22 333 x", "333"),
        ({"pattern": r"\d+", "take": "last"}, "1 22 333 x", "1"),
        ({"pattern": r"\d+", "take": "all"}, "1 22 333 x", ["1", "22", "333"]),
        ({"pattern": r"is (.+?)\."}, "is it? It is 5.", "5"),
        ({"pattern": ["=", r"is (\w+)"]}, "is a, is b", "b"),
    ],
)
def test_a_search_from_the_end_finds_what_ends_last(fields, completion, value):
    """A long text is not read through; where matches may overlap, the last to end is another than `take: last`."""
    assert run(completion, search="end", **fields).value == value
    forwards = run("is it? It is 5.", pattern=r"is (.+?)\.", take="last")
    assert forwards.value == "it? It is 5"


def test_named_groups_are_captured_with_their_places():
    """A unit, a confidence: what stands beside the answer is asked for too."""
    pattern = r"(?P<answer>\d+) (?P<unit>\w+)(?P<more>!)?"
    outcome = run("x 5 cm", pattern=pattern)
    assert outcome == Answer(
        value="5",
        span=Span(start=2, end=3),
        step="align[0].regex",
        captures={"unit": Capture(value="cm", span=Span(start=4, end=6), is_verbatim=True)},
    )
    every = run("5 cm, 6 m!", pattern=pattern, take="all")
    assert every.captures == {
        "unit": Capture(value=["cm", "m"], span=Span(start=2, end=9)),
        "more": Capture(value=[None, "!"], span=Span(start=9, end=10)),
    }


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
            "align:\n  - regex: [x, '(']\n",
            (
                "pipe.yaml:2:16: align[0].regex[1]: the pattern does not compile: missing ) at character 2\n"
                "    2 |   - regex: [x, '(']\n"
                "                       ^"
            ),
        ),
        (
            "align:\n  - regex: []\n",
            ("pipe.yaml:2:12: align[0].regex: must not be empty\n    2 |   - regex: []\n                   ^"),
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
