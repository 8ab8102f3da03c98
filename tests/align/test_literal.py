"""`python_literal`: values as Python writes them."""

import pytest

from promptkit.align import Found, Missing, PythonLiteral
from promptkit.text import Span


def read(text, **fields):
    result = PythonLiteral(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    return result.reason if isinstance(result, Missing) else result.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2.5, 'a', None]", [1, 2.5, "a", None]),
        (" {'a': (1, 2), 3: True} ", {"a": [1, 2], "3": True}),
        ("'it''s'", "its"),
        ("-5", -5),
        ("x = [1, 'b'] and so on", [1, "b"]),
        ("it's [1, 'don\\'t (]'] here", [1, "don't (]"]),
        ("first [1, 2], then (3, 4)", [3, 4]),
        ("the set {3, 1, 2}", [1, 2, 3]),
        ("f(1, 2) and x[0], see [1]", "no Python literal"),
        ("[1, (2]", "no Python literal"),
        ("__import__('os').system('x')", "no Python literal"),
        ("[print(1)]", "no Python literal"),
        ("1,234", "no Python literal"),
        ("[b'x', 1j]", "the literal holds b'x', which is neither text, number, list nor map"),
        ("[1e999]", "the literal holds inf, which is neither text, number, list nor map"),
        ("'\\ud800'", "the literal holds half of a surrogate pair"),
        ("[" * 60 + "]" * 60, "the literal is nested too deeply"),
        ("[" + "-" * 500 + "1]", "the literal is nested too deeply"),
        ("'" + "a" * 60_000 + "'", "the literal is too long to be read (60002 characters, at most 50000)"),
        ("", "no Python literal"),
    ],
)
def test_a_literal_is_read_and_nothing_is_run(text, value):
    """What a model wrote is data, however much it looks like a program."""
    assert read(text) == value


def test_which_of_several_is_said():
    """As for every step."""
    assert read("[1, 2] or [3, 4]", take="first") == [1, 2]
    assert read("[1, 2] or [3, 4]", take="only") == "there are 2 that differ: [1, 2], [3, 4]"


def test_a_target_is_read_as_a_literal_is():
    """The data set has it as text, or as a value."""
    assert PythonLiteral().align_target("(1, 'a')", {}) == [1, "a"]
    assert PythonLiteral().align_target({"a": 1}, {}) == {"a": 1}
    assert PythonLiteral().align_target("Paris", {}) == "Paris"
