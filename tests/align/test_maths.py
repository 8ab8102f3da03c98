"""`maths`: what an expression equals, and that asking is safe."""

import os
import pickle
import sys
import threading

import pytest

from promptkit.align import Answer, Chain, Expression, Maths
from promptkit.align.algebra import Algebra, algebra_of, answer_to
from promptkit.errors import RunError
from promptkit.score import ExactMatch, is_same

HOSTILE = "9^{9^{9^9}}"


def read(text, **parameters):
    outcome = Chain((Maths(**parameters),)).align(text)
    return outcome.value if isinstance(outcome, Answer) else outcome.status


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{1}{2}", "0.5"),
        (r"\frac{1}{2}", "1/2"),
        ("1/2", "0.5"),
        (r"50\%", "0.5"),
        ("1,000", "1000"),
        (r"\$5", "5"),
        ("1/3", "0.333333"),
        ("x = 5", "5"),
        ("3 + 4 = 7", "7"),
        ("y = 2x + 1", "1 + 2x"),
        (r"\{1, 2, 3\}", "3, 2, 1"),
        ("x = 3, x = 5", "5, 3"),
        (r"[1, \infty)", "[1, inf)"),
        ("1 < x < 2", "(1, 2)"),
        ("(1/2, 3)", "(0.5, 3)"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}"),
        (r"\frac{1}{\sqrt 2}", r"\frac{\sqrt 2}{2}"),
        ("sqrt(2)/2", r"\frac{\sqrt{2}}{2}"),
        ("2^10", "1024"),
        (r"2\pi", "2\N{GREEK SMALL LETTER PI}"),
        ("(x+1)^2", "x^2 + 2x + 1"),
        (r"\frac{2x}{2}", "x"),
        (r"\text{Monday}", "Monday"),
    ],
)
def test_what_means_the_same_is_the_same(one, other):
    """Whichever of the two is the answer, and whichever the target."""
    assert is_same(Expression(one), Expression(other))
    assert is_same(Expression(other), one)
    assert is_same(one, Expression(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("50", "0.5"),
        ("1/3", "0.33"),
        ("1e-7", "2e-7"),
        ("x = 5", "y = 5"),
        ("x + y = 5", "5"),
        ("2x + 3y = 6", "6"),
        ("(1, 2)", "(2, 1)"),
        ("[1, 2)", "(1, 2)"),
        (r"\pi", "3.14"),
        (r"\text{Monday}", r"\text{Tuesday}"),
        ("x^2 + 2x", "x^2 + 2x + 1"),
    ],
)
def test_what_means_another_is_not(one, other):
    """A right answer that is too cheap to have is worth nothing."""
    assert not is_same(Expression(one), Expression(other))
    assert not is_same(Expression(other), Expression(one))


def test_numbers_and_other_values_are_compared_too():
    """A target may be a number of the data, or a list of targets."""
    assert is_same(Expression("1/2"), 0.5)
    assert is_same(5, Expression("5.0"))
    assert not is_same(Expression("1"), True)
    assert not is_same(Expression("1"), None)
    assert ExactMatch()(Expression("0.5"), [2, r"\frac12"]) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The answer is $x = 5$, since $y = 2$.", "x=5"),
        (r"So \boxed{\frac12}.", r"\frac{1}{2}"),
        ("$3$, $5$, and $7$", "3,5,7"),
        ("x = 3.", "x=3"),
        ("1/2 of the cake", "1/2"),
        ("x^2 + 1 for all x", "x^2+1"),
        (r"\boxed{Monday}", "Monday"),
        (" 42\n", "42"),
    ],
)
def test_an_expression_is_read(text, value):
    """Between marks, or at the beginning; several that belong together are one."""
    assert read(text) == value


@pytest.mark.parametrize(
    "text", ["I cannot say.", "Unknown", "a dog", r"\boxed{no such number}", r"$\frac{1}{$", "?", "...", r"\(x^2 +\)"]
)
def test_where_nothing_can_be_read_there_is_no_answer(text):
    """Letters side by side are a product to a parser, and prose to everybody else."""
    assert read(text) == "unparsed"


def test_only_is_one_by_meaning():
    """0.5 and 1/2 do not contradict each other."""
    assert read("$0.5$; that is $1/2$", take="only") == "0.5"
    assert read("$0.5$; that is $1/3$", take="only") == "ambiguous"


def test_a_target_that_is_no_expression_could_never_be_given():
    """It would count against the model for ever."""
    assert Maths().align_target(r"$\frac{3}{4}$", {}) == r"\frac{3}{4}"
    assert Maths().align_target(0.75, {}) == 0.75
    with pytest.raises(ValueError, match="'the moon' is no expression"):
        Maths().align_target("the moon", {})


def no_process(*_, **__):
    raise AssertionError("asked")


def test_cheap_questions_are_not_asked(monkeypatch):
    """Most answers are numbers; a hundred thousand of them must not wait in line."""
    monkeypatch.setattr(Algebra, "ask", no_process)
    assert read(r"\boxed{\frac{3}{4}}") == r"\frac{3}{4}"
    assert is_same(Expression("3/4"), Expression("0.75"))
    assert not is_same(Expression("3/4"), Expression("0.7"))
    assert is_same(Expression(r"\dfrac{a}2"), Expression(r"\frac{a}{2}"))


def test_a_hostile_expression_costs_its_time_and_no_more():
    """The process is killed, and the next question has another."""
    algebra = Algebra()
    assert algebra.ask("x", timeout_s=20) is True
    assert algebra.ask(HOSTILE, "x^2 + 1", timeout_s=0.5) is None
    assert algebra.ask("x+x", "2x", timeout_s=20) is True
    algebra.stop()


def test_an_equality_that_takes_too_long_is_none_and_said(caplog):
    """Nobody would find out otherwise."""
    assert not is_same(Expression(HOSTILE, timeout_s=0.3), Expression("x^3 + 1"))
    assert [record.getMessage() for record in caplog.records] == [
        "maths: '9^{9^{9^9}}' and 'x^3+1' were not compared in 0.3 s, and count as different"
    ]


def test_equality_is_asked_off_the_main_thread():
    """math-verify's own time-outs are signals, which only the main thread may have."""
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(is_same(Expression(f"{n}y+y"), Expression(f"{n + 1}y"))))
        for n in range(2, 6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [True] * 4


def test_a_question_is_asked_once():
    """A vote compares the same answers many times."""
    assert is_same(Expression("z+z"), Expression("2z"))
    before = answer_to.cache_info().misses
    assert is_same(Expression("2z"), Expression("z+z"))
    assert answer_to.cache_info().misses == before


def test_a_process_that_was_killed_is_started_again():
    """By the system, for its memory."""
    algebra = algebra_of(os.getpid())
    assert is_same(Expression("a+b+1"), Expression("1+b+a"))
    assert algebra._process is not None
    algebra._process.kill()
    algebra._process.wait()
    assert is_same(Expression("a+b+2"), Expression("2+b+a"))


def test_an_expression_survives_pickling():
    """Completions are aligned in several processes."""
    again = pickle.loads(pickle.dumps(Expression("x = 5", timeout_s=2.0)))
    assert (again, again.timeout_s) == ("x=5", 2.0)
    assert is_same(again, 5)


def test_a_process_that_does_not_start_is_an_error(monkeypatch, tmp_path):
    """Otherwise every formula would be wrong, and nobody would know why."""
    program = tmp_path / "broken.py"
    program.write_text("import nothing_of_that_name")
    monkeypatch.setattr("promptkit.align.algebra.MAIN", program)
    with pytest.raises(RunError) as caught:
        Algebra().ask("x", timeout_s=5)
    assert str(caught.value) == (
        f"maths: the process that compares formulas does not start: {sys.executable!r} '-P' {str(program)!r}\n"
        "    it needs the package 'math-verify', which promptkit brings"
    )
