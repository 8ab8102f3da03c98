"""The default model twice: as promptkit opens it, and as transformers alone reads the same file."""

import pytest

from promptkit.generate import DEFAULT_MODEL, Loading
from promptkit.generate.local import LocalModel
from promptkit.generate.model_files import find_model


@pytest.fixture(scope="session")
def tasks(shared):
    """The data sets, one folder each: what `--data` names."""
    return shared / "tasks"


@pytest.fixture(scope="session")
def generator():
    """The default model in float32, for all tests of the session. Its copy lies in the user's cache."""
    return LocalModel(name=DEFAULT_MODEL).open(Loading(dtype="float32"))


@pytest.fixture(scope="session")
def plain_model():
    """The default model and its tokenizer as transformers reads them, none of promptkit's copies in between."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    files = find_model(DEFAULT_MODEL)
    model = AutoModelForCausalLM.from_pretrained(
        files.folder,
        gguf_file=files.gguf,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
    )
    return model.eval(), AutoTokenizer.from_pretrained(files.folder, gguf_file=files.gguf)
