"""`promptkit plan`, as a person meets it and as a program does."""

import json
import subprocess
import sys

import pytest

from promptkit.errors import GenerationError
from promptkit.generate.sizes import parse_bytes

FILMS = """\
name: films
model: MODEL
data:
  test: {rows: [{id: a, review: lovely, answer: positive}, {id: b, review: a dull film, answer: negative}]}
  target: "{{ answer }}"
prompt:
  - instruction: "Review: a lovely film. Sentiment: positive\\nReview: a dull and endless film. Sentiment: negative\\n"
  - query: "Review: {{ review }} Sentiment:"
generate: {max_new_tokens: 4}
"""


@pytest.fixture
def films(write, tiny_model):
    """The pipeline on the tiny model, in a file."""
    return write("films.yaml", FILMS.replace("MODEL", str(tiny_model)))


def test_lines_that_say_what_a_run_would_take(pk, films):
    """The memory of this machine is not ours to know here."""
    ended = pk("plan", films, "--dtype", "float32")
    assert ended.code == 0
    names = [line[:14].strip() for line in ended.out.splitlines()]
    assert names[0].startswith("films on")
    said = [
        "examples",
        "requests",
        "prompts",
        "",
        "",
        "",
        "computed",
        "new tokens",
        "shared",
    ]  # three kinds of segments
    assert names[1:10] == said
    assert "              special tokens 1.0 a prompt, 2 in all (" in ended.out
    assert {"context", "keys, values", "memory", "time"} <= set(names)
    assert (
        "no run of this model on this machine yet that was long enough to tell; --calibrate measures its speed in some seconds"
        in ended.out
    )


def test_one_json_object(pk, films):
    """For programs."""
    shown = pk("plan", films, "--dtype", "float32", "--json").json
    assert shown["num_requests"] == 2
    assert shown["work"]["max_new_tokens"] == 8
    assert shown["memory"]["num_slots"] == 2
    assert [each["kind"] for each in shown["segments"]] == ["special tokens", "instruction", "query"]
    assert shown["fits"] is True


def test_what_does_not_fit_ends_with_1(pk, films):
    """It was planned, but what was asked for does not hold."""
    ended = pk("plan", films, "--dtype", "float32", "--set", "generate.max_new_tokens=400")
    assert ended.code == 1
    assert "2 requests of 256 tokens at most" in ended.out
    ended = pk("plan", films, "--dtype", "float32", "--memory", "1MB")
    assert ended.code == 1
    assert "--memory allows 1 MB" in ended.out


def test_too_little_memory_is_a_mistake_of_run(mistake, films):
    """Before anything is loaded."""
    said = mistake("run", films, "--dtype", "float32", "--memory", "1MB")
    assert said.startswith("one row at a time needs ")


def test_a_model_whose_tokenizer_is_elsewhere_cannot_be_planned(mistake):
    """Its tokens are not known here."""
    assert mistake("plan", "sums.yaml") == (
        "model 'scripted': its tokenizer is not here, so its tokens cannot be counted\n"
    )


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_an_amount_of_memory_has_a_form(mistake, verb):
    """Both verbs read it alike."""
    assert mistake(verb, "sums.yaml", "--memory", "much") == (
        f"promptkit {verb}: invalid value for '--memory': 'much' is no amount of memory, such as 6GB, 500MB or 2GiB\n"
        f"    promptkit {verb} --help tells what there is\n"
    )


@pytest.mark.parametrize("text", ["", "0", "GB", "6 apples", "-1GB", "1e9"])
def test_what_is_no_amount_of_memory(text):
    """Nothing is guessed."""
    with pytest.raises(GenerationError, match="is no amount of memory"):
        parse_bytes(text)


@pytest.mark.slow
def test_planning_imports_neither_torch_nor_transformers(pk, films):
    """But for the first time that a model is seen, when its tokenizer is prepared."""
    pk("plan", films, "--dtype", "float32")
    words = json.dumps(["plan", films, "--dtype", "float32"])
    program = (
        "import sys\nfrom promptkit.cli import make_app\n"
        f"make_app(['plan'])({words}, standalone_mode=False)\n"
        "sys.stderr.write(','.join({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_what_is_left_out_and_dropped_is_said(pk, write, tiny_model):
    """Before any weights are read."""
    shots = '- demonstrations: {from: test, template: "{{ review }} {{ answer }}\\n", fit: {tokens: 30}}'
    films = write("shots.yaml", FILMS.replace("MODEL", str(tiny_model)).replace("prompt:\n", f"prompt:\n  {shots}\n"))
    ended = pk("plan", films, "--dtype", "float32")
    assert "left out      for 2 examples, demonstrations that would leak the answer\n" in ended.out
    assert "dropped       for 2 examples, demonstrations that do not fit\n" in ended.out
    shown = pk("plan", films, "--dtype", "float32", "--json").json
    assert (shown["num_left_out"], shown["num_dropped"]) == (2, 2)
    ended = pk("show", films)
    assert ended.out.rstrip().endswith("left out  a (itself)\ndropped 1, to fit  b")
