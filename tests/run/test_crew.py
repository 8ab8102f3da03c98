"""Many processes: what they write is what one would have written, and nothing is lost with a process that dies."""

import json
import os
import signal
from pathlib import Path

import pytest

from promptkit.data import Names, open_samples
from promptkit.errors import RunError
from promptkit.run import Extractor, Order, load, read_batches

pytestmark = pytest.mark.slow

OWN = """
import os, signal, time

def read(value, fields):
    if value == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if value == "leave":
        os._exit(3)
    print("printed", value)
    return len(value)
"""


@pytest.fixture
def order(tmp_path):
    """What workers read with: a function that kills its process when it is asked to."""
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "p.yaml").write_text("align: [{python: 'own:read'}]\n", encoding="utf-8")
    return Order(file=str(tmp_path / "p.yaml"), allow_code=True)


def written(order, path, num_workers, worker_order=None):
    """What is written, a batch at a time."""
    extractor = Extractor(chain=load(order.file, allow_code=True).chain)
    return read_batches(open_samples(str(path), Names()).batches(), extractor, worker_order or order, num_workers)


def rows_of(*made):
    """The rows of what is written."""
    return [json.loads(line) for each in made for line in each.text.splitlines()]


def write_texts(path, texts):
    """A file of these completions."""
    path.write_text("".join(json.dumps({"completion": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def test_rows_come_in_the_order_of_the_file(order, tmp_path):
    """Whichever process is faster; and what code prints does not get among them."""
    path = write_texts(tmp_path / "c.jsonl", ["x" * (number % 7 + 1) for number in range(2000)])
    rows = rows_of(*written(order, path, 2))
    assert [row["id"] for row in rows] == [f"c-{number}" for number in range(2000)]
    assert [row["answer"] for row in rows] == [number % 7 + 1 for number in range(2000)]


def test_a_row_that_kills_its_process_is_named_and_all_others_are_read(order, tmp_path, caplog):
    """One crash in native code must not cost a run of a million rows."""
    texts = ["xx"] * 600
    texts[300], texts[301] = "kill", "leave"
    path = write_texts(tmp_path / "c.jsonl", texts)
    rows = rows_of(*written(order, path, 2))
    assert [row["answer"] for row in rows] == [2] * 300 + [None, None] + [2] * 298
    assert [(row["status"], row["reason"]) for row in rows[300:302]] == [
        ("unparsed", f"{path}:301: the process that read it died, killed by SIGKILL"),
        ("unparsed", f"{path}:302: the process that read it died, exit code 3"),
    ]
    assert [each.getMessage() for each in caplog.records] == [
        f"the worker that read {path}:257 to {path}:512 died (killed by SIGKILL); its rows are read again, one by one"
    ]


def test_code_of_ones_own_is_left_to_workers(order, tmp_path):
    """It might end the process that runs it, even where a file is small."""
    rows = rows_of(*written(order, write_texts(tmp_path / "c.jsonl", ["kill", "xx"]), None))
    assert [row["answer"] for row in rows] == [None, 2]


def test_a_worker_that_is_killed_from_outside_costs_nothing(order, tmp_path):
    """The kernel kills when memory is short; its rows are read again."""
    (tmp_path / "own.py").write_text("import time\ndef read(value, fields):\n    time.sleep(0.005)\n    return 1\n")
    path = write_texts(tmp_path / "c.jsonl", ["x"] * 600)
    made = written(order, path, 2)
    first = next(made)
    os.kill(children()[0], signal.SIGKILL)
    assert [row["answer"] for row in rows_of(first, *made)] == [1] * 600


def children():
    """The processes that this one started."""
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    if not task.exists():
        pytest.skip("no /proc")
    found = [each for path in Path("/proc/self/task").glob("*/children") for each in path.read_text().split()]
    return [int(each) for each in found]


def test_a_worker_that_cannot_start_is_told(order, tmp_path):
    """The file went away between the start of the command and that of its workers."""
    path = write_texts(tmp_path / "c.jsonl", ["x"])
    gone = Order(file=str(tmp_path / "gone.yaml"))
    with pytest.raises(RunError) as caught:
        list(written(order, path, 2, worker_order=gone))
    assert str(caught.value) == "a worker cannot start: exit code 1\n    --workers 1 does without"


def test_whoever_stops_reading_leaves_no_process_behind(order, tmp_path):
    """`promptkit extract ... | head -1`."""
    path = write_texts(tmp_path / "c.jsonl", ["x"] * 5000)
    before = set(children())
    made = written(order, path, 2)
    next(made)
    made.close()
    assert set(children()) <= before
