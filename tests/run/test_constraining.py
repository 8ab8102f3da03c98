"""`constrain` in a file: told of at its line, and part of the key under which a completion is kept."""

import pytest

from promptkit.errors import DeclarationError
from promptkit.generate import Constraint, Request
from promptkit.run import load
from promptkit.run.store import request_key

LOOKING_AHEAD = """\
generate:
  constrain: grammar
align:
  - grammar: |
      start: "it is " answer
      answer: WORD
      WORD: /[a-z]+(?=,)/
"""
STOPPING = """\
generate: {constrain: {regex: '[0-9]+'}, stop: ["\\n"]}
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A way to write `pipe.yaml` and be told what is wrong with it."""
    monkeypatch.chdir(tmp_path)

    def refused(text):
        (tmp_path / "pipe.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(DeclarationError) as caught:
            load("pipe.yaml")
        return str(caught.value)

    return refused


def test_what_a_constraint_cannot_follow_is_told_at_the_grammars_line(written):
    """With no model, by `check`."""
    assert written(LOOKING_AHEAD) == (
        "pipe.yaml:7:7: generate.constrain: the terminal has `(?=`, which a constraint cannot follow\n"
        "    7 |       WORD: /[a-z]+(?=,)/\n"
        "              ^"
    )


def test_a_stop_beside_a_constraint_is_refused(written):
    """It would cut a completion where it is not complete."""
    assert written(STOPPING) == (
        "pipe.yaml:1:48: generate.stop: `stop` and `constrain`: what is constrained ends where it is complete, and "
        "nowhere else\n"
        "    1 | generate: {constrain: {regex: '[0-9]+'}, stop: [\"\\n\"]}\n"
        "                                                       ^\n"
        "    leave `stop` out"
    )


def test_the_key_covers_the_constraint():
    """FIELD 6: another grammar is another completion."""
    plain = Request(label="x", prompt="", token_ids=(1,))
    keys = {
        request_key({}, Request(label="x", prompt="", token_ids=(1,), constraint=each), 0)
        for each in (
            None,
            Constraint(lark="start: /a/"),
            Constraint(lark="start: /b/"),
            Constraint(lark="start: /a/", after="</think>"),
        )
    }
    assert len(keys) == 4
    assert request_key({}, plain, 0) in keys
