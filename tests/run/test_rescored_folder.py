"""A run that is scored again and written: a run like any other, so that parsers are compared example by example."""

import json

import pytest

import promptkit
from promptkit.errors import RunError
from promptkit.run import compare_runs, load, rescore, write_rescored
from promptkit.run.folder import read_fitting, read_run
from tests.run.sums import SUMS, folder_of

OTHER = r"""
align:
  - first:
      - [regex: 'makes (\d+)']
      - [regex: 'is (?P<answer>\S)', map: {"5": "4"}]
  - number
score: [exact_match]
"""


def written(done, out, other=None):
    """The run scored again by another pipeline, and written."""
    return write_rescored(rescore(folder_of(done), other), folder_of(done), out, other)


def test_what_moved_is_the_parser(write, places, tmp_path):
    """'What would another parser have said?': nothing else differs, and so nothing else is named."""
    done = promptkit.run(write(), **places)
    again = written(done, tmp_path / "again", load(write(OTHER, "other.yaml")))
    (pair,) = compare_runs([folder_of(done), tmp_path / "again"]).pairs
    assert pair.causes == {"parser": (1, 0)}
    assert [each.id for each in pair.flips] == ["b"]
    assert {each.part for each in pair.moved} == {"O"}
    assert again.run.folder == tmp_path / "again"


def test_the_folder_says_what_it_is(write, places, tmp_path):
    """Whose completions these are, by what they were read; and nothing of the model's work, which is not this run's."""
    done = promptkit.run(write(), **places)
    other = load(write(OTHER, "other.yaml"))
    written(done, tmp_path / "again", other)
    before, _ = read_run(folder_of(done))
    summary, rows = read_run(tmp_path / "again")
    assert summary["rescored"] == {"run": str(folder_of(done)), "with": str(other.file), "changed": 1}
    assert summary["identity"] == before["identity"]
    assert summary["digest"] != before["digest"]
    assert "timing" not in summary
    assert [row["completion"] for row in rows] == [each.completion.text for each in done.records]


def test_it_is_read_as_any_run_is(write, places, tmp_path):
    """Scored once more by its own sections, it says the same; a chain's file lies beside the file that names it."""
    done = promptkit.run(write(), **places)
    (tmp_path / "elsewhere").mkdir()
    write(OTHER, "elsewhere/mine.yaml")
    other = load(write("align: {use: mine.yaml}\n", "elsewhere/other.yaml"))
    once = written(done, tmp_path / "again", other)
    twice = rescore(tmp_path / "again")
    assert twice.changed == ()
    assert twice.run.scores == once.run.scores


STAGES = (
    SUMS[: SUMS.index("prompt:")]
    + """\
stages:
  - {name: reason, prompt: [query: "Q: {{ question }}?"]}
  - {name: conclude, prompt: [query: "{{ question }} so"], align: [{regex: 'answer is (.)'}, number]}
"""
)
BY_STAGE = """
stages:
  - {name: reason, prompt: [cue: x]}
  - {name: conclude, prompt: [cue: x], align: [{regex: 'is (.)'}, {map: {"5": "4", "2": "2", "6": "6", "8": "8"}}]}
"""


@pytest.mark.parametrize("other", [OTHER, BY_STAGE], ids=["one chain", "a chain for each stage"])
def test_the_parser_is_what_moved_in_a_pipeline_of_stages(write, places, tmp_path, other):
    """A row holds what each stage answered; of the one that was read again, what it answers now."""
    done = promptkit.run(write(STAGES), **places)
    written(done, tmp_path / "again", load(write(other, "other.yaml")))
    (pair,) = compare_runs([folder_of(done), tmp_path / "again"]).pairs
    assert pair.causes == {"parser": (1, 0)}
    assert {each.part for each in pair.moved} == {"O"}
    assert rescore(tmp_path / "again").changed == ()


FITTED = SUMS[: SUMS.index("align:")] + "choose: {options: ['2', '5', '6', '8']}\nalign: [label_map: {from: train}]\n"
FITTED = FITTED.replace("  target:", "  train: {rows: [{id: s, question: 1 + 1 + 0, answer: '2'}]}\n  target:")


def test_solved_rows_go_with_it(write, places, tmp_path):
    """What a step of O was fitted on is needed as often as it is scored."""
    done = promptkit.run(write(FITTED.replace('answer: "4"', 'answer: "5"')), **places)
    assert read_fitting(folder_of(done))
    written(done, tmp_path / "again")
    assert read_fitting(tmp_path / "again") == read_fitting(folder_of(done))
    assert rescore(tmp_path / "again").changed == ()


def test_nothing_else_is_written_over(write, places, tmp_path):
    """`--out` of `run` is the folder of runs, which this must never take the place of; an older one of its kind it may."""
    done = promptkit.run(write(), **places)
    again = tmp_path / "again"
    for out in (places["out"], folder_of(done)):
        with pytest.raises(RunError) as caught:
            written(done, out)
        assert str(caught.value) == (
            f"{str(out)!r} is there already, and is no other run that was scored again\n"
            "    --out names the folder that is to be made"
        )
    written(done, again)
    written(done, again, load(write(OTHER, "other.yaml")))
    with pytest.raises(RunError, match="no other run that was scored again"):
        write_rescored(rescore(again), again, again)
    assert json.loads((again / "run.json").read_text())["rescored"]["changed"] == 1
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith(".")) == []
