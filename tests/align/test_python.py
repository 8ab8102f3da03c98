"""`python`: a function of one's own, only where it is allowed."""

import sys

import pytest

from promptkit.align import Answer, NoAnswer
from promptkit.errors import DeclarationError
from promptkit.text import Span

TOOLS = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Word:
    text: str

def last_word(text, fields):
    fields["spoiled"] = True
    return Word(text.split()[-1]).text

def nothing(text, fields):
    return None

def field(text, fields):
    return fields["given"]
"""


@pytest.fixture
def folder(tmp_path):
    """A pipeline's folder with a `tools.py` in it."""
    (tmp_path / "tools.py").write_text(TOOLS, encoding="utf-8")
    return tmp_path


def run(declare, folder, name, completion, **fields):
    chain = declare(f"align: [{{python: '{name}'}}]", folder=folder, allow_code=True)
    return chain.align(completion, fields=fields, ended="eos")


def test_code_runs_only_where_it_is_allowed(declare, folder):
    """A pipeline from anywhere can be run without a look into it."""
    with pytest.raises(DeclarationError) as caught:
        declare("align:\n  - python: tools:last_word\n", folder=folder)
    assert str(caught.value) == (
        "pipe.yaml:2:13: align[0].python: names Python code (tools:last_word), which runs only with --allow-code\n"
        "    2 |   - python: tools:last_word\n"
        "                    ^"
    )


def test_a_function_beside_the_file_reads_the_value(declare, folder):
    """A dataclass in it works too, which wants its module to be known."""
    path, fields = list(sys.path), {"given": "x"}
    outcome = run(declare, folder, "tools:last_word", "the end", **fields)
    assert outcome == Answer(value="end", span=Span(start=0, end=7), step="align[0].python")
    assert sys.path == path
    assert "tools" not in sys.modules
    assert run(declare, folder, "tools:field", "x", **fields).value == "x"


def test_the_file_is_read_as_it_is_now(declare, folder):
    """An edited function must not serve what it did before."""
    assert run(declare, folder, "tools:last_word", "a b").value == "b"
    (folder / "tools.py").write_text("def last_word(text, fields):\n    return 'edited'\n", encoding="utf-8")
    assert run(declare, folder, "tools:last_word", "a b").value == "edited"


def test_an_installed_module_is_found_too(declare, folder):
    """Not all code stands beside the file."""
    outcome = run(declare, folder, "operator:is_not", "abc")
    assert outcome.value is True


def test_what_goes_wrong_in_it_is_a_reason(declare, folder):
    """One bad completion must not end the run."""
    raised = run(declare, folder, "tools:last_word", " ")
    assert raised.status == "empty"
    assert raised.reason == "tools:last_word raised IndexError: list index out of range"
    nothing = run(declare, folder, "tools:nothing", "x")
    assert nothing == NoAnswer(status="unparsed", step="align[0].python", reason="tools:nothing returned nothing")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tools", "names code as module:function, not 'tools'"),
        ("tools:last_wrd", "tools has no function 'last_wrd'"),
        ("no_such_module_here:f", "there is no module 'no_such_module_here'"),
        ("broken:f", "the module 'broken' cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_code_that_is_not_there_is_an_error(declare, folder, name, message):
    """Found when the file is read, and not at the first completion."""
    (folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        run(declare, folder, name, "x")
    assert message in str(caught.value)


def test_the_nearest_function_is_named(declare, folder):
    """As everywhere."""
    with pytest.raises(DeclarationError, match="did you mean 'last_word'"):
        run(declare, folder, "tools:last_wrd", "x")
