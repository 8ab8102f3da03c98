"""`latex`: where a formula stands, and its one spelling."""

import pytest

from promptkit.align import STATUSES, Answer, Chain, Latex
from promptkit.align.formula import formulas
from promptkit.align.spelling import spelled


def read(text, **parameters):
    outcome = Chain((Latex(**parameters),)).align(text)
    return outcome.value if isinstance(outcome, Answer) else None


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("Thus $x = 5$.", "x=5"),
        (r"Thus \(x = 5\), as said.", "x=5"),
        ("Thus\n\\[\nx = 5\n\\]", "x=5"),
        ("Thus $$x = 5$$", "x=5"),
        ("Thus $ x = 5 $ holds.", "x=5"),
        ("\\begin{equation*} x = 5 \\end{equation*}", "x=5"),
        (r"With $x = 3$ it is \boxed{\frac{\sqrt{2}}{2}}.", r"\frac{\sqrt{2}}{2}"),
        (r"\boxed{a + \boxed{b}}", r"a+\boxed{b}"),
        (r"\fbox{7} and \boxed{8}", "7"),
        ("It costs $5 or $6, so $x = 7$.", "x=7"),
        ("$5 - $3 leaves $2", "$5 - $3 leaves $2"),
        (" x^{2} + 1. ", "x^2+1"),
        ("Monday  morning", "Monday morning"),
        (r"\boxed{3", r"\boxed{3"),
        ("", None),
        (" \n", None),
    ],
)
def test_a_formula_is_found_between_its_marks(text, formula):
    """A box first, then any marks, then all of the text; sums of money are no marks."""
    assert read(text) == formula


def test_take_says_which():
    """As it does with numbers."""
    text = "First $x = 1$, then $x = 2$."
    assert read(text, take="last") == "x=2"
    assert read(text, take="all") == ["x=1", "x=2"]
    assert read(text, take="only") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"\frac 1 {2}", r"\frac{1}{2}"),
        (r"\left( 1,\; 2 \right)", "(1,2)"),
        (r"\sqrt2", r"\sqrt{2}"),
        ("1{,}000", "1,000"),
        (r"x \le 3", r"x\leq 3"),
        ("x^{2}", "x^2"),
    ],
)
def test_one_spelling_for_what_is_set_alike(one, other):
    """So that text alone tells most equal formulas."""
    assert spelled(one) == spelled(other)


def test_text_keeps_its_spaces():
    """Words that run together are other words."""
    assert spelled(r"x \text{ if  it is} even") == r"x\text{ if it is}even"


@pytest.mark.parametrize(
    "text", [r"\(" * 250_000, "$a" * 500_000, r"\boxed{" * 140_000, "(" * 1_000_000, r"\frac{1}" * 120_000]
)
def test_a_megabyte_of_marks_comes_to_an_end(text):
    """Each mark looks for its partner once only; else this would take hours."""
    assert Chain((Latex(),)).align(text).status in STATUSES


def test_a_target_is_spelled_as_an_answer_is():
    """Data sets write them with marks and without."""
    assert Latex().align_target(r"$\dfrac{1}{2}$", {}) == Latex().align_target(r"\frac12", {}) == r"\frac{1}{2}"
    assert Latex().align_target(3, {}) == 3
    with pytest.raises(ValueError, match="' ': no text"):
        Latex().align_target(" ", {})


def test_a_blank_line_ends_what_a_dollar_opened():
    """It was one of money."""
    assert formulas("x costs $5\n\nand y $ 7") == []
