"""Every shipped pipeline on the default model, and its choices against a computation by hand."""

import json

import pytest

from promptkit.run import Selection, Settings, load, run_pipeline
from promptkit.spec.shipped import shipped_pipelines

pytestmark = pytest.mark.slow


def is_from_hub(path):
    """Whether a shipped pipeline reads a data set of the hub, or with `--data` a folder."""
    data = load(path).declaration.data
    return data is not None and data.test is not None and data.test.hub is not None


PATHS = shipped_pipelines()
FROM_HUB = {name: is_from_hub(path) for name, path in PATHS.items()}


@pytest.fixture
def run(request, generator, tmp_path):
    """Runs a shipped pipeline on its first rows, with a store of its own. Only those of the hub need the shared data."""

    def run_shipped(name, limit, *overrides):
        folder = request.getfixturevalue("tasks") if FROM_HUB[name] else None
        selection = Selection(limit=limit, data_folder=folder)
        settings = Settings(selection=selection, out=tmp_path / "runs", store=tmp_path / "store.sqlite")
        return run_pipeline(load(name, overrides=overrides), settings, generator=generator)

    return run_shipped


@pytest.mark.parametrize("name", PATHS)
def test_every_shipped_pipeline_runs(run, name):
    """From data to scores; hub data sets from the folder that `--data` names."""
    pipeline = load(name)
    chooses = pipeline.declaration.choose is not None
    num = 2 if chooses else 2 * pipeline.generate.samples
    sections = [f"stages.{stage}.generate" for stage in pipeline.stages] or ([] if chooses else ["generate"])
    done = run(name, 2, *(f"{section}.max_new_tokens=8" for section in sections))
    assert len(done.records) == num
    assert pipeline.stages or done.summary["completions"] == {"computed": num, "from_store": 0}
    assert all(each.aligned_target is not None for each in done.records)
    assert sum(done.summary["statuses"].values()) == 2
    if not chooses:
        assert all(0 <= each.completion.num_new_tokens <= 8 for each in done.records)
    assert json.loads((done.folder / "run.json").read_text())["scores"] == done.scores


def log_likelihood(plain_model, prompt, option):
    """The option's log-likelihood after the prompt: one forward pass for these two alone, summed in float64."""
    import torch

    model, tokenizer = plain_model
    before = tokenizer(prompt)["input_ids"]
    ids = tokenizer(prompt + option)["input_ids"]
    assert ids[: len(before)] == before, "the join merges no tokens here"
    with torch.inference_mode():
        shares = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return sum(float(shares[place - 1, ids[place]]) for place in range(len(before), len(ids)))


@pytest.mark.parametrize(("name", "limit"), [("mmlu", 2), ("sentiment", 3)])
def test_option_scores_are_those_of_one_forward_pass_each(run, plain_model, name, limit):
    """To 1e-4 a score: batched, padded, one input for all options of a token each."""
    done = run(name, limit)
    for record in done.records:
        direct = {
            each.text: log_likelihood(plain_model, record.prompt, f" {each.text}") for each in record.completion.options
        }
        given = {each.text: each.log_likelihood for each in record.completion.options}
        assert given == pytest.approx(direct, abs=1e-4)
        assert record.completion.text == max(direct, key=lambda text: direct[text])
