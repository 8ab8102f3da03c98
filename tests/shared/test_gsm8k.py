"""GSM8K on the default model: what `promptkit run` writes is what transformers alone would have written.

$PROMPTKIT_GSM8K_ROWS and $PROMPTKIT_GSM8K_TOKENS ask for more than the few rows that the suite has time for.
"""

import os
import time

import pytest

from promptkit.run import Selection, Settings, load, run_pipeline

pytestmark = pytest.mark.slow

NUM_ROWS = int(os.environ.get("PROMPTKIT_GSM8K_ROWS", "4"))
MAX_NEW_TOKENS = int(os.environ.get("PROMPTKIT_GSM8K_TOKENS", "32"))


def one_by_one(plain_model, prompt, stop):
    """The new tokens of transformers' own greedy `generate`, for one prompt that stands alone."""
    import torch

    model, tokenizer = plain_model
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=MAX_NEW_TOKENS,
            stop_strings=list(stop),
            tokenizer=tokenizer,
            pad_token_id=tokenizer.eos_token_id,
        )
    return tuple(out[0, ids.shape[1] :].tolist())


def test_greedy_text_is_that_of_transformers_one_by_one(tasks, generator, plain_model, tmp_path):
    """The engine batches, pads and lets rows go; in float32 none of that may change a single token."""
    pipeline = load("gsm8k-cot", overrides=[f"generate.max_new_tokens={MAX_NEW_TOKENS}"])
    settings = Settings(
        selection=Selection(limit=NUM_ROWS, data_folder=tasks), out=tmp_path / "runs", store=tmp_path / "store.sqlite"
    )
    done = run_pipeline(pipeline, settings, generator=generator)
    assert len(done.records) == NUM_ROWS
    assert done.summary["completions"] == {"computed": NUM_ROWS, "from_store": 0}
    started = time.perf_counter()
    alone = [one_by_one(plain_model, record.prompt, pipeline.generate.stop) for record in done.records]
    print(f"\n{NUM_ROWS} rows, {MAX_NEW_TOKENS} new tokens at most; the run: {done.summary['timing']}")  # noqa: T201 - for `pytest -s`
    print(f"one by one: {time.perf_counter() - started:.1f} s; {done.summary['scores']}")  # noqa: T201
    assert [record.completion.token_ids for record in done.records] == alone
    _, tokenizer = plain_model
    for record, ids in zip(done.records, alone, strict=True):
        text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert record.completion.text == text.split("Q:")[0]
