"""`lines`: a line of a text."""

import pytest

from promptkit.align import Found, Lines, Missing
from promptkit.text import Span


@pytest.mark.parametrize(
    ("fields", "text", "value"),
    [
        ({}, "a\n b \n \n", " b "),
        ({"take": "first"}, "\n\r\na\r\nb", "a"),
        ({"take": 1}, "a\nb\nc", "b"),
        ({"take": -2}, "a\nb\nc", "b"),
        ({"take": "all"}, "a\n\nb", ["a", "b"]),
        ({"take": "all", "skip_empty": False}, "a\n\nb\n", ["a", "", "b"]),
        ({"take": 1, "skip_empty": False}, "a\n\nb", ""),
        ({"take": 3}, "a\nb", "no line 3 among 2"),
        ({}, " \n ", "no line that is not empty"),
        ({"skip_empty": False}, "", "no line"),
    ],
)
def test_the_line_that_is_asked_for(fields, text, value):
    """Without its end and otherwise as it is: nothing is stripped that nobody asked for."""
    result = Lines(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    assert (result.reason if isinstance(result, Missing) else result.value) == value
    if isinstance(result, Found) and isinstance(value, str):
        assert text[result.span.start : result.span.end] == value
