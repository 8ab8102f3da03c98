"""What a file takes over by `extends`: it is not told what is the other file's matter, and may allow the rest."""

import pytest

from promptkit import load
from promptkit.run import lint_pipeline
from tests.run.lint.conftest import CLEAN

STAGES = """\
stages:
  - name: reason
    prompt: [{query: "Film: {{ film }}\\nThoughts:"}]
  - name: conclude
    continue: reason
    prompt: [{cue: "\\nVerdict:"}]
    generate: {max_new_tokens: 8, stop: ["\\n"]}
    align: [{strip: " ."}]
"""
WITH_SPACE = CLEAN.replace('Verdict:"\ngen', 'Verdict: "\ngen')


@pytest.fixture
def says(tmp_path, monkeypatch):
    """A function that writes files, the last of which extends others, and says what the linter says of the last."""
    monkeypatch.chdir(tmp_path)

    def says(**files):
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return [str(each) for each in lint_pipeline(load(f"{name}.yaml")).findings]

    return says


def test_what_another_file_declares_may_be_left_unused(says):
    """A file cannot take away what it takes over, and the other file uses it."""
    with_field = CLEAN.replace("  target:", '  fields: {shown: "{{ film }}"}\n  target:').replace(
        "{{ film }}\\n", "{{ shown }}\\n"
    )
    assert says(films=with_field, staged=f"extends: films.yaml\n{STAGES}") == []


def test_what_the_file_declares_itself_may_not(says):
    """Its own split is its own matter."""
    own = f"extends: films.yaml\ndata: {{train: {{rows: [{{film: a new one, label: good}}]}}}}\n{STAGES}"
    (said,) = says(films=CLEAN, staged=own)
    assert said.startswith(
        "staged.yaml:2:8: PK404 data.train: the split 'train' is declared, and nothing takes from it"
    )


def test_a_finding_in_the_other_file_says_both_places_that_may_allow_it(says):
    """The other file may be nobody's to change, such as a shipped one."""
    (said,) = says(films=WITH_SPACE, other="extends: films.yaml\nname: other\n")
    assert said.endswith("to keep it: # lint: allow PK201, there or at other.yaml:1:10")


@pytest.mark.parametrize(
    "first", ["extends: films.yaml  # lint: allow PK201", "# lint: allow PK201\nextends: films.yaml"]
)
def test_the_line_that_extends_allows_what_it_brings(says, first):
    """Through every file between."""
    assert says(films=WITH_SPACE, other=f"{first}\nname: other\n") == []
    assert says(films=WITH_SPACE, between=f"{first}\n", other="extends: between.yaml\nname: other\n") == []
    assert says(films=WITH_SPACE, between="extends: films.yaml\n", other=f"{first.replace('films', 'between')}\n") == []


def test_it_allows_nothing_of_the_file_itself(says):
    """What is written here is allowed where it is written."""
    own = 'extends: films.yaml  # lint: allow PK201\nprompt: [{query: "Film: {{ film }}\\nVerdict: "}]\n'
    assert [each.split(": ")[1].split(" ")[0] for each in says(films=CLEAN, other=own)] == ["PK201"]
