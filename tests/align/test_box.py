r"""`boxed`: what stands in `\boxed{}`."""

import pytest

from promptkit.align import Boxed, Found, Missing
from promptkit.text import Span


@pytest.mark.parametrize(
    ("fields", "text", "value"),
    [
        ({}, r"so \boxed{1}, no, \boxed{2}.", "2"),
        ({"take": "first"}, r"\boxed{1} \boxed{2}", "1"),
        ({"take": "all"}, r"\boxed{1}, \boxed{2}", ["1", "2"]),
        ({"take": "only"}, r"\boxed{1}, \boxed{2}", "there are 2 that differ: '1', '2'"),
        ({}, r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ({}, r"\fbox{ a }", "a"),
        ({}, r"\boxed 5.", "5"),
        ({}, "\\boxed\n{5}", "5"),
        ({}, r"write it as \boxed notation", "no box"),
        ({}, r"\\boxed{\\frac{1}{2}}", r"\frac{1}{2}"),
        ({}, r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        ({}, r"\boxed{\boxed{7}}", "7"),
        ({}, r"\boxed{a \boxed{7}}", r"a \boxed{7}"),
        ({}, r"\boxed{\text{B}}", "B"),
        ({}, r"\boxed{~$\mathbf{(A)}$\, }", "(A)"),
        ({}, r"\boxed{5\text{ cm}}", r"5\text{ cm}"),
        ({}, r"\boxed{\text{a} + \text{b}}", r"\text{a} + \text{b}"),
        ({"plain": False}, r"\boxed{\text{ B}}", r"\text{ B}"),
        ({}, r"\boxed{4}, so \boxed{}", "4"),
        ({}, r"\boxed{4}, so \boxed{\frac{1}{2", "4"),
        ({}, r"\boxed{ {5 } \boxed{6}", "6"),
        ({}, "\\boxed{5\n\nand so on } \\boxed{6}", "6"),
        ({}, r"\boxed{", "the box does not end"),
        ({}, r"\boxed{...}", "the box is empty"),
        ({}, "{5}", "no box"),
    ],
)
def test_the_content_of_the_box_that_is_asked_for(fields, text, value):
    """Braces are counted, and what does not end is no answer."""
    result = Boxed(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    assert (result.reason if isinstance(result, Missing) else result.value) == value
    if isinstance(result, Found) and result.is_verbatim:
        assert text[result.span.start : result.span.end] == value


def test_a_target_may_be_a_whole_solution():
    """MATH has its gold answers in boxes."""
    assert Boxed().align_target(r"We get $x = \boxed{\text{B}}$.", {}) == "B"
    assert Boxed().align_target("$5$", {}) == "5"
    assert Boxed().align_target(5, {}) == 5
