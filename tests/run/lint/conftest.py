"""A small pipeline in which the linter finds nothing, and what it says of others like it."""

import pytest

from promptkit import load
from promptkit.run import lint_pipeline

CLEAN = """\
name: films
model: {scripted: {default: ""}}
data:
  test: {rows: [{id: a, film: a dull one, label: bad}, {id: b, film: a fine one, label: good}]}
  train:
    rows:
      - {id: c, film: a long one, label: bad}
      - {id: d, film: a great one, label: good}
      - {id: e, film: a poor one, label: bad}
      - {id: f, film: a lovely one, label: good}
  target: "{{ label }}"
prompt:
  - demonstrations: {from: train, template: "Film: {{ film }}\\nVerdict: {{ label }}.\\n\\n"}
  - query: "Film: {{ film }}\\nVerdict:"
generate: {max_new_tokens: 8, stop: ["\\n"]}
align: [{strip: " ."}]
"""
CHOOSING = CLEAN.replace('generate: {max_new_tokens: 8, stop: ["\\n"]}', "choose: {options: [good, bad]}")


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """A function that lints a pipeline's text, changed as the pairs say, from the file `films.yaml`."""
    monkeypatch.chdir(tmp_path)

    def lint(*changes, text=CLEAN, allow=()):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "films.yaml").write_text(text, encoding="utf-8")
        return lint_pipeline(load("films.yaml"), allow=allow)

    return lint


@pytest.fixture
def says(lint):
    """A function that gives what the linter says of such a text: code, place and message of each finding."""

    def says(*changes, **more):
        return [
            f"{each.problem.position.line}:{each.problem.position.column} {each.code} {each.problem.path}: "
            f"{each.problem.message}"
            for each in lint(*changes, **more).findings
        ]

    return says
