"""One completion explained: marks in colour and in a log, the ledger as a tree, whatever the text holds."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from promptkit.align import Answer, Capture, Context
from promptkit.report import explain_view
from promptkit.report.ledger_view import ledger_lines, ledger_marks
from promptkit.report.marked import Mark, Marked, caret_lines, harmless
from promptkit.run import load
from promptkit.run.explaining import Explained
from promptkit.text import Span

CHAIN = r"""
align:
  - strip
  - first:
      - regex: '#### (.*)'
      - [{regex: 'answer is (?P<answer>[^.]+)'}, number]
"""


@pytest.fixture
def explained(tmp_path):
    """A completion, aligned by `CHAIN` and explained."""
    (tmp_path / "p.yaml").write_text(CHAIN, encoding="utf-8")

    def explained(text, **known):
        outcome = load(tmp_path / "p.yaml").chain.align(text, Context(is_traced=True))
        return Explained(id="a", text=text, outcome=outcome, **known)

    return explained


def shown(view, width=80, **options):
    """The view as a console writes it, blanks at the ends of lines left out."""
    written = io.StringIO()
    Console(file=written, width=width, highlight=False, **options).print(view)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def without_times(lines):
    """The lines without what differs from one time to the next."""
    return [line[: line.rindex("  ")].rstrip() if line.endswith((" ms", " time")) else line for line in lines]


def test_a_log_shows_the_marks_as_carets(explained):
    """Colour does not come through a pipe, and brackets would be taken for the model's own."""
    lines = without_times(
        shown(explain_view(explained(" It is so: the answer is 7 cats.", target=8, prompt="Q: how?\nA:")))
    )
    assert lines == [
        "example a   32 characters",
        "── the prompt ends ─────────────────────────────────────────────────────────────",
        "Q: how?⏎",
        "A:",
        "── the completion ──────────────────────────────────────────────────────────────",
        " It is so: the answer is 7 cats.",
        "                         ^ the answer, align[1].first[1][1].number",
        "                           ^^^^ unit",
        "                         ^^^^^^ align[1].first[1][0].regex",
        "── the ledger ──────────────────────────────────────────────────────────────────",
        "step             read   found",
        "align[0].strip   0-32   1-32     'It is so: the answer is 7 cats.'",
        "align[1].first   1-32   25-26    7",
        "  [0].regex      1-32   nothing  no match",
        "  [1][0].regex   1-32   25-31    '7 cats'",
        "  [1][1].number  25-31  25-26    7",
        "── the outcome ─────────────────────────────────────────────────────────────────",
        "answered   7   at 25-26 by align[1].first[1][1].number",
        "unit       'cats'   at 27-31",
        "target     8",
    ]


def test_a_no_answer_marks_what_its_last_step_read(explained):
    """The chain came as far as there: that is where to look."""
    lines = shown(explain_view(explained("The answer is hard to tell. I give up.")))
    at = lines.index("The answer is hard to tell. I give up.")
    assert lines[at + 1] == "              ^^^^^^^^^^^^ align[1].first[1][1].number: no number"
    assert lines[-1] == "unparsed   align[1].first: [0].regex: no match; [1][1].number: no number"


def test_a_terminal_shows_them_in_colour(explained):
    """And has no carets."""
    text = "\n".join(
        shown(explain_view(explained("The answer is 7 (cats).")), force_terminal=True, color_system="standard")
    )
    assert "\x1b[1;30;42m7\x1b[0m\x1b[30;43m (cats)\x1b[0m." in text
    assert "^" not in text


def test_a_terminal_told_to_have_no_colour_has_carets(explained):
    """NO_COLOR is said by people, too, who cannot tell green from red."""
    lines = shown(explain_view(explained("The answer is 7.")), force_terminal=True, no_color=True)
    assert any("^ the answer" in line for line in lines)


def test_an_explanation_in_short_is_plain_lines(explained):
    """For `check`."""
    assert list(ledger_lines(explained("The answer is 7 cats.").outcome)) == [
        "align[0].strip   0-21 -> 0-21: 'The answer is 7 cats.'",
        "align[1].first   0-21 -> 14-15: 7",
        "  [0].regex      0-21 -> no match",
        "  [1][0].regex   0-21 -> 14-20: '7 cats'",
        "  [1][1].number  14-20 -> 14-15: 7",
    ]


def test_what_was_taken_beside_the_answer_is_marked_by_its_name():
    """A unit, or the fields of a record."""
    captures = {"unit": Capture(value="cats", span=Span(start=2, end=6))}
    outcome = Answer(value=7, span=Span(start=0, end=1), step="align[0].number", captures=captures)
    assert [(mark.label, mark.span.start) for mark in ledger_marks(outcome, "7 cats")] == [
        ("unit", 2),
        ("the answer, align[0].number", 0),
    ]
    lines = shown(explain_view(Explained(id="a", text="7 cats", outcome=outcome)))
    assert lines[-1] == "unit       'cats'   at 2-6"


def mark(start, end, label="here"):
    return Mark(span=Span(start=start, end=end), label=label, style="")


def test_long_lines_are_folded_with_their_carets():
    """A caret below column 900 is below nothing."""
    text = "word " * 10 + "end"
    assert shown(Marked(text, [mark(15, 30)]), 22) == [
        "word word word word",
        "               ^^^^^",
        "word word word word",
        "^^^^^^^^^^ here",
        "word word end",
    ]


def test_a_span_over_many_lines_is_marked_at_its_ends():
    """Twenty lines of carets would hide the text."""
    text = "\n".join("abcdefgh")
    assert shown(Marked(text, [mark(2, 13)])) == [
        *["a", "b", "^ here from here", "c", "d", "e", "f", "g", "^ here to here", "h"],
    ]


def test_wide_characters_and_controls_keep_the_carets_in_place():
    """A Chinese character takes two columns; an escape code would take the terminal."""
    assert shown(Marked("日本: 7\t8\x1b[2J", [mark(4, 5), mark(6, 7, "b")])) == [
        "日本: 7⇥8␛[2J",
        "      ^ here",
        "        ^ b",
    ]
    assert len(harmless("".join(map(chr, range(200))))) == 200


def test_of_a_very_long_completion_the_marked_parts_are_shown():
    """A million characters are not read by anybody."""
    text = "x" * 500_000 + " 7 " + "y" * 500_000
    lines = shown(Marked(text, [mark(500_001, 500_002)]))
    assert "… 497,999 characters are left out here …" not in lines[:3]
    assert sum(map(len, lines)) < 5_000
    assert [line for line in lines if line.startswith("…")] == [
        "… 498,001 characters are left out here …",
        "… 498,001 characters are left out here …",
    ]
    assert any(line.strip() == "^ here" for line in lines)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_width_cuts_anything_but_values(explained, width):
    """Steps, spans and times are whole at any width."""
    text = "\n".join(shown(explain_view(explained("The answer is 7 cats. " * 9)), width))
    assert "[1][1].number" in text
    assert "the answer" in text


SPANS = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)


@given(text=st.text(max_size=60), spans=st.lists(SPANS, max_size=4), width=st.integers(4, 60))
def test_any_text_can_be_marked_anywhere(text, spans, width):
    """Every character is shown once, and no line is wider than it may be."""
    marks = [mark(min(start, len(text)), min(end, len(text)), "") for start, end in spans]
    lines = list(caret_lines(text, marks, width))
    assert all(cell_len(line) <= width + 1 for line in lines), "an empty span at the end has its caret behind it"
    assert "".join(line for line in caret_lines(text, [], width)) == harmless(text).replace("\n", "")
