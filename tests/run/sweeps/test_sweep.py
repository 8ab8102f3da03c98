"""A sweep gives each cell what a run of its own would give, computes once what cells share, and lies in one folder."""

import json
from dataclasses import replace

import pytest

import promptkit
from promptkit.errors import Interrupted, PromptkitError, RunError
from promptkit.run import Settings, SweepRun, load_cell, load_sweep, read_sweep, rescore, run_sweep, sweep_rows
from promptkit.run.folder import read_run
from promptkit.run.store import Store
from promptkit.score import mean_interval, spread
from tests.run.doubles import folders
from tests.run.sums import SUMS, folder_of
from tests.run.test_weighing import CHOICE, MAPPED

FILMS = """\
name: films
model: MODEL
data:
  test: {rows: ROWS}
  train:
    rows:
      - {review: a lovely film, label: positive}
      - {review: dull and endless, label: negative}
      - {review: the quick fox, label: positive}
      - {review: a lazy dog, label: negative}
  target: "{{ label }}"
prompt:
  - instruction: "Positive or negative?\\n"
  - demonstrations:
      {from: train, take: 1, select: random, template: "Review: {{ review }} Sentiment: {{ label }}\\n"}
  - query: "Review: {{ review }} Sentiment:"
HOW
matrix:
  prompt.demonstrations.take: [0, 1, 3]
  prompt.demonstrations.seed: [0, 1]
"""
WRITES = "generate: {max_new_tokens: 6}\nalign: [strip]\nscore: [exact_match]"
SAMPLES = "generate: {max_new_tokens: 5, samples: 3, temperature: 0.9}\nalign: [strip, vote]\nscore: [exact_match]"
CHOOSES = "choose: {options: [positive, negative], lead: ' '}\nscore: [accuracy]"
ROWS = [{"id": str(n), "review": "film " * n, "label": ("positive", "negative")[n % 2]} for n in range(1, 7)]
SHORT = f'{SUMS}matrix:\n  prompt.query: ["Q: {{{{ question }}}}?\\nA:", "{{{{ question }}}} ="]\n'


@pytest.fixture
def films(write, tiny_model, cache):
    """A function that writes the sweep on the tiny model."""

    def films(how=CHOOSES):
        text = FILMS.replace("HOW", how).replace("ROWS", json.dumps(ROWS)).replace("MODEL", str(tiny_model))
        return write(text, "films.yaml")

    return films


def sweep_of(path, places, **options):
    done = promptkit.run(path, **places, **options)
    assert isinstance(done, SweepRun)
    return done


@pytest.mark.slow
@pytest.mark.parametrize("how", [WRITES, SAMPLES, CHOOSES], ids=["writes", "samples", "chooses"])
def test_every_cell_is_what_a_run_of_its_own_is(films, places, tmp_path, how):
    """Sharing across cells must change nothing: records, scores and digest are equal, in float32."""
    path = films(how)
    swept = sweep_of(path, places, dtype="float32")
    assert len(swept.cells) == 6
    for cell in swept.cells:
        alone = promptkit.run(
            load_cell(path, cell.cell.number), dtype="float32", out=None, store=tmp_path / f"{cell.cell.number}.sqlite"
        )
        assert plain(cell.records) == plain(alone.records)
        assert likelihoods(cell.records) == pytest.approx(likelihoods(alone.records), abs=1e-3)
        assert cell.scores == alone.scores
        assert cell.summary["digest"] == alone.summary["digest"]


def plain(records):
    """Records without who was first, and without log-likelihoods, whose last bits depend on the order of a sum."""
    return [replace(each, from_store=False, completion=without_likelihoods(each.completion)) for each in records]


def without_likelihoods(completion):
    options = tuple(replace(each, log_likelihood=0.0) for each in completion.options)
    return replace(completion, options=options, log_likelihood=None)


def likelihoods(records):
    completions = [record.completion for record in records]
    return [
        *(each.log_likelihood or 0.0 for each in completions),
        *(option.log_likelihood for each in completions for option in each.options),
    ]


STAGED = """\
name: staged
model: MODEL
data: {test: {rows: ROWS}, target: "{{ label }}"}
stages:
  - name: reason
    prompt: [query: "Review: {{ review }} Sentiment:"]
    generate: {max_new_tokens: 5}
    align: [strip]
  - name: answer
    continue: reason
    prompt: [cue: " So it is"]
    generate: {max_new_tokens: 4}
    align: [strip]
matrix:
  stages.reason.generate.max_new_tokens: [3, 5]
  stages.answer.prompt.cue: [" So it is", " Therefore"]
"""


@pytest.mark.slow
def test_cells_of_stages_go_stage_by_stage_together(write, places, tiny_model, cache, tmp_path):
    """A path goes by a stage's name; the first stage of two cells is the same request, and made once."""
    path = write(STAGED.replace("ROWS", json.dumps(ROWS)).replace("MODEL", str(tiny_model)), "staged.yaml")
    swept = sweep_of(path, places, dtype="float32")
    assert [cell.summary["completions"] for cell in swept.cells] == [
        {"computed": 12, "shared": 0, "from_store": 0},
        {"computed": 6, "shared": 6, "from_store": 0},
    ] * 2
    for cell in swept.cells:
        alone = promptkit.run(
            load_cell(path, cell.cell.number), dtype="float32", out=None, store=tmp_path / f"{cell.cell.number}.sqlite"
        )
        assert [each.completion.text for each in cell.records] == [each.completion.text for each in alone.records]
        assert cell.summary["stages"] == alone.summary["stages"]


@pytest.mark.slow
def test_what_cells_share_is_computed_once(films, places, tmp_path):
    """Prefixes that cells have in common, and requests that are the same: no demonstrations have no seed."""
    path = films()
    swept = sweep_of(path, places, dtype="float32")
    alone = [
        promptkit.run(load_cell(path, number), dtype="float32", out=None, store=tmp_path / f"{number}.sqlite")
        for number in range(6)
    ]
    separate = sum(each.summary["timing"]["computed_prompt_tokens"] for each in alone)
    assert swept.summary["timing"]["computed_prompt_tokens"] < separate
    assert swept.summary["completions"] == {"computed": 24, "shared": 12, "from_store": 0}
    assert [cell.summary["completions"]["shared"] for cell in swept.cells] == [0, 6, 0, 6, 0, 0], "both draw the same"
    again = sweep_of(path, places, dtype="float32")
    assert again.summary["completions"] == {"computed": 0, "shared": 0, "from_store": 36}
    assert again.folder == swept.folder


def test_one_folder_holds_all_cells(write, places):
    """`sweep.json` with a summary a cell, and one table with the cell and a column for each path."""
    done = sweep_of(write(SHORT), places)
    folder = folder_of(done)
    assert folder.name == f"sums--sweep--{done.summary['digest'][:8]}"
    assert folders(places["out"]) == [folder.name]
    assert folders(folder) == ["samples.parquet", "sweep.json"]
    summary = read_sweep(folder)
    assert summary["paths"] == ["prompt.query"]
    assert [cell["scores"]["exact_match"]["value"] for cell in summary["cells"]] == [0.25, 0.25]
    table = done.to_arrow()
    assert table.column_names[:3] == ["cell", "prompt.query", "id"]
    assert table["cell"].to_pylist() == [0] * 4 + [1] * 4
    assert done.to_pandas()["prompt.query"].nunique() == 2
    assert done.cells_to_pandas()["exact_match"].tolist() == [0.25, 0.25]


def test_a_path_that_is_called_as_a_column_of_the_records_has_one_of_its_own(write, places):
    """Two columns of one name cannot be read again."""
    text = f'{SUMS}matrix:\n  prompt: [[query: "{{{{ question }}}}?"], [query: "{{{{ question }}}} ="]]\n'
    folder = folder_of(sweep_of(write(text), places))
    rows = sweep_rows(folder)
    assert [row["prompt"] for row in rows][3:5] == ["4 + 4?", "1 + 1 ="]
    assert rows[0]["matrix.prompt"] == '[{"query": "{{ question }}?"}]'
    assert read_run(folder / "1")[1][0]["prompt"] == "1 + 1 ="


def test_cells_are_a_table_whatever_kinds_of_values_a_path_has(write, places):
    """A step may be written as a name or as a map; one column holds both as JSON."""
    text = f"{SUMS}matrix:\n  align: [[strip], [{{regex: 'is (.*)'}}, number]]\n"
    table = sweep_of(write(text), places).cells_to_arrow()
    assert table["align"].to_pylist() == ['["strip"]', '[{"regex": "is (.*)"}, "number"]']


def test_a_cell_of_the_folder_is_read_as_a_run(write, places):
    """SWEEP/N, so that `score`, `explain` and `extract` know it; the folder as a whole is no run."""
    done = sweep_of(write(SHORT), places)
    cell = done.cells[1]
    summary, rows = read_run(folder_of(cell))
    assert summary["settings"] == {"prompt.query": "{{ question }} ="}
    assert rows == cell.to_arrow().to_pylist()
    assert rescore(folder_of(cell)).run.scores == cell.scores
    with pytest.raises(RunError, match=r"is a sweep of 2 cells\n    '.*/0' is its first, and so on to 1$"):
        read_run(folder_of(done))
    with pytest.raises(RunError, match=r"has no cell 2: it has 2, counted from 0$"):
        read_run(folder_of(done) / "2")


def test_cells_may_weigh_scores_and_others_not(write, places):
    """Over the same completions; each cell is scored again as what it is, by what was asked for it alone."""
    mapped = "[label_map: {to: [0, 1]}], [label_map: {to: [0, 1], method: frequency}]"
    for text, chains in ((CHOICE, "[contextual], [strip], [batch]"), (MAPPED, mapped)):
        done = sweep_of(write(f"{text}matrix: {{align: [{chains}]}}\n"), places)
        assert done.summary["completions"]["computed"] < sum(done.summary["completions"].values())
        for cell in done.cells:
            again = rescore(folder_of(cell))
            assert again.run.scores == cell.scores
            assert again.changed == ()
            alone = promptkit.run(cell.cell.pipeline, out=None, store=places["store"])
            assert [each.answer for each in cell.records] == [each.answer for each in alone.records]


def test_means_over_seeds_have_two_intervals(films, places):
    """One says how far the seed moves the score, the other how far the examples would."""
    done = sweep_of(films(), places, dtype="float32")
    groups = done.summary["over_seeds"]
    assert [(group["settings"], group["cells"]) for group in groups] == [
        ({"prompt.demonstrations.take": take}, [2 * place, 2 * place + 1]) for place, take in enumerate((0, 1, 3))
    ]
    cells = done.cells[4:]
    found, values = groups[2]["scores"]["accuracy"], [cell.scores["accuracy"]["value"] for cell in cells]
    expected = spread(values)
    assert (found["value"], found["deviation"], found["low"], found["high"], found["num"]) == (
        expected.mean, expected.deviation, expected.low, expected.high, 2,
    )  # fmt: skip
    by_example = [
        sum(record.scores["accuracy"] for record in pair) / 2 for pair in zip(*(c.records for c in cells), strict=True)
    ]
    examples = mean_interval(by_example)
    assert (found["over_examples"]["low"], found["over_examples"]["high"]) == (examples.low, examples.high)


def test_a_seed_that_changes_nothing_gives_no_interval(films, places):
    """`[50.0, 50.0]` over draws that were all one draw would be a certainty that nobody measured."""
    groups = sweep_of(films(), places, dtype="float32").summary["over_seeds"]
    assert groups[0]["is_one_draw"], "without demonstrations nothing is drawn"
    assert not groups[2]["is_one_draw"]
    score = groups[0]["scores"]["accuracy"]
    assert (score["num"], score["deviation"], score["low"], score["high"]) == (2, None, None, None)
    assert score["over_examples"]["low"] < score["value"] < score["over_examples"]["high"]


def test_plans_that_fail_are_told_before_anything_is_computed(write, places):
    """All cells' mistakes, each once, with the cells that make them."""
    path = write(f'{SUMS}matrix: {{prompt.query: ["{{{{ question }}}}", "{{{{ qestion }}}}", "{{{{ nothing }}}}"]}}\n')
    with pytest.raises(RunError) as caught:
        promptkit.run(path, **places)
    said = str(caught.value)
    assert "cell 1 (prompt.query: '{{ qestion }}'): " in said
    assert "cell 2 (prompt.query: '{{ nothing }}'): " in said
    assert not places["store"].exists()
    assert folders(places["out"]) == []


def test_what_is_wrong_in_all_cells_is_told_as_of_one(write, places):
    """A missing data file has nothing to do with the matrix."""
    with pytest.raises(PromptkitError) as alone:
        promptkit.run(write(SUMS), split="gone", **places)
    with pytest.raises(PromptkitError) as swept:
        promptkit.run(write(f"{SUMS}matrix: {{generate.seed: [1, 2]}}\n"), split="gone", **places)
    assert str(swept.value) == str(alone.value)


def test_models_come_one_after_another(write, places):
    """Each with the cells that want it, whatever the order of the matrix."""
    other = "{scripted: [{when: '.', completion: ' The answer is 2.'}]}"
    first = "{scripted: [{when: '.', completion: ' The answer is 4.'}]}"
    done = sweep_of(write(f"{SUMS}matrix:\n  generate.seed: [1, 2]\n  model: [{first}, {other}]\n"), places)
    answers = [{record.answer for record in cell.records} for cell in done.cells]
    assert answers == [{4}, {2}, {4}, {2}]
    assert len(done.summary["models"]) == 2


def test_a_sweep_that_was_stopped_goes_on(write, places, monkeypatch):
    """What was computed is in the store; the same command needs no more than the rest."""
    sweep = load_sweep(write(SHORT))
    assert sweep is not None
    settings = Settings(out=places["out"], store=places["store"])
    kept: list[object] = []
    real = Store.put

    def stopping(self, *given):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(given)
        return real(self, *given)

    monkeypatch.setattr(Store, "put", stopping)
    with pytest.raises(Interrupted, match="the same command goes on from there"):
        run_sweep(sweep, settings)
    assert folders(places["out"]) == []
    monkeypatch.setattr(Store, "put", real)
    assert run_sweep(sweep, settings).summary["completions"] == {"computed": 5, "shared": 0, "from_store": 3}


def test_limit_counts_in_each_cell(write, places):
    """As it does for a run."""
    assert [len(cell.records) for cell in sweep_of(write(SHORT), places, limit=3).cells] == [3, 3]
