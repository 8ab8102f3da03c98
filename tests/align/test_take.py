"""Which of several finds is the answer."""

import pytest

from promptkit.align import Found, Missing
from promptkit.align.take import take_from
from promptkit.text import Span


def find(value, at):
    return Found(value=value, span=Span(start=at, end=at + 1))


UNREADABLE = Missing(reason="'1,5' is odd")


@pytest.mark.parametrize("take", ["first", "last", "only", "all"])
def test_nothing_gives_nothing(take):
    """The step has the better reason."""
    assert take_from([], take) is None


@pytest.mark.parametrize("take", ["first", "last", "only", "all"])
def test_a_place_that_cannot_be_read_is_not_passed_over(take):
    """The next best number is not the answer."""
    assert take_from([UNREADABLE], take) == UNREADABLE


def test_only_takes_the_first_of_those_that_agree():
    """The answer has one span, though it was said twice."""
    assert take_from([find(1, 0), find(1, 5)], "only") == find(1, 0)


@pytest.mark.parametrize("other", [find(2, 5), UNREADABLE])
def test_only_is_ambiguous_beside_anything_else(other):
    """One that cannot be read may well be another."""
    result = take_from([find(1, 0), other], "only")
    assert isinstance(result, Missing)
    assert result.is_ambiguous


def test_first_looks_no_further():
    """The rest of a long text costs nothing."""

    def candidates():
        yield find(1, 0)
        raise AssertionError

    assert take_from(candidates(), "first") == find(1, 0)


def test_many_that_differ_are_not_all_shown():
    """A reason is one line."""
    result = take_from([find(n, n) for n in range(9)], "only")
    assert isinstance(result, Missing)
    assert result.reason == "there are 9 that differ: 0, 1, 2, 3, ..."
