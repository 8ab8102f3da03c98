"""Vectors by a model of sentence-transformers: a tiny one, put together here and saved."""

import errno
import os
import shutil
import socket

import numpy as np
import pytest
from huggingface_hub import constants

from promptkit.errors import MissingExtra, ModelError
from promptkit.generate.sentences import SentenceModel

REFUSED = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def closed_port(monkeypatch):
    """A hub at a port of this machine at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")


@pytest.fixture(scope="module")
def saved(tiny_model, tmp_path_factory):
    """The folder of a model: the tiny Llama with a mean over its tokens."""
    pytest.importorskip("sentence_transformers")
    from sentence_transformers import SentenceTransformer, models
    from transformers import AutoTokenizer

    plain = tmp_path_factory.mktemp("plain")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer.save_pretrained(plain)
    for name in ("config.json", "model.safetensors"):
        (plain / name).write_bytes((tiny_model / name).read_bytes())
    words = models.Transformer(str(plain))
    folder = tmp_path_factory.mktemp("sentences")
    SentenceTransformer(modules=[words, models.Pooling(48)], device="cpu").save(str(folder))
    return folder


def test_texts_become_vectors_of_length_one_that_batches_do_not_change(saved):
    """To what float32 holds."""
    model = SentenceModel(str(saved))
    texts = ["a lovely film", "apples", "a dull and endless film, I must say"]
    together = model.embed(texts)
    assert together.shape == (3, 48)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together, [model.embed([text])[0] for text in texts], atol=1e-4)


def test_its_identity_follows_from_its_weights(saved):
    """The same folder may hold another model tomorrow."""
    assert SentenceModel(str(saved)).identity == SentenceModel(str(saved)).identity
    changed = SentenceModel(str(saved))
    next(iter(changed.model.parameters())).data += 1
    assert changed.identity != SentenceModel(str(saved)).identity


def test_a_model_that_is_not_there_is_one_message(tmp_path):
    """It names what was asked for."""
    pytest.importorskip("sentence_transformers")
    with pytest.raises(ModelError, match=r"^embed '.*nothing': there is no such folder$"):
        _ = SentenceModel(str(tmp_path / "nothing")).model
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"^embed '.*empty': no model of sentence-transformers can be read: "):
        _ = SentenceModel(str(tmp_path / "empty")).model


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("typo", REFUSED),
        ("no/such", REFUSED),
        ("no/such/name", "Repo id must be in the form 'repo_name' or 'namespace/repo_name': 'no/such/name'."),
    ],
)
def test_a_name_that_is_not_to_be_had_is_asked_for_once(closed_port, name, reason):
    """The library asks again and again for each of its files, for more than a minute."""
    pytest.importorskip("sentence_transformers")
    with pytest.raises(ModelError) as caught:
        _ = SentenceModel(name).model
    assert str(caught.value).startswith(f"embed {name!r}: neither a folder here nor to be had from the hub: {reason}")
    assert str(caught.value).endswith(
        "\n    a folder works without the hub; `knn` without `embed` takes the pipeline's own model"
    )


def test_a_model_in_the_hubs_cache_is_read_without_the_hub(saved, closed_port, tmp_path, monkeypatch):
    """A second run on a train works."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--sentence-transformers--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc", encoding="utf-8")
    shutil.copytree(saved, folder / "snapshots" / "abc")
    assert SentenceModel("tiny").identity == SentenceModel(str(saved)).identity


def test_without_the_library_the_extra_is_named(monkeypatch):
    """What to install."""
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtra) as caught:
        _ = SentenceModel("x").model
    assert str(caught.value) == (
        "'sentence-transformers' is not installed; it comes with: pip install 'promptkit[embeddings]'"
    )


def test_a_model_that_was_let_go_is_known_and_read_again_when_it_is_needed(saved):
    """The cells of a sweep ask one after another, and the store has the vectors: most need its identity alone."""
    model = SentenceModel(str(saved))
    identity, vectors = model.identity, model.embed(["a film"])
    model.unload()
    assert "model" not in vars(model)
    assert model.identity == identity
    assert "model" not in vars(model)
    assert model.embed(["a film"]).tolist() == vectors.tolist()
