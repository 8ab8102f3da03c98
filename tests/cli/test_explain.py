"""`promptkit explain`: of a run, of a file of completions, of a text."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import SUMS


@pytest.fixture
def run(pk):
    """The folder of a finished run."""
    return pk("run", "sums.yaml", "--json").json["run"]


def test_without_an_id_some_of_each_status_are_listed_no_answers_first(pk, run):
    """Nobody knows the ids of a run; of the answered those that are wrong come first."""
    ended = pk("explain", run)
    assert (ended.code, ended.err) == (0, "")
    assert [line.rstrip() for line in ended.out.splitlines()] == [
        run,
        "answered 2 (50 %), unparsed 1 (25 %), empty 1 (25 %)",
        "",
        "unparsed 1",
        "  c  align[0].regex: no match  I do not know.",
        "",
        "empty 1",
        "  d  align[0].regex: no match",
        "",
        "answered 2",
        "  b  6, target 5  The answer is 6.",
        "  a  2            The answer is 2.",
    ]
    shown = pk("explain", run, "--json").json
    assert shown["status_rates"]["empty"] == 0.25
    assert [each["id"] for each in shown["examples"]["answered"]] == ["b", "a"]
    assert next(iter(shown["examples"])) == "unparsed"


def test_an_example_is_shown_with_its_prompt_its_ledger_and_its_scores(pk, run):
    """All that a person needs to say who is to blame: model, parser, or data."""
    ended = pk("explain", run, "b")
    assert ended.code == 0
    lines = [line.rstrip() for line in ended.out.splitlines()]
    assert lines[0] == "example b   sums.jsonl:2   17 characters"
    assert "Q: 2 + 3⏎" in lines
    assert lines[lines.index(" The answer is 6.") + 1] == " " * 15 + "^ the answer, align[1].number"
    assert lines[-3:] == ["answered      6   at 15-16 by align[1].number", "target        5", "exact_match   0"]


def test_json_has_the_whole_ledger(pk, run):
    """For programs that look at many."""
    shown = pk("explain", run, "b", "--json").json
    for entry in shown["ledger"]:
        assert entry.pop("took_s") > 0
    assert shown["ledger"] == [
        {"step": "align[0].regex", "read": [0, 17], "span": [15, 16], "value": "6", "reason": None},
        {"step": "align[1].number", "read": [15, 16], "span": [15, 16], "value": 6, "reason": None},
    ]
    assert (shown["status"], shown["answer"], shown["target"], shown["scores"]) == (
        "answered",
        6,
        5,
        {"exact_match": 0.0},
    )
    assert shown["prompt"].endswith("Q: 2 + 3\nA:")


def test_another_chain_may_read_the_run(pk, write, run):
    """What would it have made of it?"""
    write("other.yaml", "align: [{regex: 'I do (not)'}]\n")
    shown = pk("explain", run, "c", "--with", "other.yaml", "--json").json
    assert (shown["answer"], shown["step"]) == ("not", "align[0].regex")


def test_a_run_that_kept_no_ledger_is_read_again(pk, run):
    """Older runs are as good."""
    path = Path(run) / "samples.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["ledger", "captures"]), path)
    shown = pk("explain", run, "b", "--json").json
    assert [entry["step"] for entry in shown["ledger"]] == ["align[0].regex", "align[1].number"]


def test_samples_are_told_apart(pk, write):
    """Each has an answer of its own."""
    two = SUMS.replace('" The answer is 2."', '[" The answer is 2.", " The answer is 3."]')
    run = pk("run", write("p.yaml", f"{two}generate: {{samples: 2, temperature: 1}}\n"), "--json").json["run"]
    assert [pk("explain", run, "a", *more, "--json").json["answer"] for more in ([], ["--sample", 1])] == [2, 3]
    assert "  a --sample 1  3, target 2" in pk("explain", run).out
    ended = pk("explain", run, "a", "--sample", "2")
    assert (ended.code, ended.err) == (2, "example 'a' has no sample 2\n    known: 0, 1\n")


def test_options_are_shown_with_their_scores(pk, write):
    """Of `choose`, the completion is the option that won."""
    text = """
model: {scripted: [{when: "", completion: x, scores: {x: -3.0, yy: -1.5}}]}
data: {test: {rows: [{id: a}]}, target: x}
prompt: [query: "Pick:"]
choose: {options: [x, yy]}
"""
    run = pk("run", write("p.yaml", text), "--json").json["run"]
    assert [line.split() for line in pk("explain", run, "a").out.splitlines()[4:6]] == [
        ["x", "-3.000"],
        ["yy", "-1.500"],
    ]


CHAINS = [{"id": "x-1", "chain": "The answer is 1,234."}, {"chain": "Hm."}]


@pytest.fixture
def chains(write):
    """Completions from elsewhere."""
    return write("chains.jsonl", "".join(json.dumps(row) + "\n" for row in CHAINS))


def test_a_completion_from_anywhere_is_explained_without_a_run(pk, write, chains):
    """Many only extract."""
    write("p.yaml", "align: [number]\n")
    words = ["explain", "p.yaml", "--from", chains, "--field", "chain"]
    assert pk(*words, "--id", "x-1", "--json").json["answer"] == 1234
    assert pk(*words[:2], "x-1", *words[2:], "--json").json["origin"] == "chains.jsonl:1"
    assert pk(*words).out.splitlines()[1] == "answered 1 (50 %), unparsed 1 (50 %)"
    assert pk("explain", "p.yaml", "--text", "7 cats", "--json").json["answer"] == 7


class TestMistakes:
    """What is told in one message, with exit code 2."""

    def test_an_unknown_id_is_told_with_the_nearest(self, mistake, run, write, chains):
        """Of a thousand ids, three."""
        assert mistake("explain", run, "e") == f"the run {run!r} has no example 'e'\n    known: a, b, c, d\n"
        words = ["--from", chains, "--field", "chain", "--id", "x-2"]
        said = mistake("explain", write("p.yaml", "align: [number]\n"), *words)
        assert said == "chains.jsonl has no row 'x-2'\n    did you mean 'x-1'?\n"

    def test_a_pipeline_without_a_completion_is_told(self, mistake):
        """There is nothing to explain."""
        assert mistake("explain", "sums.yaml") == (
            "'sums.yaml' is no folder of a run\n"
            "    for the chain of a pipeline, give it a completion: --text, or --from and --id\n"
        )

    def test_a_field_that_is_not_there_is_told(self, mistake, chains):
        """With those that are."""
        assert mistake("explain", "sums.yaml", "--from", chains, "--id", "x-1") == (
            "chains.jsonl:1: there is no field 'completion'\n    known: chain, id\n"
        )
