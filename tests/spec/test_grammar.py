"""Grammars are read with the file, and their mistakes are told at their own lines."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import Field

from promptkit.errors import DeclarationError
from promptkit.spec import Declaration, Grammar, read
from promptkit.spec.document import parse
from promptkit.text import Source


class Sections(Declaration):
    """A file with nothing but a grammar."""

    grammar: Grammar = Field()


def grammar_of(text, folder=None):
    tree, problems = parse(Source(name="pipe.yaml", text=text, folder=folder))
    return read(Sections, tree, problems, {"folder": folder}).grammar


def block(grammar):
    return grammar_of("grammar: |\n" + "".join(f"  {line}\n" for line in grammar.splitlines()))


def refused(grammar, start="start"):
    with pytest.raises(Exception, match="grammar") as caught:
        block(grammar).rules(start)
    return str(caught.value)


def test_short_forms_are_written_out():
    """Both ends of a pipeline read plain rules, so that they read the same grammar."""
    rules = block('start: (item ",")* item\nitem: NUM -> number | "x"\nNUM: /[0-9]+/\n%ignore " "').rules("start")
    assert rules.names == {"start", "number", "item"}
    assert [rules.terminals[name].pattern for name in rules.ignored] == [r"\ "]
    assert rules.terminals["NUM"].pattern == "[0-9]+"
    assert not rules.nullable


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        ("start: foo", "pipe.yaml:2:10: grammar: rule 'foo' used but not defined (in rule start)"),
        ('start: "a"\nb: "a" ]', "pipe.yaml:3:10: grammar: does not parse here"),
        ('begin: "a"', "pipe.yaml:2:3: grammar: there is no rule 'start' to start with"),
        ("start: A\nA: B", "pipe.yaml:3:6: grammar: terminal used but not defined: B"),
        ("start: /a(/", "pipe.yaml:2:11: grammar: the pattern does not compile: missing )"),
        ("start: /a*/", "pipe.yaml:2:11: grammar: a terminal that may match nothing; a rule may, with `?` or `*`"),
        ("start: X\n%declare X", "pipe.yaml:2:10: grammar: the terminal 'X' has no pattern"),
        ("start: X\n%import bar.X", "pipe.yaml:3:11: grammar: there is no 'bar' to import from"),
        (
            "start: X\n%import .bar.X",
            "pipe.yaml:3:3: grammar: imports come from lark's own grammars, such as `common`, only",
        ),
        (
            'start: a\na.2: "x"',
            "pipe.yaml:3:3: grammar: 'a' has a priority: of two readings none is preferred here, both are told",
        ),
    ],
)
def test_mistakes_are_told_at_the_grammars_line(grammar, message):
    """A grammar is the part of a file in which one is lost the soonest."""
    assert refused(grammar).splitlines()[0] == message


def test_an_error_shows_the_line_with_a_caret():
    """As for every other mistake in a file."""
    assert refused("start: foo") == (
        "pipe.yaml:2:10: grammar: rule 'foo' used but not defined (in rule start)\n"
        "    2 |   start: foo\n"
        "                 ^"
    )


def test_a_file_is_found_as_templates_are(tmp_path):
    """Beside the pipeline, in the folder above it, or among the shipped; nowhere else."""
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "digits.lark").write_text("start: /[0-9]+/\n  | foo\n", encoding="utf-8")
    found = grammar_of("grammar: digits.lark", tmp_path / "pipelines")
    assert found.name == "digits.lark"
    with pytest.raises(Exception, match="foo") as caught:
        found.rules("start")
    first = "digits.lark:2:5: (named at pipe.yaml:1:10): grammar: rule 'foo' used but not defined (in rule start)"
    assert str(caught.value).splitlines()[0] == first
    with pytest.raises(DeclarationError) as missing:
        grammar_of("grammar: ../digits.lark", tmp_path / "pipelines")
    assert "there is no grammar '../digits.lark'" in str(missing.value)


def test_lark_is_imported_only_for_a_grammar():
    """`check` is for typing along with."""
    program = (
        "import sys\nfrom promptkit.run import load, check_examples\nload('gsm8k-cot')\n"
        "sys.exit(int('lark' in sys.modules or 'llguidance' in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
