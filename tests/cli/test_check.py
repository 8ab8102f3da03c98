"""`promptkit check` as a linter: what is told, what fails, what is allowed."""

import pytest

from tests.cli.conftest import SUMS

SPACE = SUMS.replace('A:"', 'A: "')
NO_TOKENIZER = "the tokenizer of 'scripted' is not here; `plan` or `run` prepares it"
SAID = (
    "spaced.yaml:14:12: PK201 prompt[1].query: the prompt ends with a space, '\\nA: '\n"
    '    14 |   - query: "Q: {{ question }}\\nA: "\n'
    "                    ^\n"
    "    end it before the space: a model writes the space with its first word\n"
    "    why: models write a space together with the word after it; after a space alone the likely words are others\n"
    "    to keep it: # lint: allow PK201\n"
)


@pytest.fixture
def spaced(write):
    """A pipeline whose prompt ends with a space."""
    return write("spaced.yaml", SPACE)


def test_findings_are_told_and_fail_nothing(pk, spaced):
    """The file is right; its score may not be."""
    ended = pk("check", spaced)
    assert ended.code == 0
    assert ended.err == f"{SAID}ok   spaced.yaml: 2 of 2 examples hold, 1 finding of the linter\n"


def test_strict_ends_with_1(pk, spaced):
    """For a build."""
    assert pk("check", spaced, "--strict").code == 1
    assert pk("check", spaced, "--strict", "--allow", "PK201").code == 0
    assert pk("check", "sums.yaml", "--strict").code == 0


def test_a_code_that_no_rule_has_is_a_mistake(mistake):
    """It would allow nothing, and nobody would know."""
    said = mistake("check", "sums.yaml", "--allow", "PK201x")
    assert said.startswith("promptkit check: invalid value: no rule has the code 'PK201x'; known: PK101, PK102, ")
    assert "did you mean 'PK201'?" in said


def test_one_json_object_has_all_of_it(pk, spaced):
    """For editors."""
    (file,) = pk("check", spaced, "--json").json["files"]
    assert file["ok"] is True
    (finding,) = file["findings"]
    assert {key: finding[key] for key in ("code", "file", "line", "column", "path")} == {
        "code": "PK201",
        "file": "spaced.yaml",
        "line": 14,
        "column": 12,
        "path": "prompt[1].query",
    }
    assert {"message", "hint", "why", "silence", "title"} < finding.keys()
    assert {"code": "PK204", "reason": NO_TOKENIZER} in file["skipped"]


def test_verbose_tells_what_is_allowed_and_what_was_skipped(pk, write):
    """Else a rule that cannot run looks like one that finds nothing."""
    write("kept.yaml", SPACE.replace('A: "', 'A: "  # lint: allow PK201'))
    said = pk("check", "kept.yaml", "--verbose").err.splitlines()
    assert "kept.yaml:14:12: PK201 is allowed: the prompt ends with a space, '\\nA: '" in said
    assert f"skipped PK204: {NO_TOKENIZER}" in said
    assert said[-1] == "ok   kept.yaml: 2 of 2 examples hold"


def test_data_may_lie_elsewhere(pk, write, folder):
    """As for `run`."""
    write("elsewhere/sums.jsonl", (folder / "sums.jsonl").read_bytes())
    write("far.yaml", SUMS.replace("{{ question }}", "{{ asked }}").replace("sums.jsonl", "elsewhere.jsonl"))
    assert "PK205" not in pk("check", "far.yaml").err
    write("elsewhere/elsewhere.jsonl", (folder / "sums.jsonl").read_bytes())
    assert (
        "PK205 prompt[1].query: template: undefined name 'asked'" in pk("check", "far.yaml", "--data", "elsewhere").err
    )
