"""Small pipelines on the scripted model, and the two folders that a run writes to."""

import pytest

SUMS = r"""
name: sums
model:
  scripted:
    - {when: '1 \+ 1', completion: " That makes 2. The answer is 2."}
    - {when: '2 \+ 2', completion: " The answer is 5."}
    - {when: '3 \+ 3', completion: " I cannot say."}
    - {when: '4 \+ 4', completion: ""}
data:
  test:
    rows:
      - {id: a, question: 1 + 1, answer: "2"}
      - {id: b, question: 2 + 2, answer: "4"}
      - {id: c, question: 3 + 3, answer: "6"}
      - {id: d, question: 4 + 4, answer: "8"}
  target: "{{ answer }}"
prompt:
  - query: "Q: {{ question }}?\nA:"
align:
  - regex: 'answer is (?P<answer>\S+)'
  - number
"""


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
