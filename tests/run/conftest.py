"""Small pipelines on the scripted model, and the two folders that a run writes to."""

import pytest

from tests.run.sums import SUMS


@pytest.fixture
def write(tmp_path):
    """Writes a pipeline's file, and gives its path."""

    def write_file(text=SUMS, name="sums.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture
def places(tmp_path):
    """Where a test's runs and completions go, as keyword arguments of `promptkit.run`."""
    return {"out": tmp_path / "runs", "store": tmp_path / "store.sqlite"}
