"""A sweep over models has the weights of one in memory at a time, and its cells are what they are alone."""

import gc
import json
from dataclasses import replace
from weakref import WeakSet

import pytest

from promptkit.generate import Loading, Work
from promptkit.generate.engine.engine import Engine
from promptkit.run import Models, Settings, load_sweep, run_pipeline, run_sweep
from tests.models import save_tiny_llama

ROWS = [{"id": str(n), "review": "film " * n, "label": ("positive", "negative")[n % 2]} for n in range(1, 9)]
FILMS = f"""\
name: films
model: smollm2-135m
data:
  test: {{rows: {json.dumps(ROWS)}}}
  train:
    rows:
      - {{review: a lovely film, label: positive}}
      - {{review: dull and endless, label: negative}}
      - {{review: a lazy dog, label: negative}}
  target: "{{{{ label }}}}"
prompt:
  - demonstrations:
      from: train
      take: 1
      select: knn
      template: "Review: {{{{ review }}}} Sentiment: {{{{ label }}}}\\n"
  - query: "Review: {{{{ review }}}} Sentiment:"
choose: {{options: [positive, negative], lead: " "}}
score: [accuracy]
matrix:
  choose.lead: [" ", " so "]
  model: MODELS
"""
RACE = "  race: {every: 2, order: data}\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three models, each with an identity of its own."""
    sizes = (256, 320, 384)
    return [str(save_tiny_llama(tmp_path_factory.mktemp(str(size)), context_length=size)) for size in sizes]


@pytest.fixture
def sweep(write, folders, cache):
    """A function that reads the sweep over the three models."""
    return lambda more="": load_sweep(write(FILMS.replace("MODELS", json.dumps(folders)) + more))


@pytest.fixture
def engines():
    """What a run is watched by: it counts the engines that are alive at one time, but for those of other tests."""

    class Counting:
        def __init__(self):
            self.num = []

        def __call__(self, _):
            self.num.append(len(alive() - before))

    before = alive()
    return Counting()


def alive():
    """The engines that are alive, with the weights of a model each."""
    return WeakSet(each for each in gc.get_objects() if type(each) is Engine)


def settings(tmp_path, name="a", **loading):
    return Settings(
        out=tmp_path / "runs", store=tmp_path / f"{name}.sqlite", loading=Loading(dtype="float32", **loading)
    )


@pytest.mark.slow
def test_one_model_is_in_memory_at_a_time(sweep, engines, tmp_path):
    """Five models of a billion parameters do not fit the memory that one needs; `knn` asks each before anything is computed."""
    found = sweep()
    done = run_sweep(found, settings(tmp_path), engines)
    assert len(done.cells) == 6
    assert max(engines.num) == 1
    assert engines.num.count(1) >= 3
    for cell in done.cells:
        alone = run_pipeline(cell.cell.pipeline, settings(tmp_path, "alone"), is_written=False)
        assert [(each.id, each.answer) for each in cell.records] == [(each.id, each.answer) for each in alone.records]
        assert cell.summary["digest"] == alone.summary["digest"]


@pytest.mark.slow
def test_a_race_loads_models_again_in_every_round_where_they_may_not_stay(sweep, engines, tmp_path):
    """All cells see the same examples round by round, on whatever model they are; what comes of it is the same."""
    stayed = run_sweep(sweep(RACE), settings(tmp_path, "stayed"), engines)
    assert max(engines.num) == 3, "models as small as these may stay"
    engines.num.clear()
    done = run_sweep(sweep(RACE), settings(tmp_path, memory=4 * 10**9), engines)
    assert max(engines.num) == 1
    assert [each.answer for each in done.records] == [each.answer for each in stayed.records]
    assert done.summary["digest"] == stayed.summary["digest"]


@pytest.mark.slow
def test_audits_take_turns_too_and_are_no_part_of_the_sweeps_work(sweep, tmp_path):
    """The plain reference reads weights of its own."""
    how, models = settings(tmp_path), Models(Loading(dtype="float32"))
    run_sweep(sweep(), how)
    found = sweep()
    audited = run_sweep(found, replace(how, num_audited=2), models=models)
    assert [cell.summary["audit"]["agree"] for cell in audited.cells] == [2] * 6
    opened = [models.open(cell.pipeline.declaration.model) for cell in found.cells[:3]]
    assert [{"engine", "reference"} & vars(each).keys() for each in opened] == [set(), set(), {"reference"}]
    assert [audited.summary["timing"][name] for name in ("load_s", "prefill_s", "computed_prompt_tokens")] == [0] * 3


@pytest.mark.slow
def test_what_demonstrations_asked_is_the_sweeps_work(sweep, tmp_path):
    """As it is a run's: `knn` reads weights before the first plan is made."""
    models = Models(Loading(dtype="float32"))
    found = sweep()
    done = run_sweep(found, settings(tmp_path), models=models)
    opened = {
        cell.pipeline.declaration.model.label: models.open(cell.pipeline.declaration.model) for cell in found.cells
    }
    assert [each["load_s"] for each in done.summary["models"]] == [
        pytest.approx(each.work.load_s, abs=0.001) for each in opened.values()
    ]
    assert all(each.work != Work() for each in opened.values())
