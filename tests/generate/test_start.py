"""A model that was loaded before starts without transformers, and computes what it computed."""

import json
import subprocess
import sys

import pytest

from promptkit.generate import Loading, Request, Sampling
from promptkit.generate.local_generator import LocalGenerator
from promptkit.generate.outline import OUTLINE, TRIAL, start_folder
from tests.architectures import tiny

pytestmark = pytest.mark.slow  # loads models

LINEAR = {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0}}
USUAL = [
    ("llama", {}, "float32"),
    ("llama", {"tie_word_embeddings": True}, "bfloat16"),
    ("llama", LINEAR, "float32"),
    ("mistral", {}, "bfloat16"),
    ("qwen2", {}, "bfloat16"),
]


def requests(generator):
    texts = ["Q: How many apples are there? A:", "Q: How many pears are there? A:", "a film", "Q"]
    rows = [generator.tokenizer.encode(text) for text in texts]
    writing = [Request(label="x", prompt="", token_ids=row, sampling=Sampling(max_new_tokens=12)) for row in rows]
    tails = [generator.tokenizer.encode(text, add_special_tokens=False) for text in (" good", " bad")]
    options = tuple(rows[0] + tail for tail in tails)
    return [*writing, Request(label="x", prompt="", token_ids=rows[0], options=("a", "b"), option_token_ids=options)]


def started(folder, dtype="float32"):
    """A generator, its completions, and whether transformers has made the model."""
    generator = LocalGenerator(str(folder), Loading(dtype=dtype))
    made = dict(generator.generate(requests(generator)))
    return generator, made, type(generator.engine.model).__module__.startswith("transformers.")


@pytest.mark.parametrize(("architecture", "settings", "dtype"), USUAL)
def test_the_second_start_needs_no_transformers_and_changes_no_bit(tmp_path, cache, architecture, settings, dtype):
    """Logits are compared as they are: whoever computes the same rounds the same."""
    import torch

    from promptkit.generate.engine.loading import Trial, engine_logits

    folder = save(tmp_path / "model", architecture, settings)
    first, made, is_whole = started(folder, dtype)
    second, again, is_whole_again = started(folder, dtype)
    assert (is_whole, is_whole_again) == (True, False)
    assert again == made
    trial = Trial.from_bytes((start_folder(first.identity) / TRIAL).read_bytes())
    one, other = (engine_logits(each.engine, trial.rows) for each in (first, second))
    assert all(torch.equal(mine, its) for mine, its in zip(one, other, strict=True))


def save(folder, architecture, settings):
    from tests.models import train_tokenizer

    tokenizer = train_tokenizer()
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    tiny(architecture, vocab_size=len(tokenizer), **ids, **settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("architecture", "settings"),
    [
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}}),
        ("llama", {"hidden_act": "gelu"}),
        ("qwen3", {}),
        ("gemma2", {}),
    ],
    ids=["positions that a length changes", "another gate", "norms more", "another kind"],
)
def test_a_model_of_another_kind_has_no_outline(tmp_path, cache, architecture, settings):
    """It is made by transformers each time; its trial is kept all the same."""
    folder = save(tmp_path / "model", architecture, settings)
    first, made, _ = started(folder)
    kept = start_folder(first.identity)
    assert sorted(each.name for each in kept.iterdir()) == [TRIAL]
    _, again, is_whole = started(folder)
    assert is_whole
    assert again == made


def spoil_outline(kept):
    (kept / OUTLINE).write_text("{")


def spoil_trial(kept):
    (kept / TRIAL).write_bytes(b"x")


def change_scale(kept):
    known = json.loads((kept / OUTLINE).read_text())
    (kept / OUTLINE).write_text(json.dumps(known | {"attention_scale": 9.0}))


def change_classes(kept):
    known = json.loads((kept / OUTLINE).read_text())
    (kept / OUTLINE).write_text(json.dumps(known | {"model_class": "Another", "layer_class": "Another"}))


@pytest.mark.parametrize("spoil", [spoil_outline, spoil_trial, change_scale, change_classes])
def test_what_is_kept_is_looked_at_again(tiny_model, cache, spoil):
    """A broken file, and an outline that does not stand its trial, cost time and no answer."""
    first, made, _ = started(tiny_model)
    spoil(start_folder(first.identity))
    _, again, is_whole = started(tiny_model)
    assert is_whole
    assert again == made


def test_transformers_is_not_imported(tiny_model, cache):
    """That is what it is for: it takes two of the four seconds of a start."""
    started(tiny_model)
    program = (
        "import sys\nfrom promptkit.generate import Loading\n"
        "from promptkit.generate.local_generator import LocalGenerator\n"
        f"LocalGenerator({str(tiny_model)!r}, Loading(dtype='float32')).engine\n"
        "print(sorted({'transformers', 'torch._dynamo', 'torch.distributed.tensor', 'sympy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
