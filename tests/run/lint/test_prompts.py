"""PK2xx: how the prompt ends, and whether it asks as the demonstrations do."""

import pytest

from tests.run.lint.conftest import CHOOSING

QUERY = '"Film: {{ film }}\\nVerdict:"'


def test_the_clean_pipeline_is_clean(lint):
    """Or the tests below would prove little."""
    linted = lint()
    assert linted.findings == ()
    assert {each.code for each in linted.skipped} == {"PK203", "PK204", "PK311"}  # they count tokens
    assert lint(text=CHOOSING).findings == ()


def test_a_space_at_the_end_is_told(says):
    """The completion has its own."""
    assert says((QUERY, '"Film: {{ film }}\\nVerdict: "')) == [
        "14:12 PK201 prompt[1].query: the prompt ends with a space, '\\nVerdict: '"
    ]


def test_a_space_that_comes_from_the_row_is_told(says):
    """The first row shows it."""
    changes = ((QUERY, '"{{ film + chr }}"'), ("prompt:", "  fields: {chr: \"{{ ' ' }}\"}\nprompt:"))
    assert "15:12 PK201 prompt[1].query: the prompt ends with a space, 'a dull one '" in says(*changes)


def test_a_space_before_a_lead_is_told_once(says):
    """It stands twice then."""
    assert says((QUERY, '"Film: {{ film }}\\nVerdict: "'), text=CHOOSING) == [
        "14:12 PK201 prompt[1].query: the prompt ends with a space, '\\nVerdict: ', and `lead` begins with one"
    ]


def test_a_space_before_an_option_without_lead_is_none(says):
    """Prompt and option are tokenised together."""
    changes = ((QUERY, '"Film: {{ film }}\\nVerdict: "'), ("[good, bad]}", '[good, bad], lead: ""}'))
    assert says(*changes, text=CHOOSING) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Film: {{ film }}\\nAnswer:", "the prompt ends with 'Answer:', which no demonstration has before its answer"),
        (
            "Film: {{ film }} Verdict:",
            "the prompt ends with ' Verdict:', the demonstrations have '\\nVerdict: ' in its place",
        ),
        (
            "Film: {{ film }}\\nVerdict:\\n",
            "the prompt ends with '\\nVerdict:\\n', the demonstrations have '\\nVerdict: ' in its place",
        ),
    ],
)
def test_another_end_than_the_demonstrations_have_is_told(says, query, said):
    """They teach what follows their own words."""
    assert f"14:12 PK202 prompt[1].query: {said}" in says((QUERY, f'"{query}"'))


@pytest.mark.parametrize("query", ["Now you.\\nFilm: {{ film }}\\nVerdict:", "{{ film }}\\nVerdict:"])
def test_other_words_before_the_same_end_are_let_alone(says, query):
    """An instruction may stand before the last question."""
    assert says((QUERY, f'"{query}"')) == []


def test_a_cue_counts_to_the_end(says):
    """The demonstrations do without it."""
    assert says((QUERY, f'{QUERY}\n  - cue: " Think."')) == [
        "15:10 PK202 prompt[2].cue: the prompt ends with 'Verdict: Think.', which no demonstration has before its answer"
    ]


def test_a_name_that_rows_do_not_have_is_told(lint):
    """With the nearest that they have."""
    (finding,) = lint((QUERY, '"Film: {{ flim }}\\nVerdict:"')).findings
    assert str(finding).splitlines()[:4] == [
        "films.yaml:14:12: PK205 prompt[1].query: template: undefined name 'flim'",
        '    14 |   - query: "Film: {{ flim }}\\nVerdict:"',
        "                    ^",
        "    known: film, id, label   did you mean 'film'?",
    ]
