"""A folder to type commands in, a scripted pipeline, and the command line as a person meets it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from promptkit.cli import main

SUMS = """\
name: sums
model:
  scripted:
    rules:
      - {when: 'Q: 1 \\+ 1', completion: " The answer is 2."}
      - {when: 'Q: 2 \\+ 3', completion: " The answer is 6."}
      - {when: 'Q: 4 \\+ 4', completion: " I do not know."}
    default: ""
data:
  test: {files: sums.jsonl}
  target: "{{ answer }}"
prompt:
  - instruction: "Add.\\n"
  - query: "Q: {{ question }}\\nA:"
align:
  - regex: 'answer is (?P<answer>.+)\\.'
  - number
examples:
  - {completion: The answer is 7., answer: 7}
  - {completion: Dunno., answer: null}
"""
ROWS = [
    {"id": "a", "question": "1 + 1", "answer": 2},
    {"id": "b", "question": "2 + 3", "answer": 5},
    {"id": "c", "question": "4 + 4", "answer": 8},
    {"id": "d", "question": "5 + 5", "answer": 10},
]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    code: int | str | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path, monkeypatch, cache):
    """The working directory, with `sums.yaml` and its data; the cache is empty."""
    home = tmp_path / "work"
    home.mkdir()
    monkeypatch.chdir(home)
    (home / "sums.yaml").write_text(SUMS, encoding="utf-8")
    (home / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return home


@pytest.fixture
def write(folder):
    """A function that writes a file there."""

    def write(name, content):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


@pytest.fixture
def pk(folder, monkeypatch, capsys):
    """A function that runs a command line in this process."""

    def pk(*words):
        monkeypatch.setattr(sys, "argv", ["promptkit", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Ended(ended.value.code, written.out, written.err)

    return pk


@pytest.fixture
def mistake(pk):
    """A function that runs a command line which must end as a mistake does; what it says."""

    def mistake(*words):
        ended = pk(*words)
        assert ended.code == 2
        assert ended.out == ""
        assert "Traceback" not in ended.err
        return ended.err

    return mistake


@pytest.fixture
def process(folder):
    """A function that starts a command line as a process of its own."""

    def process(*words, more_env=None, **options):
        command = [sys.executable, "-m", "promptkit", *map(str, words)]
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": folder, **options}
        return subprocess.Popen(command, env={**os.environ, **(more_env or {})}, **settings)

    return process
