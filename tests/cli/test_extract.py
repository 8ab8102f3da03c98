"""`extract`: answers out of completions from anywhere, by the command itself."""

import json
import re
import signal
import subprocess
import time

import pytest

from promptkit.align import STATUSES

CHAINS = [
    {"id": "x-1", "chain": "The answer is 1,234."},
    {"id": 7, "chain": "Hm."},
    {"chain": ""},
    {"id": 7, "chain": "The answer is 5."},
]
ANSWERED = [
    {"id": "x-1", "answer": 1234, "status": "answered", "span": [14, 19], "step": "align[1].number"},
    {"id": 7, "answer": None, "status": "unparsed", "span": None, "step": "align[0].regex", "reason": "no match"},
    {
        "id": "chains-2",
        "answer": None,
        "status": "empty",
        "span": None,
        "step": "align[0].regex",
        "reason": "no match",
    },
    {"id": 7, "answer": 5, "status": "answered", "span": [14, 15], "step": "align[1].number"},
]


class TestExtract:
    """`promptkit extract`."""

    @pytest.fixture
    def chains(self, write):
        """Chains of thought from elsewhere; ids of two kinds, one of them twice, one missing."""
        return write("chains.jsonl", "".join(json.dumps(row) + "\n" for row in CHAINS))

    def test_each_row_is_a_line_on_standard_output(self, pk, chains):
        """Ids stay as they are, so that rows can be joined again."""
        ended = pk("extract", "sums.yaml", "--from", chains, "--field", "chain")
        assert ended.code == 0
        assert [json.loads(line) for line in ended.out.splitlines()] == ANSWERED
        assert ended.err.startswith("4 rows in ")
        assert ended.err.endswith(" s: answered 2, unparsed 1, empty 1\n")

    def test_out_writes_them_to_a_file_and_json_sums_up(self, pk, chains, folder):
        """One object on standard output, whether or not there is a file."""
        (folder / "link.jsonl").symlink_to("there.jsonl")
        ended = pk("extract", "sums.yaml", "--from", chains, "--field", "chain", "--out", "link.jsonl", "--json")
        assert {name: ended.json[name] for name in ("pipeline", "num_rows", "statuses")} == {
            "pipeline": "sums",
            "num_rows": 4,
            "statuses": {"answered": 2, "unparsed": 1, "truncated": 0, "ambiguous": 0, "empty": 1},
        }
        assert [json.loads(line) for line in (folder / "there.jsonl").read_text().splitlines()] == ANSWERED
        assert list(ended.json["statuses"]) == list(STATUSES)
        assert pk("extract", "sums.yaml", "--from", chains, "--field", "chain", "--json").json["num_rows"] == 4

    def test_limit_reads_no_further(self, pk, write):
        """Of a large file, the first rows come at once, whatever stands below."""
        chains = write("chains.jsonl", '{"completion": "The answer is 3."}\nbroken\n')
        ended = pk("extract", "sums.yaml", "--from", chains, "--limit", "1")
        assert (ended.code, json.loads(ended.out)["answer"]) == (0, 3)

    def test_rows_that_cannot_be_read_are_written_named_and_counted(self, pk, write, folder):
        """None is lost, and none is passed over in silence: the exit code is 1."""
        lines = ['{"completion": "The answer is 3."}', '{"id": 5, "completoin": "x"}', '{"completion": null}', "broken"]
        ended = pk("extract", "sums.yaml", "--from", write("c.jsonl", "\n".join(lines)), "--out", "o.jsonl", "--json")
        rows = [json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines()]
        assert [(row["id"], row["answer"], row["status"]) for row in rows] == [
            ("c-0", 3, "answered"),
            (5, None, "unparsed"),
            ("c-2", None, "empty"),
            ("c-3", None, "unparsed"),
        ]
        assert rows[3]["reason"] == "c.jsonl:4:1: is not JSON: expecting value"
        assert (ended.code, ended.json["num_rows"], ended.json["num_unreadable"]) == (1, 4, 3)
        assert ended.err.splitlines()[1] == (
            "unreadable: 3, the first: c.jsonl:2: there is no field 'completion'; "
            "known: completoin, id   did you mean 'completoin'?"
        )

    def test_gold_asks_for_scores(self, pk, write):
        """Over what somebody else's model wrote, with the intervals of any other score."""
        lines = [{"completion": f"The answer is {n}.", "gold": gold} for n, gold in [(1, "1"), (2, "2"), (3, "4")]]
        chains = write(
            "c.jsonl", "".join(json.dumps(line) + "\n" for line in [*lines, {"completion": "The answer is 1."}])
        )
        ended = pk("extract", "sums.yaml", "--from", chains, "--gold", "gold", "--json")
        assert (ended.code, ended.json["num_without_target"]) == (0, 1)
        assert ended.json["scores"]["exact_match"]["value"] == pytest.approx(2 / 3)
        assert ended.err.splitlines()[1] == "exact_match 66.7 % [20.8, 93.9]; 1 without a target"

    def test_a_log_is_read_as_what_it_is(self, pk, write):
        """And that is said, in one line."""
        log = {"doc_id": 3, "doc": {"question": "1 + 1"}, "resps": [["The answer is 2.", "The answer is 3."]]}
        ended = pk("extract", "sums.yaml", "--from", write("s.jsonl", json.dumps(log)))
        assert ended.err.splitlines()[0] == "s.jsonl: read as an lm-eval log"
        rows = [json.loads(line) for line in ended.out.splitlines()]
        assert [(row["id"], row["sample"], row["answer"]) for row in rows] == [(3, 0, 2), (3, 1, 3)]

    def test_a_run_is_read_again(self, pk, folder):
        """Its folder, or the file in it; with the fields and the targets of its examples."""
        run = pk("run", "sums.yaml", "--json").json["run"]
        for source in (run, f"{run}/samples.parquet"):
            ended = pk("extract", "sums.yaml", "--from", source, "--gold", "answer", "--json")
            assert ended.json["scores"]["exact_match"]["value"] == 0.25
            assert ended.json["statuses"] == {"answered": 2, "unparsed": 1, "truncated": 0, "ambiguous": 0, "empty": 1}
            assert ended.err.splitlines()[0] == f"{run}/samples.parquet: read as a run of promptkit"

    def test_the_ledger_is_written_where_it_is_asked_for(self, pk, chains):
        """Every step that was tried, the whole way."""
        ended = pk("extract", "sums.yaml", "--from", chains, "--field", "chain", "--ledger")
        rows = [json.loads(line) for line in ended.out.splitlines()]
        assert [[tried["step"] for tried in row["ledger"]] for row in rows[:2]] == [
            ["align[0].regex", "align[1].number"],
            ["align[0].regex"],
        ]

    @pytest.mark.slow
    def test_a_pipe_is_read_and_written(self, process):
        """`zcat chains.jsonl.gz | promptkit extract sums.yaml --from - | jq .answer`."""
        out, err = process("extract", "sums.yaml", "--from", "-", stdin=subprocess.PIPE).communicate(
            '{"completion": "The answer is 3."}\n' * 3
        )
        assert [json.loads(line)["id"] for line in out.splitlines()] == ["stdin-0", "stdin-1", "stdin-2"]
        assert err.startswith("3 rows in ")

    @pytest.mark.slow
    @pytest.mark.parametrize("workers", [["--workers", "1"], ["--workers", "2"]])
    def test_ctrl_c_says_how_far_it_came(self, process, write, folder, workers):
        """With a file to write, nothing is written; and no process stays behind."""
        write("c.jsonl", '{"completion": "The answer is 3."}\n' * 2_000_000)
        started = process("extract", "sums.yaml", "--from", "c.jsonl", "--out", "o.jsonl", *workers)
        time.sleep(2.5)
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=20)
        assert started.returncode == 130
        assert re.fullmatch(r"stopped after [\d,]+ rows, and nothing is written to 'o.jsonl'", err.splitlines()[-1])
        assert sorted(each.name for each in folder.iterdir()) == ["c.jsonl", "sums.jsonl", "sums.yaml"]

    def test_only_align_is_needed(self, pk, write, chains):
        """The model that wrote the chains is not here."""
        ended = pk("extract", write("p.yaml", "align: [number]"), "--from", chains, "--field", "chain", "--json")
        assert ended.json["statuses"]["answered"] == 2
