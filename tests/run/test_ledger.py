"""The ledger of every completion: kept in the run's table, read back, made again when a run is scored again."""

import json

import pyarrow.parquet as pq

import promptkit
from promptkit.run import load, rescore
from promptkit.run.folder import SAMPLES, read_run
from promptkit.run.rescoring import read_records
from tests.run.sums import SUMS, folder_of


def steps(record):
    return [(entry.step, entry.reason or entry.value) for entry in record.outcome.ledger]


def test_a_run_keeps_every_step_tried_of_every_completion(write, places):
    """What stopped, and what the steps before it found, can be looked at long after the run."""
    done = promptkit.run(write(), **places)
    assert [steps(record) for record in done.records] == [
        [("align[0].regex", "2."), ("align[1].number", 2)],
        [("align[0].regex", "5."), ("align[1].number", 5)],
        [("align[0].regex", "no match")],
        [("align[0].regex", "no match")],
    ]
    _, rows = read_run(folder_of(done))
    first, second = rows[0]["ledger"]
    assert first.pop("took_s") > 0
    assert first == {
        "step": "align[0].regex",
        "read_start": 0,
        "read_end": 31,
        "span_start": 29,
        "span_end": 31,
        "value": '"2."',
        "reason": None,
    }
    assert json.loads(second["value"]) == 2
    assert (rows[2]["ledger"][0]["span_start"], rows[2]["ledger"][0]["reason"]) == (None, "no match")
    assert rows[0]["captures"] == "{}"


def test_what_is_read_back_is_what_was_made(write, places):
    """Values, spans, times; a long piece of the completion is not written twice."""
    long = "so much " * 50
    text = SUMS.replace(" I cannot say.", long).replace("align:", "align:\n  - strip")
    done = promptkit.run(write(text), **places)
    _, rows = read_run(folder_of(done))
    assert [record.outcome for record in read_records(folder_of(done), rows)] == [each.outcome for each in done.records]
    assert rows[2]["ledger"][0]["value"] is None
    assert done.records[2].outcome.ledger[0].value == long.strip()


def test_scoring_again_keeps_a_new_ledger(write, places):
    """The other chain's steps."""
    done = promptkit.run(write(), **places)
    again = rescore(folder_of(done), load(write("align: [number]", "other.yaml")))
    assert steps(again.run.records[0]) == [("align[0].number", 2)]


def test_a_run_that_kept_no_ledger_is_still_read(write, places):
    """Runs of older versions."""
    done = promptkit.run(write(), **places)
    table = pq.read_table(folder_of(done) / SAMPLES)
    pq.write_table(table.drop_columns(["ledger", "captures"]), folder_of(done) / SAMPLES)
    _, rows = read_run(folder_of(done))
    first, *_ = read_records(folder_of(done), rows)
    assert (first.answer, first.outcome.ledger) == (2, ())
    assert steps(rescore(folder_of(done)).run.records[0]) == [("align[0].regex", "2."), ("align[1].number", 2)]


def test_the_chosen_option_has_a_ledger_too(write, places):
    """`choose` runs through the same chain."""
    text = """
model: {scripted: [{when: "", completion: x, scores: {x: -1, y: -2}}]}
data: {test: {rows: [{q: A}]}}
prompt: [query: "{{ q }}"]
choose: {options: [x, y]}
align: [strip]
"""
    done = promptkit.run(write(text), **places)
    assert steps(done.records[0]) == [("align[0].strip", "x")]
