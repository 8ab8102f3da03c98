"""What a file or the caller allows, and what could not be known."""

import pytest

BAD = ('"Film: {{ film }}\\nVerdict:"', '"Film: {{ film }}\\nVerdict: "')
LINE = '  - query: "Film: {{ film }}\\nVerdict: "'


@pytest.mark.parametrize(
    "written",
    [
        f"{LINE}   # lint: allow PK201",
        f"{LINE}   # the tokenizer has no spaces.  lint: allow PK101, PK201",
        f"  # lint: allow PK201\n  # for a reason of two lines\n{LINE}",
    ],
)
def test_a_comment_on_the_line_or_above_it_allows(lint, written):
    """With a reason beside it, which nobody reads but people."""
    linted = lint(BAD, (LINE, written))
    assert linted.findings == ()
    assert [each.code for each in linted.allowed] == ["PK201"]


@pytest.mark.parametrize("written", [f"{LINE}   # lint: allow PK202", f"  # lint: allow PK201\n\n{LINE}"])
def test_another_code_or_place_does_not(lint, written):
    """What is allowed is one finding."""
    assert [each.code for each in lint(BAD, (LINE, written)).findings] == ["PK201"]


def test_the_caller_allows_a_rule_everywhere(lint):
    """For this once."""
    linted = lint(BAD, allow=["PK201"])
    assert linted.findings == ()
    assert [each.code for each in linted.allowed] == ["PK201"]


def test_what_cannot_be_known_is_said_with_its_reason(lint):
    """A rule that did not run is no rule that found nothing."""
    skipped = {
        each.code: each.reason
        for each in lint(("{rows: [{id: a", "{hub: no/where}\n  validation: {rows: [{id: a")).skipped
    }
    assert skipped["PK205"] == "no/where is a data set of the hub, which is not asked: a file would be read"
    assert skipped["PK311"] == "the tokenizer of 'scripted' is not here; `plan` or `run` prepares it"
