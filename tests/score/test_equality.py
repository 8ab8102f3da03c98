"""What counts as the same value."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptkit.score.equality import is_right, is_same

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "1.0", "true", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("18", "18"),
        (18, 18.0),
        (0.1, Decimal("0.1")),
        (0.5, Fraction(1, 2)),
        (Decimal("1E+2"), 100),
        (18, "18"),
        ("18.0", 18),
        ("1.8e1", 18),
        (True, "true"),
        ("false", False),
        (["a", 1], ("a", 1.0)),
        ({"a": 1}, {"a": "1"}),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (10**400, 10**400),
        (math.inf, math.inf),
    ],
)
def test_one_value_written_two_ways_is_the_same(answer, target):
    """Data sets write the same thing as text in one row and as a number in the next."""
    assert is_same(answer, target)
    assert is_same(target, answer)


@pytest.mark.parametrize(
    ("answer", "target"),
    [
        ("18.0", "18"),
        ("1,800", 1800),
        ("$18", 18),
        ("018", 18),
        ("+18", 18),
        (" 18", 18),
        ("18", "18 "),
        ("Paris", "paris"),
        (True, 1),
        (0, False),
        ("True", True),
        ("1", True),
        (0.1 + 0.2, 0.3),
        (math.nan, math.nan),
        ("nan", math.nan),
        (None, "None"),
        ("", 0),
        (["a"], ["a", "b"]),
        (["a", "b"], ["b", "a"]),
        ({"a": 1}, {"a": 1, "b": 2}),
        (["1"], "1"),
        (10**400, math.inf),
        ("١٨", 18),
    ],
)
def test_another_value_is_not_the_same(answer, target):
    """What else should be the same is a step of the align chain, in plain sight."""
    assert not is_same(answer, target)
    assert not is_same(target, answer)


def test_a_list_of_targets_means_any_of_them():
    assert is_right("Paris", ["Paris", "Paris, France"])
    assert is_right(18, ["eighteen", "18"])
    assert not is_right("London", ["Paris", "Paris, France"])
    assert not is_right("x", [])


def test_an_answer_that_is_a_list_is_the_whole_list_or_one_of_several():
    """Sorted words are one answer, and so is each of two ways to sort them."""
    assert is_right(["a", "b"], ["a", "b"])
    assert is_right(["a", "b"], [["b", "a"], ["a", "b"]])
    assert not is_right(["a"], ["a", "b"])


@given(VALUES, VALUES)
def test_sameness_never_raises_and_has_no_direction(one, other):
    """An answer is whatever a model made of it."""
    assert is_same(one, other) == is_same(other, one)
