"""An example that does not hold, as `check` tells it."""

import pytest

from promptkit.report import failure_text
from promptkit.report.failure_view import difference_lines
from promptkit.run import Difference, check_examples, load


def lines(expected, got, what="answer"):
    return list(difference_lines(Difference(what=what, expected=f"{what} {expected}", got=f"{what} {got}")))


def test_expected_and_got_stand_under_each_other_with_the_difference_marked():
    """Between two long texts nobody finds it."""
    assert lines("'jumps under the dog'", "'jumps over the dog'") == [
        "expected: answer 'jumps under the dog'",
        "got:      answer 'jumps over the dog'",
        "                        ^^^",
    ]
    assert lines("7", "7.5")[2] == "                  ^^"
    assert lines("7.5", "7")[2] == "                  ^^"


def test_of_a_long_text_the_part_that_differs_is_shown():
    """The rest is the same."""
    expected, got, carets = lines("x" * 500 + "a" + "y" * 500, "x" * 500 + "b" + "y" * 500)
    assert (len(expected), len(got)) == (130, 130)
    assert expected[carets.index("^")] == "a"
    assert got[carets.index("^")] == "b"


def test_things_of_two_kinds_are_not_compared_letter_by_letter():
    """Carets under all of it would say nothing."""
    difference = Difference(what="answer", expected="answer 7", got="no answer, status empty")
    assert list(difference_lines(difference)) == ["expected: answer 7", "got:      no answer, status empty"]


@pytest.fixture
def failure(tmp_path):
    """The one failure of a file's examples."""

    def failure(text):
        (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
        (only,) = check_examples(load(tmp_path / "p.yaml"))
        return failure_text(only).replace(str(tmp_path), "")

    return failure


def test_a_failure_shows_what_was_read_and_by_which_step(failure):
    """The completion marked, the ledger in short."""
    assert failure("align: [{regex: 'is (.*)'}, number]\nexamples: [{completion: It is about 7., answer: 8}]") == (
        """/p.yaml:2:25: examples[0] does not hold
    expected: answer 8
    got:      answer 7
                     ^
    completion:
        It is about 7.
                    ^ the answer, align[1].number
              ^^^^^^^^ align[0].regex
    ledger:
        align[0].regex   0-14 -> 6-14: 'about 7.'
        align[1].number  6-14 -> 12-13: 7"""
    )


def test_of_a_long_completion_its_ends_and_what_was_read_are_shown(failure):
    """A chain of thought of three pages is not told whole."""
    text = failure(
        "align: [number]\nexamples: [{completion: '" + "word " * 1000 + "7 " + "more " * 1000 + "', answer: 8}]"
    )
    assert len(text) < 2_500
    assert "^ the answer, align[0].number" in text
    assert text.count("characters are left out here") == 2


def test_an_answer_that_no_completion_could_give_is_told(failure):
    """The example is wrong, and not the chain."""
    said = failure("align: [number]\nexamples: [{completion: '7', answer: many}]")
    assert "answer 7; no completion could give the expected one: 'many' is not a number" in said
