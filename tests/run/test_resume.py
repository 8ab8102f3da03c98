"""A run that was killed goes on where it was, and ends as if nothing had happened."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NUM_ROWS = 30
PIPELINE = """
data: {test: rows.jsonl, target: "{{ answer }}"}
prompt: [query: "Q: {{ question }} A:"]
generate: {max_new_tokens: 64, TEXT}
align: [regex: '[a-z]+']
"""


@pytest.fixture
def command(tmp_path, tiny_model):
    """Makes the command line of a run in batches of two, under settings of its own for how text is drawn."""
    rows = [
        {"question": f"How many {'apples ' * (number % 7)}are there? {number}", "answer": "x"}
        for number in range(NUM_ROWS)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def make(text, store):
        (tmp_path / "words.yaml").write_text(PIPELINE.replace("TEXT", text))
        verb = [sys.executable, "-m", "promptkit", "run", str(tmp_path / "words.yaml"), "--json", "--quiet"]
        model = ["--model", str(tiny_model), "--dtype", "float32", "--slots", "2"]
        places = ["--store", str(tmp_path / store), "--out", str(tmp_path / f"{store}-runs")]
        return [*verb, *model, *places]

    return make


@pytest.fixture
def environment(tmp_path):
    """A cache of its own; one thread, since a tiny model has nothing for two, and they wait for each other."""
    return {**os.environ, "PROMPTKIT_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def num_kept(store):
    """How many completions the file holds, read while another process writes it."""
    if not store.is_file():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM completions").fetchone()[0]
        except sqlite3.OperationalError:  # the table is not there yet
            return 0


def kill_in_the_middle(command, store, environment):
    """Starts the run, and ends it with SIGKILL, its children with it, when some completions are there."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        patience = time.monotonic() + 120
        while num_kept(store) < 5:
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < patience
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not output


def finish(command, environment):
    """What a run says of itself when it is done, and its records but for where their completions came from."""
    import pyarrow.parquet as pq

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    summary = json.loads(done.stdout)
    return summary, pq.read_table(f"{summary['run']}/samples.parquet").drop_columns(
        ["from_store", "ledger"]
    ).to_pylist()


@pytest.mark.parametrize("text", ["temperature: 0", "temperature: 1.0, top_k: 50, samples: 2"])
def test_a_killed_run_goes_on_where_it_was(command, environment, tmp_path, text):
    """kill -9 spares nothing: what was finished is not computed again, and the records are those of a run in peace."""
    killed, store = command(text, "killed"), tmp_path / "killed"
    kill_in_the_middle(killed, store, environment)
    num_before = num_kept(store)
    again, records = finish(killed, environment)
    num_all = again["num_samples"]
    assert 5 <= num_before < num_all, "the kill must land in the middle"
    assert again["completions"] == {"computed": num_all - num_before, "from_store": num_before}
    in_peace, undisturbed = finish(command(text, "undisturbed"), environment)
    assert in_peace["completions"] == {"computed": num_all, "from_store": 0}
    assert records == undisturbed
    assert again["scores"] == in_peace["scores"]
    left = [path.name for path in (tmp_path / "killed-runs").iterdir() if not path.name.startswith(".partial-")]
    assert left == [Path(again["run"]).name], "half a run must never look like a whole one"


def test_ctrl_c_keeps_what_is_finished_and_says_so(command, environment, tmp_path):
    """A person who stops a run is told how to go on, without a traceback."""
    stopped, store = command("temperature: 0", "stopped"), tmp_path / "stopped"
    with subprocess.Popen(
        stopped, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while num_kept(store) < 3:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        output, said = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, "")
    assert f"completions are kept in {str(store)!r}; the same command goes on from there" in said
    assert "Traceback" not in said
    assert list((tmp_path / "stopped-runs").iterdir()) == []
    summary, _ = finish(stopped, environment)
    assert summary["completions"]["from_store"] >= 3
