"""`score`: a finished run is read, aligned and scored again, and no model is asked."""

import json
import shutil

import pytest

import promptkit
from promptkit.errors import DataError, PromptkitError, RunError
from promptkit.run import load, rescore
from tests.run.sums import SUMS, folder_of

KEPT = ("pipeline", "model", "num_examples", "num_samples", "scores", "statuses")


def outcomes(run):
    return [(each.id, each.sample, each.outcome, dict(each.scores)) for each in run.records]


def test_a_run_scored_again_is_the_run(write, places):
    """The folder holds all that the scores were made of; spans and reasons come out the same."""
    done = promptkit.run(write(), **places)
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    assert {name: again.run.summary[name] for name in KEPT} == {name: done.summary[name] for name in KEPT}
    assert again.before["scores"] == done.scores
    assert again.changed == ()


def test_scoring_again_changes_nothing_on_disk(write, places):
    """The run is what was run; a new parser's numbers are printed and not written over it."""
    done = promptkit.run(write(), **places)
    before = {path.name: path.read_bytes() for path in folder_of(done).iterdir()}
    rescore(folder_of(done), load(write(OTHER, "other.yaml")))
    assert {path.name: path.read_bytes() for path in folder_of(done).iterdir()} == before


OTHER = r"""
align:
  - first:
      - [regex: 'answer is (?P<answer>\S+)', number]
      - [regex: 'cannot (?P<answer>\w+)']
score:
  - exact_match: {as: exact}
"""


def test_another_files_align_and_score_are_put_in_their_place(write, places):
    """A parser is changed without computing a token, and the samples whose answer changed are named."""
    done = promptkit.run(write(), **places)
    again = rescore(folder_of(done), load(write(OTHER, "other.yaml")))
    assert [each.answer for each in again.run.records] == [2, 5, "say", None]
    assert again.changed == ("c",)
    assert again.run.summary["statuses"] == {"answered": 3, "unparsed": 0, "truncated": 0, "ambiguous": 0, "empty": 1}
    assert list(again.run.scores) == ["exact"]


def test_a_target_that_the_other_chain_could_not_give_is_an_error(write, places):
    """As it is before a run: it would count against the model for ever."""
    text = SUMS.replace("  - number\n", "").replace('answer: "4"', "answer: many")
    done = promptkit.run(write(text), **places)
    with pytest.raises(DataError) as caught:
        rescore(folder_of(done), load(write("align: [number]", "other.yaml")))
    assert str(caught.value) == (
        "data.test.rows[1]: no completion could give the target 'many': 'many' is not a number"
    )


def test_so_is_one_of_a_row_that_no_answering_stage_ran_for(write, places):
    """Its outcome stays, and its target is read as all are."""
    text = SUMS[: SUMS.index("prompt:")].replace('answer: "6"', "answer: many") + (
        "stages:\n  - {name: reason, prompt: [query: '{{ question }}']}\n"
        "  - {name: conclude, when: '{{ question != \"3 + 3\" }}', continue: reason, prompt: [cue: ' So'], align: [strip]}\n"
    )
    done = promptkit.run(write(text), **places)
    assert done.records[2].outcome.step == "stages"
    with pytest.raises(DataError, match="could give the target 'many': 'many' is not a number"):
        rescore(folder_of(done), load(write("align: [number]", "other.yaml")))


CHOICE = """
model:
  scripted:
    - {when: one, completion: x, scores: {x: -1.25, 'red car': -2.0}}
    - {when: two, completion: x, scores: {x: -3.0, 'red car': -3.0}}
data: {test: {rows: [{q: one, a: red car}, {q: two, a: x}]}, target: "{{ a }}"}
prompt: [query: "{{ q }}"]
choose: {options: [x, red car], normalize: byte}
"""


def test_a_choice_scored_again_keeps_its_normalization_and_its_ties(write, places):
    """What was chosen stands in the run; a tie by normalized scores cannot be seen in the texts alone."""
    done = promptkit.run(write(CHOICE.replace("normalize: byte", "normalize: raw")), **places)
    assert [each.outcome.status for each in done.records] == ["answered", "ambiguous"]
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    assert again.changed == ()
    by_byte = promptkit.run(write(CHOICE), **places)
    assert [each.answer for each in by_byte.records] == ["red car", "red car"]
    assert outcomes(rescore(folder_of(by_byte)).run) == outcomes(by_byte)


def test_samples_are_kept_apart(write, places):
    """Each has its own outcome, and the average is taken by example again."""
    text = """
model: {scripted: [{when: "", completion: ["1", "2", ""]}]}
data: {test: {rows: [{q: A, a: "1"}]}, target: "{{ a }}"}
prompt: [query: "{{ q }}"]
generate: {samples: 3, temperature: 1.0}
"""
    done = promptkit.run(write(text), **places)
    again = rescore(folder_of(done))
    assert outcomes(again.run) == outcomes(done)
    assert again.run.scores == done.scores


def test_a_run_outlives_the_files_that_it_was_made_with(write, places, tmp_path):
    """`run.json` holds the pipeline as it was: file, templates and data may be gone, or moved, or changed."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "query.jinja").write_text("Q: {{ question }}?\nA:")
    (home / "rows.jsonl").write_text('{"question": "1 + 1", "answer": "2"}\n')
    text = SUMS[: SUMS.index("  test:")] + "  test: rows.jsonl\n" + SUMS[SUMS.index("  target:") :]
    path = write(text.replace('"Q: {{ question }}?\\nA:"', "query.jinja"), "home/sums.yaml")
    done = promptkit.run(path, **places)
    shutil.rmtree(home)
    moved = folder_of(done).rename(tmp_path / "kept")
    again = rescore(moved)
    assert outcomes(again.run) == outcomes(done)
    assert again.run.summary["run"] == str(moved)


def test_a_run_of_a_pipeline_that_extends_another_is_read_again(write, places, tmp_path):
    """Templates of the lower file lie beside that one."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "query.jinja").write_text("Q: {{ question }}?\nA:")
    write(SUMS.replace('"Q: {{ question }}?\\nA:"', "query.jinja"), "below/sums.yaml")
    done = promptkit.run(write("extends: below/sums.yaml\nname: above\nalign: [number]\n", "above.yaml"), **places)
    assert outcomes(rescore(folder_of(done)).run) == outcomes(done)


def test_answers_that_json_cannot_say_are_no_change(write, places, tmp_path):
    """Tuples, dates: a run's table holds them as JSON, and the chain gives them again as they were."""
    (tmp_path / "own.py").write_text(
        "import datetime\n\n\ndef both(text, fields):\n    return (text.strip(), datetime.date(2026, 11, 23))\n"
    )
    text = SUMS.replace("  - number\n", "").replace(
        "  - regex: 'answer is (?P<answer>\\S+)'\n", "  - python: own:both\n"
    )
    done = promptkit.run(load(write(text), allow_code=True), **places)
    assert [each.outcome.status for each in done.records] == ["answered"] * 4
    assert rescore(folder_of(done), allow_code=True).changed == ()


def test_code_in_a_run_needs_leave_again(write, places, tmp_path):
    """A run folder may come from somebody else."""
    (tmp_path / "own.py").write_text("def last(text, fields):\n    return text.split()[-1]\n")
    text = SUMS.replace("  - number\n", "  - python: own:last\n")
    done = promptkit.run(load(write(text), allow_code=True), **places)
    with pytest.raises(PromptkitError, match="--allow-code"):
        rescore(folder_of(done))


@pytest.mark.parametrize("lost", ["declaration", "folder", "file"])
def test_a_run_that_lacks_something_is_one_error(write, places, lost):
    """A folder of an older version, or one that was edited by hand."""
    done = promptkit.run(write(), **places)
    summary = json.loads((folder_of(done) / "run.json").read_text())
    del summary[lost]
    (folder_of(done) / "run.json").write_text(json.dumps(summary))
    with pytest.raises(RunError) as caught:
        rescore(folder_of(done))
    assert (
        str(caught.value)
        == f"the run {str(folder_of(done))!r}: run.json has no {lost!r}, or it is not what a run writes there"
    )


def test_a_pipeline_that_cannot_be_read_any_more_is_one_error(write, places):
    """A step that this version does not have."""
    done = promptkit.run(write(), **places)
    summary = json.loads((folder_of(done) / "run.json").read_text())
    summary["declaration"]["align"] = ["numbre"]
    (folder_of(done) / "run.json").write_text(json.dumps(summary))
    with pytest.raises(RunError, match="its pipeline cannot be read again: no step is called 'numbre'"):
        rescore(folder_of(done))


RUN_ON = r"""
model:
  scripted: [{when: Sum, completion: "It is a 5, I say.\nSum: 2 + 2\nIt is a 4, I say."}]
data: {test: {rows: [{id: a, question: 2 + 3}]}, target: "5"}
prompt: [{query: "Sum: {{ question }}\n"}]
align: [run_on, {number: last}]
"""


def test_a_run_and_its_rescoring_cut_at_the_prompts_own_format(write, places):
    """What a model asks itself after its answer is no part of it; only the prompt's template tells how that begins."""
    done = promptkit.run(write(RUN_ON), **places)
    assert [each.answer for each in done.records] == [5]
    assert [each.answer for each in rescore(folder_of(done)).run.records] == [5]
