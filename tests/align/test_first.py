"""`first`: ordered alternatives, and which of them it was."""

import pytest

from promptkit.align import KINDS, Answer, NoAnswer
from promptkit.errors import DeclarationError
from promptkit.text import Span

CHAIN = r"""align:
  - first:
      - regex: '####\s*(.+)'
      - [{regex: 'answer is (.*)'}, strip]
      - number: only
  - number
"""


@pytest.mark.parametrize(
    ("completion", "value", "start"), [("#### 7", 7, 5), ("answer is  8 ", 8, 11), ("it is 9", 9, 6)]
)
def test_the_first_alternative_that_answers_wins(read_with, completion, value, start):
    """The strict form is tried before the loose one, in one run, in one score."""
    outcome = read_with(CHAIN, completion)
    assert outcome == Answer(value=value, span=Span(start=start, end=start + 1), step="align[1].number")


@pytest.mark.parametrize(
    ("completion", "step"),
    [
        ("#### 7", "align[0].first[0].regex"),
        ("answer is  8 ", "align[0].first[1][1].strip"),
        ("it is 9", "align[0].first[2].number"),
    ],
)
def test_the_step_names_the_alternative(read_with, completion, step):
    """The ledger must show how often the loose form was needed."""
    assert read_with(CHAIN.removesuffix("  - number\n"), completion).step == step


def test_none_gives_the_reasons_of_all(read_with):
    """Whoever mends the parser must see each of them fail."""
    assert read_with(CHAIN, "4 or 5") == NoAnswer(
        status="ambiguous",
        step="align[0].first",
        reason="[0].regex: no match; [1][0].regex: no match; [2].number: there are 2 that differ: 4, 5",
    )


def test_alternatives_nest(read_with):
    """A step made of steps is a step."""
    text = "align: [{first: [{first: [{regex: x}, number]}, strip]}]"
    assert read_with(text, "a 1").step == "align[0].first[0].first[1].number"


def test_a_target_is_written_as_the_first_alternative_that_can(declare):
    """A data set of mixed answers, numbers and labels, has targets of both kinds."""
    chain = declare("align: [{first: [number, {map: {Yes: yes, No: no}}]}]")
    assert chain.align_target("1,000", {}) == 1000
    assert chain.align_target("Yes", {}) == "yes"
    with pytest.raises(ValueError, match="'B' is not a number; 'B' is neither a key nor a value of the table"):
        chain.align_target("B", {})


def test_a_mistake_in_an_alternative_is_told_with_its_place(declare):
    """Positions must survive the nesting."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - first:\n      - strip\n      - regx: x\n      - [{regex: '('}]\n")
    assert str(caught.value) == (
        "pipe.yaml:4:9: align[0].first[1]: no step is called 'regx'\n"
        "    4 |       - regx: x\n"
        "                ^\n"
        f"    known: {', '.join(sorted(KINDS))}   did you mean 'regex'?\n"
        "pipe.yaml:5:18: align[0].first[2][0].regex: the pattern does not compile: missing ) at character 2\n"
        "    5 |       - [{regex: '('}]\n"
        "                         ^"
    )


def test_at_least_one_alternative(declare):
    """`first:` of nothing could never answer."""
    with pytest.raises(DeclarationError, match="must not be empty"):
        declare("align: [{first: []}]")
