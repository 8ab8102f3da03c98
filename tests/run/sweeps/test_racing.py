"""A race stops cells that are clearly worse, keeps what they have, and ranks them with none that went on."""

import pytest

import promptkit
from promptkit.errors import DeclarationError, RunError
from promptkit.run import SweepRun, rescore
from promptkit.run.sweeps.matrix import Race
from promptkit.run.sweeps.racing import drop, in_order
from tests.run.sums import folder_of

ROWS = "".join(f"      - {{id: r{n}, question: {n}, answer: '{n}'}}\n" for n in range(100))
QUIZ = f"""\
name: quiz
model:
  scripted:
    - {{when: 'Bad \\d*7:', completion: " The answer is 0."}}
    - {{when: 'Bad (?P<n>\\d+):', completion: " No idea."}}
    - {{when: 'Fair (?P<n>\\d*[02468]):', completion: " No idea."}}
    - {{when: '(Good|Fine|Fair)', completion: " The answer is 1."}}
data:
  test:
    rows:
{ROWS}  target: "1"
prompt:
  - query: "Good {{{{ question }}}}:"
align:
  - regex: 'answer is (?P<answer>\\d+)'
  - number
matrix:
  prompt.query: ["Good {{{{ question }}}}:", "Bad {{{{ question }}}}:", "Fair {{{{ question }}}}:", "Fine {{{{ question }}}}:"]
"""


@pytest.fixture
def raced(write, places):
    """A function that runs the race."""
    return lambda race, **options: promptkit.run(write(f"{QUIZ}  race: {{{race}}}\n"), **places, **options)


def test_clearly_worse_cells_stop_and_the_others_go_on(raced):
    """After the first round in which the test is sure; the cells that never differ both stay."""
    done = raced("every: 20, keep: 0.25")
    assert [cell.dropped_after for cell in done.cells] == [None, 20, 20, None]
    assert [len(cell.records) for cell in done.cells] == [100, 20, 20, 100]
    worst = done.cells[1].summary
    assert (worst["dropped_after"], worst["dropped_for"]) == (20, 0)
    assert worst["p_value"] <= 0.05
    assert done.summary["completions"]["computed"] == 240
    assert done.summary["scores"]["exact_match"]["num"] == 2


def test_a_round_leaves_at_least_the_share_to_keep(raced):
    """Three quarters of four are three, and of three as well: the clearest of the worse goes, the other stays."""
    done = raced("every: 20, keep: 0.75")
    assert [cell.dropped_after for cell in done.cells] == [None, 20, None, None]


@pytest.mark.parametrize(("keep", "num", "kept"), [(0.07, 100, 7), (0.28, 25, 7), (0.55, 100, 55), (0.5, 5, 3)])
def test_the_share_to_keep_is_rounded_up_as_it_is_written(keep, num, kept):
    """0.07 * 100 is more than 7 in binary numbers."""
    scores = [[1.0] * 40, *[[0.0] * 40] * (num - 1)]
    assert num - len(drop(Race(keep=keep), scores, num_tests=num - 1)) == kept


def test_cells_that_go_on_are_as_without_a_race(raced, write, places):
    """Nothing of the race is left in their records."""
    plain = promptkit.run(write(QUIZ), **places)
    assert isinstance(plain, SweepRun)
    done = raced("every: 30")
    for cell in (0, 3):
        assert [(each.id, each.answer, each.prompt) for each in done.cells[cell].records] == [
            (each.id, each.answer, each.prompt) for each in plain.cells[cell].records
        ]
        assert done.cells[cell].summary["digest"] == plain.cells[cell].summary["digest"]


def test_all_cells_see_the_same_examples_in_a_declared_order(raced):
    """The data's own, or one that the seed draws: sorted data would judge by one class."""
    done = raced("every: 20, order: data")
    assert [record.id for record in done.cells[1].records] == [f"r{n}" for n in range(20)]
    drawn = {record.id for record in raced("every: 20").cells[1].records}
    assert drawn == set(in_order([f"r{n}" for n in range(100)], Race(), 0)[:20])


def test_a_race_comes_out_the_same_again(raced):
    """The second time, all of it from the store."""
    first, second = raced("every: 20"), raced("every: 20")
    assert [cell.dropped_after for cell in first.cells] == [cell.dropped_after for cell in second.cells]
    assert second.folder == folder_of(first)
    assert second.summary["completions"] == {
        "computed": 0,
        "shared": 0,
        "from_store": first.summary["completions"]["computed"],
    }


def test_cells_over_different_examples_cannot_race(write, places):
    """They are compared example by example."""
    rows = (
        "data.test.rows: [[{id: a, question: 1}, {id: b, question: 2}], [{id: a, question: 1}, {id: c, question: 3}]]"
    )
    path = write(f"{QUIZ}  {rows}\n  race: {{every: 1}}\n")
    with pytest.raises(RunError, match=r"race: cells 0 and 1 are asked about different examples"):
        promptkit.run(path, **places)


def test_a_metric_that_is_not_there_is_told(write, places):
    """Before anything is computed."""
    with pytest.raises(DeclarationError, match=r"matrix\.race\.metric: cell 0 has no metric 'acuracy'"):
        promptkit.run(write(f"{QUIZ}  race: {{metric: acuracy}}\n"), **places)
    assert not places["store"].exists()


CHOOSING = (
    r"""
name: choosing
model:
  scripted:
    - {when: 'Think', completion: " Hm."}
    - {when: 'Good a \d+\. So$', completion: pos, scores: {pos: -0.1, neg: -2.3}}
    - {when: 'Bad a \d*[01]\. So$', completion: neg, scores: {pos: -0.9, neg: -0.5}}
    - {when: 'So$', completion: neg, scores: {pos: -2.3, neg: -0.1}}
    - {when: 'since$', completion: " so."}
data:
  test:
    rows:
"""
    + ROWS.replace("question: ", "question: a ")
    + "  target: pos\n"
)
PICK = """\
{0}prompt: [query: "Good {{{{ question }}}}. So"]
{0}choose: {{options: [pos, neg]}}
{0}align: [{1}]
"""
STAGES = """\
stages:
  - name: think
    prompt: [query: "Think of {{ question }}:"]
  - name: pick
    answers: true
    if_missing: go_on
%s  - name: why
    continue: pick
    when: "{{ stages.pick.answer == 'neg' }}"
    prompt: [cue: ", since"]
"""
MATRIX = """\
matrix:
  %sprompt.query: ["Good {{ question }}. So", "Bad {{ question }}. So"]
  race: {every: 20, keep: 0.5}
"""


@pytest.mark.parametrize("step", ["strip", "batch: 0.1", "pmi: since"])
def test_pipelines_of_stages_race_as_others_do(write, places, step):
    """A round takes its examples through all stages; one that runs for few rows of a cell, or for none, is no obstacle."""
    text = CHOOSING + STAGES % PICK.format("    ", step) + MATRIX % "stages.pick."
    done = promptkit.run(write(text), **places)
    assert isinstance(done, SweepRun)
    assert [cell.dropped_after for cell in done.cells] == [None, 20]
    assert [len(cell.records) for cell in done.cells] == [100, 20]
    assert [cell.summary["stages"]["why"]["num_ran"] for cell in done.cells] == [0, 20]
    for cell in done.cells:
        again = rescore(folder_of(cell))
        assert again.changed == ()
        for name in ("scores", "statuses", "stages"):
            assert again.run.summary[name] == cell.summary[name]


def test_words_drawn_from_all_rows_are_drawn_from_those_of_a_round(write, places):
    """In a race a run is as large as its round; the cell that stops is scored again as it was."""
    done = promptkit.run(write(CHOOSING + PICK.format("", "domain_context: 8") + MATRIX % ""), **places)
    assert isinstance(done, SweepRun)
    assert [cell.dropped_after for cell in done.cells] == [None, 20]
    assert rescore(folder_of(done.cells[1])).changed == ()
