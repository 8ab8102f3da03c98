"""Steps, selectors, models and metrics of others come in by entry point, from a package that pip installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).parent / "example_plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which pip has installed the example, with its real metadata; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder)]
    subprocess.run([*pip, *offline, str(PLUGIN)], check=True, capture_output=True)
    return folder


@pytest.fixture
def promptkit(site, tmp_path):
    """Runs a verb where the example is installed, or where it is not."""

    def run(*arguments, is_installed=True):
        environment = {**os.environ, "PROMPTKIT_CACHE": str(tmp_path / "cache")}
        if is_installed:
            environment["PYTHONPATH"] = str(site)
        command = [sys.executable, "-m", "promptkit", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


PIPELINE = """
model: {parrot: {words: 2}}
data:
  test: {rows: [{id: one, said: hello there, answer: THERE}, {id: two, said: good bye, answer: ciao}]}
  train: {rows: [{said: the longest of them all}, {said: so}, {said: longer}]}
  target: "{{ answer }}"
prompt:
  - demonstrations: {from: train, take: 2, select: shortest, template: "{{ said }}, "}
  - shout: said
align:
  - last_word
score: [exact_match, same_length]
examples:
  - {completion: a b c., answer: c}
"""


def test_kinds_of_every_seam_work_in_one_pipeline(promptkit, tmp_path):
    """As if promptkit had brought them: checked, shown, run, scored again, and on the card."""
    (tmp_path / "birds.yaml").write_text(PIPELINE)
    assert promptkit("check", "birds.yaml").returncode == 0
    assert promptkit("show", "birds.yaml", "--raw").stdout == "so, longer, HELLO THERE!"
    done = promptkit("run", "birds.yaml", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["model"] == "parrot-2"
    scores = {name: score["value"] for name, score in summary["scores"].items()}
    assert scores == {"exact_match": 0.5, "same_length": 0.5}
    again = json.loads(promptkit("score", summary["run"], "--json").stdout)
    assert again["scores"] == summary["scores"]
    assert again["changed"] == []
    steps = [step["step"] for step in json.loads(promptkit("card", "birds.yaml", "--json").stdout)["steps"]]
    assert steps == ["demonstrations", "shout", "parrot-2", "last_word"]
    extracted = tmp_path / "said.jsonl"
    extracted.write_text('{"id": "x", "completion": "I say no."}\n')
    row = json.loads(promptkit("extract", "birds.yaml", "--from", extracted).stdout)
    assert row == {"id": "x", "answer": "no", "status": "answered", "span": [6, 8], "step": "align[0].last_word"}


def test_a_plug_in_never_replaces_a_kind_of_ours(promptkit, tmp_path):
    """`number` in a file means one thing, whatever is installed beside promptkit."""
    (tmp_path / "sum.yaml").write_text("align: [number]\nexamples: [{completion: 7 it is, answer: 7}]\n")
    assert promptkit("check", "sum.yaml").returncode == 0


def test_unknown_names_list_plug_ins_among_what_is_known(promptkit, tmp_path):
    """And the nearest name may be one of theirs."""
    (tmp_path / "typo.yaml").write_text("align:\n  - last_wrod\n")
    said = promptkit("check", "typo.yaml")
    assert said.returncode == 2
    first, *_, known = said.stderr.strip().splitlines()
    assert first == "typo.yaml:2:5: align[0]: no step is called 'last_wrod'"
    assert known.endswith("did you mean 'last_word'?")
    assert "last_word" in known.partition("did you mean")[0]
    without = promptkit("check", "typo.yaml", is_installed=False)
    assert without.returncode == 2
    assert "last_word" not in without.stderr


def test_parameters_of_a_plug_in_are_checked_like_ours(promptkit, tmp_path):
    """File, line and column, for kinds that promptkit has never seen."""
    (tmp_path / "slip.yaml").write_text("model:\n  parrot: {wrods: 2}\nprompt:\n  - shout: {field: q, end: [1]}\n")
    said = promptkit("check", "slip.yaml")
    assert said.returncode == 2
    assert "slip.yaml:2:12: model.parrot.wrods: unknown key 'wrods'" in said.stderr
    assert "slip.yaml:4:28: prompt[0].shout.end: must be text, not [1]" in said.stderr


NO_MODULE = "ModuleNotFoundError: No module named 'no_such_module'"
WRONG = {
    "no_step": "(example_plugin:no_step) is no step: it must be a subclass of AlignStep",
    "of_another_seam": "(example_plugin:SameLength) is no step: it must be a subclass of AlignStep",
    "broken": f"(no_such_module:Step) cannot be loaded: {NO_MODULE}",
}


@pytest.mark.parametrize("step", ["{}", "first: [{}, number]"])
@pytest.mark.parametrize("name", WRONG)
def test_a_plug_in_that_is_wrong_is_one_error_at_its_place(promptkit, tmp_path, name, step):
    """Somebody else's mistake, told where it is used, without their traceback."""
    (tmp_path / "wrong.yaml").write_text(f"align:\n  - {step.format(name)}\n")
    said = promptkit("check", "wrong.yaml")
    assert said.returncode == 2
    first = said.stderr.splitlines()[0]
    assert first.startswith("wrong.yaml:2:")
    assert first.endswith(f": the plug-in {name!r} {WRONG[name]}")
    assert "Traceback" not in said.stderr
