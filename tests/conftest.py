"""What several tests share: a cache of their own, a tiny model, the default model, and real data where it is there."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _quiet_libraries():
    """No library asks the network for anything, and none prints progress."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", TOKENIZERS_PARALLELISM="false")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, for tests that write the store or prepare models."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PROMPTKIT_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared():
    """The folder of real data sets and reasoning chains, which is no part of the project."""
    folder = Path(os.environ.get("PROMPTKIT_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"the shared data is not here ({folder}); set PROMPTKIT_SHARED")
    return folder / "data"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder with a real Llama of random weights, two layers, and a byte-level tokenizer trained on a few lines."""
    from tests.models import save_tiny_llama

    return save_tiny_llama(tmp_path_factory.mktemp("tiny") / "tiny-llama")
