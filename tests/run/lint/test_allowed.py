"""What a file or the caller allows, and what could not be known."""

import pytest

from promptkit.run import RULES, lint_sweep, load_sweep
from tests.run.lint.conftest import CLEAN

BAD = ('"Film: {{ film }}\\nVerdict:"', '"Film: {{ film }}\\nVerdict: "')
CLEAN_LINE = '  - query: "Film: {{ film }}\\nVerdict:"'
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


def test_a_code_that_no_rule_has_is_told_with_the_nearest(lint):
    """The slip would show only once the rule finds something."""
    (finding,) = lint((CLEAN_LINE, f"{CLEAN_LINE}  # meant so.  lint: allow PK20")).findings
    assert str(finding.problem).splitlines()[0] == "films.yaml:14:67: no rule has the code 'PK20'"
    assert finding.problem.hint == f"known: {', '.join(RULES)}   did you mean 'PK205'?"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# lint: allow PK201, PK999 as ever", "1:22 no rule has the code 'PK999'"),
        ("# lint: allow pk201", "1:15 no rule has the code 'pk201'"),
        ("# lint: allow spaces", "1:3 no rule has the code 'spaces'"),
        ("# lint: allow", "1:3 `lint: allow` names no rule"),
        ("# lint: ignore PK201", "1:3 `lint: ignore` allows nothing"),
    ],
)
def test_what_means_to_allow_and_does_not_is_told(lint, comment, said):
    """Each at its place."""
    found = lint(text=f"{comment}\n{CLEAN}").findings
    assert [
        f"{each.problem.position.line}:{each.problem.position.column} {each.problem.message}" for each in found
    ] == [said]


@pytest.mark.parametrize("comment", ["# what lint: finds here is no matter", "# lint: allow PK201 and PK102 for PK9"])
def test_other_comments_are_left_alone(lint, comment):
    """The words after the codes are a reason."""
    assert lint(text=f"{comment}\n{CLEAN}").findings == ()


def test_a_template_is_looked_at_too(lint, tmp_path):
    """Its comments allow what stands in it."""
    (tmp_path / "q.jinja").write_text("{# lint: allow PK101, PK1 -#}\nFilm: {{ film }}\nVerdict:", encoding="utf-8")
    (finding,) = lint(('"Film: {{ film }}\\nVerdict:"', "q.jinja")).findings
    assert str(finding.problem.position) == "q.jinja:1:23"


BLOCK = """\
  - query: |-
      Film: {{ film }}
      # lint: allow PK101
      Verdict\\n:"""


def test_a_finding_in_a_text_is_allowed_where_the_text_begins(lint):
    """A comment within it would be text for the model."""
    finding = next(each for each in lint((CLEAN_LINE, BLOCK)).findings if each.code == "PK101")
    assert str(finding).startswith("films.yaml:17:14: PK101 prompt[1].query: \\n is a backslash and an n in a block")
    assert str(finding).endswith("to keep it: # lint: allow PK101, at films.yaml:14:12")
    block = BLOCK.replace("|-", "|-  # lint: allow PK101")
    assert "PK101" not in [each.code for each in lint((CLEAN_LINE, block)).findings]


def test_a_finding_in_a_templates_file_is_allowed_where_the_file_is_named_too(lint, tmp_path):
    """Other pipelines may read the same file."""
    (tmp_path / "q.jinja").write_text("Film: {{ film }}\\n\nVerdict:", encoding="utf-8")
    assert [each.code for each in lint((CLEAN_LINE, "  - query: q.jinja")).findings] == ["PK101"]
    assert lint((CLEAN_LINE, "  - query: q.jinja  # lint: allow PK101")).findings == ()


def test_what_is_allowed_for_nothing_is_noted(lint):
    """It would hide what the rule finds there later; yet it does no harm now."""
    linted = lint(BAD, (LINE, f"{LINE}   # lint: allow PK201, PK101"))
    assert [str(each.problem).splitlines()[0] for each in linted.notes] == [
        "films.yaml:14:65: PK101 is allowed here, and finds nothing"
    ]
    assert linted.findings == ()


def test_what_a_rule_that_could_not_know_is_allowed_is_not_noted(lint):
    """It may find something once there is a tokenizer."""
    assert lint(text=f"# lint: allow PK311\n{CLEAN}").notes == ()


def test_one_cell_of_a_sweep_that_needs_it_is_enough(tmp_path, monkeypatch):
    """The comment is that of all cells."""
    monkeypatch.chdir(tmp_path)
    text = (
        CLEAN
        + "matrix:\n  prompt.query:\n    - 'Film: {{ film }}: '  # lint: allow PK201\n    - \"Film: {{ film }}\\nVerdict:\"\n"
    )
    (tmp_path / "films.yaml").write_text(text, encoding="utf-8")
    sweep = load_sweep("films.yaml")
    assert sweep is not None
    linted = lint_sweep(sweep)
    assert (linted.findings, linted.notes) == ((), ())
    assert {each.code for each in linted.allowed} == {"PK201"}
