"""Votes on the default model: samples that are several, and likelihoods that are the model's own."""

import pytest

from promptkit.run import Selection, Settings, load, rescore, run_pipeline
from tests.run.sums import folder_of

pytestmark = pytest.mark.slow

NUM_ROWS, NUM_SAMPLES = 3, 4


def log_likelihood(plain_model, record):
    """The log-likelihood of a record's tokens after its prompt, by one forward pass, summed in float64."""
    import torch

    model, tokenizer = plain_model
    before, new = tokenizer(record.prompt)["input_ids"], record.completion.token_ids
    with torch.inference_mode():
        shares = model(torch.tensor([[*before, *new]])).logits[0].double().log_softmax(-1)
    return sum(float(shares[len(before) + place - 1, token]) for place, token in enumerate(new))


def test_a_vote_weighs_four_samples_by_their_own_likelihood(generator, plain_model, tmp_path):
    """Drawn together from one shared prompt, each by a seed of its own; then decided again without the model."""
    (tmp_path / "vote.yaml").write_text(
        "extends: arithmetic\n"
        f"generate: {{samples: {NUM_SAMPLES}, temperature: 0.8, max_new_tokens: 48}}\n"
        "align:\n  - regex: {pattern: 'answer is (?P<answer>[^\\n]+)', take: last}\n  - number\n  - vote: likelihood\n"
    )
    settings = Settings(selection=Selection(limit=NUM_ROWS), out=tmp_path / "runs", store=tmp_path / "store.sqlite")
    done = run_pipeline(load(tmp_path / "vote.yaml"), settings, generator=generator)
    assert done.summary["completions"] == {"computed": NUM_ROWS * NUM_SAMPLES, "from_store": 0}
    for first in range(0, len(done.records), NUM_SAMPLES):
        samples = done.records[first : first + NUM_SAMPLES]
        assert len({each.completion.token_ids for each in samples}) > 1
    given = [each.completion.log_likelihood for each in done.records]
    assert given == pytest.approx([log_likelihood(plain_model, each) for each in done.records], abs=1e-3)
    again = rescore(folder_of(done))
    assert [each.decided for each in again.run.records] == [each.decided for each in done.records]
    assert sum(done.summary["statuses"].values()) == NUM_ROWS
    assert sum(done.summary["samples"]["statuses"].values()) == NUM_ROWS * NUM_SAMPLES
