"""What people see on wide and on narrow terminals, and in a log."""

import io

import pytest
from rich.console import Console

from promptkit.report import ProgressLine, card_view, runs_table, unanswered_line
from promptkit.report.progress import describe, shortened
from promptkit.run import Progress, load, make_card

OF_ALL = {"value": 0.25, "low": 0.2, "high": 0.3}
SUMMARY = {
    "pipeline": "bbh-date-understanding",
    "model": "smollm2-135m",
    "num_examples": 1319,
    "scores": {"exact_match": {**OF_ALL, "answered": {"value": 0.26, "low": 0.21, "high": 0.31, "num": 1300}}},
    "statuses": {"answered": 1300, "unparsed": 0, "truncated": 19, "ambiguous": 0, "empty": 0},
    "timing": {"prompt_tokens": 1234567, "new_tokens": 4567, "total_s": 75.0},
}


def shown(view, width):
    """The view on a terminal of that width, without colours, blanks at the ends of lines left out."""
    written = io.StringIO()
    Console(file=written, width=width, highlight=False).print(view)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_a_wide_terminal_has_one_line_a_run():
    """Runs are compared by reading down a column."""
    lines = shown(runs_table([SUMMARY, SUMMARY]), 180)
    assert len(lines) == 4
    assert "25.0 % [20.0, 30.0] │ 26.0 % [21.0, 31.0]" in lines[2]
    assert "answered 1,300 (99 %), truncated 19 (1 %)" in lines[2]


def test_a_terminal_of_120_columns_puts_scores_and_statuses_under_each_other():
    """The numbers stay in their columns, and no word is broken."""
    lines = shown(runs_table([{**SUMMARY, "pipeline": "sentiment"}]), 120)
    assert len(lines) == 5
    cells = [[cell.strip() for cell in line.split("│")] for line in lines[3:]]
    assert [line[3:5] for line in cells] == [
        ["25.0 % [20.0, 30.0]", "answered 1,300 (99 %)"],
        ["26.0 % [21.0, 31.0]", "truncated 19 (1 %)"],
    ]


def test_a_terminal_of_80_columns_has_a_paragraph_a_run():
    """A table folded into 80 columns showed `answe…` and a number a line."""
    older = {**SUMMARY, "timing": None, "scores": {"exact_match": OF_ALL}}
    lines = shown(runs_table([SUMMARY, older]), 80)
    assert lines == [
        "bbh-date-understanding on smollm2-135m, n = 1,319",
        "  exact_match 25.0 % [20.0, 30.0], of answered only 26.0 % [21.0, 31.0]",
        "  answered 1,300 (99 %), truncated 19 (1 %)",
        "  1,234,567 prompt tokens, 4,567 new tokens, 1 min 15 s",
        "",
        "bbh-date-understanding on smollm2-135m, n = 1,319",
        "  exact_match 25.0 % [20.0, 30.0]",
        "  answered 1,300 (99 %), truncated 19 (1 %)",
    ]


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_nothing_is_cut_at_any_width(width):
    """What does not fit goes to the next line, whole."""
    names = {**SUMMARY, "pipeline": "a[b]", "model": "models/[/x]"}
    text = "\n".join(shown(runs_table([names]), width))
    assert "…" not in text
    assert "a[b]" in text
    assert "models/[/x]" in text


def test_completions_without_an_answer_are_told_where_they_are_many():
    """A score of 25 % may be a model that is bad at sums, or a parser that finds a third of them."""
    few, many = SUMMARY, {**SUMMARY, "statuses": {"answered": 47, "unparsed": 12, "truncated": 5}}
    assert unanswered_line(few, "promptkit explain RUN") is None
    assert unanswered_line(many, "promptkit explain RUN") == (
        "17 of 64 completions have no answer: promptkit explain RUN"
    )


@pytest.mark.parametrize("width", [80, 120])
def test_a_card_has_whole_words_at_any_width(width):
    """Its words are the taxonomy's: `concate…` is none of them."""
    text = "\n".join(shown(card_view(make_card(load("dates"), 135_000_000)), width))
    assert "…" not in text
    for word in ("demonstrations", "prompt[1]", "concatenative", "structural", "learns 0 parameters", "135,000,000"):
        assert word in text


class Terminal(io.StringIO):
    """A stream that says that it is a terminal, and not how wide."""

    def isatty(self):
        """Yes."""
        return True


def state(num_done, **more):
    """A run that is so far."""
    return Progress(
        **{"num_done": num_done, "num_all": 300, "num_from_store": 0, "num_new_tokens": 0, "seconds": 2.0} | more
    )


def test_a_line_on_a_terminal_never_wraps():
    """A line that wraps cannot be overwritten: it was printed again and again, one under the other."""
    stream = Terminal()
    with ProgressLine("a-pipeline-with-a-name-that-is-longer-than-others", stream) as line:
        line.watch(lambda: state(12, num_from_store=4, num_new_tokens=6_000))
    *_, last = stream.getvalue().removesuffix("\n").split("\r\x1b[2K")
    assert len(last) == 79
    assert last.startswith("a-pipeline-with-a-name-that-is-longer-than-others: 12 of 300 · 1 min 12 s")
    assert last.endswith("…")


def test_a_log_gets_whole_lines():
    """Nobody overwrites a log."""
    stream = io.StringIO()
    with ProgressLine("sums", stream) as line:
        line.watch(lambda: state(300, num_new_tokens=6_000))
    assert stream.getvalue() == "sums: 300 of 300 · 150 a second · 3,000 tokens a second\n"


def test_a_run_that_fails_before_it_begins_shows_no_progress():
    """`0 of 300 · the model is at work` above "the prompt does not fit" would be one line too much."""
    stream = io.StringIO()
    line = ProgressLine("sums", stream)
    line.__enter__()
    line.watch(lambda: state(0))
    line.__exit__(ValueError, ValueError("does not fit"), None)
    assert stream.getvalue() == ""


def test_the_line_moves_while_no_completion_comes():
    """It asks for the state each time that it shows it: the last one is that of the end, and equal ones come once."""
    states = iter([state(0, num_live=64), state(0, num_live=64, num_new_tokens=900), state(300, num_new_tokens=6_000)])
    stream = io.StringIO()
    with ProgressLine("sums", stream) as line:
        read = [next(states)]
        line.watch(lambda: read[0])
        line._show_newest()
        line._show_newest()
        read[0] = next(states)
        line._show_newest()
        read[0] = next(states)
    assert stream.getvalue().splitlines() == [
        "sums: 0 of 300 · 64 live · the model is at work",
        "sums: 0 of 300 · 64 live · 450 tokens a second",
        "sums: 300 of 300 · 150 a second · 3,000 tokens a second",
    ]


def test_what_is_said_of_a_run():
    """The rate is that of what was computed, and the time left follows from it."""
    assert describe(state(0)) == "0 of 300 · the model is at work"
    assert describe(state(12, num_from_store=4)) == "12 of 300 · 1 min 12 s left · 4 from the store · 4.00 a second"
    assert describe(state(3, num_live=64, num_new_tokens=2_468)) == (
        "3 of 300 · 3 min 18 s left · 64 live · 1.50 a second · 1,234 tokens a second"
    )
    assert describe(state(4, num_from_store=4, num_live=64, num_new_tokens=100)) == (
        "4 of 300 · 4 from the store · 64 live · 50 tokens a second"
    ), "no row is finished yet: no time left is told"
    assert describe(state(300, num_from_store=300)) == "300 of 300 · 300 from the store"
    stages = ("stage solve (2 of 3), round 1", "stage conclude (3 of 3)")
    assert describe(state(12, parts=stages[:1])).startswith("stage solve (2 of 3), round 1 · 12 of 300 · ")
    assert describe(state(12, parts=stages)).startswith("stage solve (2 of 3), round 1 and 1 more · 12 of 300 · ")
    assert shortened("12 of 300", 9) == "12 of 300"
