"""Ways to write data files and to declare a data section as a pipeline's file would."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from promptkit.data import DataSection
from promptkit.spec import read
from promptkit.spec.document import parse
from promptkit.text import Source

Declare = Callable[[str], DataSection]
Write = Callable[[str, Any], Path]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """The data section that a file `pipe.yaml` in `tmp_path` declares."""

    def declare_(text: str) -> DataSection:
        tree, problems = parse(Source(name="pipe.yaml", text=text, folder=tmp_path))
        return read(DataSection, tree, problems, {"folder": tmp_path})

    return declare_


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file under `tmp_path`: bytes and text as they are, a list as JSONL."""

    def write_(name: str, content: bytes | str | Sequence[Any]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes):
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content).encode()
        path.write_bytes(content)
        return path

    return write_
