"""Mistakes of people: each ends with one clear message on standard error, exit code 2, and nothing on standard output.

The messages are what people read when something is wrong, so they are compared whole.
"""

import json
import resource
import struct
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.cli.conftest import SUMS


def with_line(old, new):
    """The pipeline with one thing changed."""
    assert old in SUMS
    return SUMS.replace(old, new)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "empty.jsonl: is empty"),
        ("blank.jsonl", b"\n\n", "blank.jsonl: holds no rows"),
        ("binary.jsonl", b"\x7fELF\x02\xff", "binary.jsonl:1: is not UTF-8 text: byte 5 of the file is 0xff"),
        ("nul.jsonl", b"\x7fELF\x02\x00", "nul.jsonl:1: is not text: byte 5 of the file is 0x00"),
        ("broken.jsonl", b'{"question": "1"}\n{"question": \n', "broken.jsonl:2:13: is not JSON: expecting value"),
        ("list.jsonl", b"[1, 2]\n", "list.jsonl:1: a row must be a map of fields, not [1, 2]"),
        ("wide.csv", b"question,answer\n1,2,3\n", "wide.csv:2: the row has 3 cells, the header 2"),
        (
            "text.txt",
            b"x",
            "text.txt: the suffix '.txt' is no data format's\n    known: .csv, .json, .jsonl, .ndjson, .parquet, .tsv",
        ),
    ],
)
def test_a_data_file_that_cannot_be_read_is_told_with_its_line(write, mistake, name, content, message):
    """Files are named as they are typed, and lines are counted as editors count them."""
    write(name, content)
    write("p.yaml", with_line("sums.jsonl", name))
    assert mistake("run", "p.yaml") == message + "\n"
    assert mistake("show", "p.yaml", "--index", "1") == message + "\n"


def test_a_data_file_that_is_missing_tells_where_it_was_looked_for(write, folder, mistake):
    """Which folder a relative name counts from is the first thing to ask."""
    write("p.yaml", with_line("sums.jsonl", "sms.jsonl"))
    assert mistake("run", "p.yaml") == (
        f"sms.jsonl: there is no such file\n    looked for: {folder}/sms.jsonl   did you mean 'sums.jsonl'?\n"
        "    named at p.yaml:10:17\n"
    )
    assert mistake("run", "p.yaml", "--data", "nope") == "nope: there is no such data folder\n"


def test_a_regex_that_runs_away_ends_as_a_status_and_the_run_goes_on(write, pk):
    """One bad completion must not hold up a run of thousands."""
    write("p.yaml", with_line("'answer is (?P<answer>.+)\\.'", "{pattern: '^(a|a)+b$', timeout_s: 0.1}"))
    ended = pk("run", "p.yaml", "--json", "--set", f"model.scripted.rules[0].completion={'a' * 60}")
    assert ended.code == 0
    assert ended.json["statuses"] == {"answered": 0, "unparsed": 3, "truncated": 0, "ambiguous": 0, "empty": 1}
    rows = samples(ended.json["run"])
    assert [row["reason"] for row in rows] == ["timed out after 0.1 s", "no match", "no match", "no match"]


def samples(run):
    """The rows of a run's `samples.parquet`."""
    import pyarrow.parquet as pq

    return pq.read_table(Path(run) / "samples.parquet").to_pylist()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "smollm2-135",
            (
                "model 'smollm2-135': not a known name, a folder, a GGUF file, or a hub id (owner/name)\n"
                "    known: smollm2-135m   did you mean 'smollm2-135m'?"
            ),
        ),
        ("./nope", "model './nope': there is no such file or folder"),
        ("nope.gguf", "model 'nope.gguf': there is no such file or folder"),
        (".", "model '.': the folder holds neither a config.json nor a GGUF file"),
        ("sums.jsonl", "model 'sums.jsonl': not a GGUF file (it begins with b'{\"id', not b'GGUF')"),
    ],
)
def test_an_unknown_model_is_told(mistake, name, message):
    """Before any data is read."""
    assert mistake("run", "sums.yaml", "--model", name) == message + "\n"


@pytest.mark.slow
def test_a_gguf_file_that_was_cut_off_is_told(write, mistake, pk):
    """A download that broke off is the usual reason. The last words are the library's, on one line."""
    write("cut.gguf", b"GGUF" + struct.pack("<IQQ", 3, 200, 20) + struct.pack("<Q", 20) + b"general.arc")
    said = mistake("run", "sums.yaml", "--model", "cut.gguf")
    assert said.startswith("model 'cut.gguf': the GGUF file cannot be read (is it whole?): ")
    assert said.count("\n") == 1
    ended = pk("card", "sums.yaml", "--model", "cut.gguf")
    assert ended.code == 0
    assert ended.out.endswith(
        "learns 0 parameters; how many the model has is not known here, and all of them are frozen\n"
    )


@pytest.mark.slow
def test_a_prompt_beyond_the_context_is_told_before_weights_are_read(write, mistake, tiny_model):
    """Cutting it would drop the instruction, and nobody would see."""
    from transformers import AutoTokenizer

    prompt = "Add.\nQ: 1 + 1\nA:"
    num = len(AutoTokenizer.from_pretrained(tiny_model)(prompt)["input_ids"])
    assert mistake("run", "sums.yaml", "--model", tiny_model) == (
        f"example 'a' (sums.jsonl:1): {num} prompt tokens and 256 new ones do not fit the 256 tokens of "
        f"{str(tiny_model)!r} (4 of 4 prompts do not fit)\n"
        "    fewer demonstrations, or a smaller max_new_tokens, make room; nothing was cut\n"
    )


def test_a_prompt_that_no_rule_matches_is_told(write, mistake):
    """A script without an answer is the script's mistake, not an empty completion."""
    write("p.yaml", with_line('    default: ""\n', ""))
    assert mistake("run", "p.yaml", "--quiet") == (
        "example 'd' (sums.jsonl:4): no rule of the scripted model matches the prompt, which ends with "
        "'Add.\\nQ: 5 + 5\\nA:'\n    `default` gives the completion of all other prompts\n"
    )


def test_a_pipeline_of_sections_that_a_verb_does_not_need_is_none_for_a_verb_that_does(write, mistake):
    """`check` and `extract` want `align` alone; `run` says what is lacking."""
    write("p.yaml", "align: [number]\n")
    assert mistake("run", "p.yaml", "--set", "model=sums.jsonl").startswith("model 'sums.jsonl': not a GGUF file")
    write("p.yaml", "align: [number]\nmodel: {scripted: {default: '1'}}\n")
    assert mistake("run", "p.yaml") == "p.yaml: there is no 'data' section, and a prompt needs one\n"
    write("p.yaml", "data: {test: sums.jsonl}\nmodel: {scripted: {default: '1'}}\n")
    assert mistake("run", "p.yaml") == "p.yaml: there is no 'prompt' section, and a prompt needs one\n"
    assert mistake("show", "p.yaml") == "p.yaml: there is no 'prompt' section, and a prompt needs one\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu"], "promptkit: no such command 'rnu'. Did you mean 'run'?"),
        (["run"], "promptkit run: missing argument 'FILE...'"),
        (["run", "sums.yaml", "--modle", "x"], "promptkit run: no such option: --modle (Possible options: --model)"),
        (
            ["run", "sums.yaml", "--limit", "0"],
            "promptkit run: invalid value for '--limit': Input should be greater than or equal to 1",
        ),
        (
            ["show", "sums.yaml", "--index", "-1"],
            "promptkit show: invalid value for '--index': Input should be greater than or equal to 0",
        ),
        (["extract", "sums.yaml"], "promptkit extract: missing option '--from'"),
        (["check", "sums.yaml", "--json=x"], "promptkit: option '--json' does not take a value"),
        (
            ["run", "sums.yaml", "--at-least", "exact_match"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match' is not METRIC=VALUE with a value from 0 to 1, "
                "such as accuracy=0.8"
            ),
        ),
        (
            ["run", "sums.yaml", "--at-least", "exact_match=80"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match=80' is not METRIC=VALUE with a value from 0 to "
                "1, such as accuracy=0.8"
            ),
        ),
        (
            ["run", "sums.yaml", "--at-least", "exact_match=nan"],
            (
                "promptkit run: invalid value for '--at-least': 'exact_match=nan' is not METRIC=VALUE with a value from 0 to "
                "1, such as accuracy=0.8"
            ),
        ),
    ],
)
def test_a_wrong_command_line_is_told_in_two_lines(mistake, words, message):
    """The second says where to read on."""
    command = message.partition(":")[0]
    assert mistake(*words) == f"{message}\n    {command} --help tells what there is\n"


def test_a_threshold_for_a_metric_that_is_not_there_is_told_before_the_run(mistake, folder):
    """After hours of computing would be late."""
    assert mistake("run", "sums.yaml", "--at-least", "exact_mtch=0.5") == (
        "--at-least: there is no metric 'exact_mtch'\n    known: exact_match   did you mean 'exact_match'?\n"
    )
    assert not (folder / "runs").exists()


def test_a_split_that_is_not_there_is_told(mistake):
    """The pipeline's own splits are what is known."""
    assert mistake("run", "sums.yaml", "--split", "tset") == (
        "the pipeline has no split 'tset'\n    known: test   did you mean 'test'?\n"
    )


def test_an_example_that_is_not_there_is_told(mistake):
    """Counted as --index counts."""
    assert mistake("show", "sums.yaml", "--index", "4") == (
        "there is no example 4: the split 'test' has 4 rows, counted from 0\n"
    )


def test_tokens_of_a_model_without_a_tokenizer_are_told(mistake):
    """The scripted model reads text."""
    assert mistake("show", "sums.yaml", "--tokens") == (
        "model 'scripted': its tokenizer is not here, so its tokens cannot be shown\n"
    )


class TestCode:
    """Python that a file names."""

    def test_it_runs_where_it_is_allowed(self, write, pk, mistake):
        """And nowhere else: the same file without the flag is a mistake, for every verb."""
        write("mine.py", "def shout(value, fields):\n    return value.upper()\n")
        write("p.yaml", "align:\n  - python: mine:shout\nexamples:\n  - {completion: a, answer: A}\n")
        ended = pk("check", "p.yaml", "--allow-code")
        assert (ended.code, ended.err) == (0, "ok   p.yaml: 1 of 1 examples hold\n")
        assert "runs only with --allow-code" in mistake("card", "p.yaml")

    def test_a_function_that_is_not_there_is_told(self, write, mistake):
        """With what there is."""
        write("mine.py", "def shout(value, fields):\n    return value.upper()\n")
        write("p.yaml", "align:\n  - python: mine:shut\n")
        assert (
            mistake("check", "p.yaml", "--allow-code")
            == """\
p.yaml:2:13: align[0].python: mine has no function 'shut'
    2 |   - python: mine:shut
                    ^
    known: shout   did you mean 'shout'?
"""
        )

    def test_a_module_that_does_not_import_is_told(self, write, mistake):
        """What it raised is part of the message; where, is for Python to say."""
        write("mine.py", "import nope_nope\n")
        write("p.yaml", "align:\n  - python: mine:shut\n")
        assert (
            mistake("check", "p.yaml", "--allow-code")
            == """\
p.yaml:2:13: align[0].python: the module 'mine' cannot be imported: ModuleNotFoundError: No module named 'nope_nope'
    2 |   - python: mine:shut
                    ^
"""
        )


class TestExtract:
    """Completions from anywhere."""

    def test_a_name_that_the_first_row_lacks_is_told(self, mistake, folder):
        """Of what is asked for beside the completion; and no file is left behind."""
        words = ["extract", "sums.yaml", "--from", "sums.jsonl", "--field", "question", "--out", "o.jsonl"]
        for option in ("--question", "--prompt", "--ended", "--gold"):
            assert mistake(*words, option, "anwser") == (
                "sums.jsonl:1: there is no field 'anwser'\n    known: answer, id, question   did you mean 'answer'?\n"
            )
        assert sorted(each.name for each in folder.iterdir()) == ["sums.jsonl", "sums.yaml"]

    def test_a_file_that_cannot_be_read_at_all_leaves_an_older_result_as_it_was(self, write, mistake, folder):
        """Nothing is worse than half a file that looks like a whole one."""
        write("chains.jsonl", "")
        write("o.jsonl", "older\n")
        words = ["extract", "sums.yaml", "--from", "chains.jsonl", "--out", "o.jsonl"]
        assert mistake(*words) == "chains.jsonl: is empty\n"
        assert (folder / "o.jsonl").read_text() == "older\n"

    def test_the_file_that_is_read_is_never_written(self, mistake, folder):
        """It was emptied before the first row was read."""
        before = (folder / "sums.jsonl").read_bytes()
        (folder / "link.jsonl").symlink_to("sums.jsonl")
        for out in ("sums.jsonl", "link.jsonl"):
            said = mistake("extract", "sums.yaml", "--from", "sums.jsonl", "--field", "question", "--out", out)
            assert said == f"{out!r} is what --from reads, and would be overwritten\n    --out FILE names another\n"
        assert (folder / "sums.jsonl").read_bytes() == before

    @pytest.mark.parametrize(
        ("out", "reason"),
        [
            ("sums.yaml/o.jsonl", "not a directory"),
            (".", "is a directory"),
            ("no/o.jsonl", "no such file or directory"),
        ],
    )
    def test_a_place_that_cannot_be_written_is_told(self, mistake, out, reason):
        """By the name that was typed."""
        for words in (["extract", "sums.yaml", "--from", "sums.jsonl", "--field", "question"], ["schema"]):
            assert mistake(*words, "--out", out) == f"{out!r} cannot be written: {reason}\n"


class TestScore:
    """Folders of runs, given by hand."""

    @pytest.fixture
    def run(self, pk):
        """The folder of a finished run."""
        return Path(pk("run", "sums.yaml", "--json").json["run"])

    @pytest.mark.parametrize("name", [".", "nope", "sums.yaml"])
    def test_what_is_no_run_is_told(self, mistake, name):
        """A folder, nothing, a file."""
        assert mistake("score", name) == (
            f"{name!r} is not a run: it holds no run.json\n    name the folder that `promptkit run` printed\n"
        )

    def test_half_a_run_is_told(self, mistake, run):
        """Somebody copied one file of the two."""
        (run / "samples.parquet").unlink()
        assert mistake("score", run) == (
            f"{str(run)!r} is not a run: it holds no samples.parquet\n    name the folder that `promptkit run` printed\n"
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "cannot be read: Expecting value: line 1 column 1 (char 0)"),
            (b'{"pipeline": "su', "cannot be read: Unterminated string starting at: line 1 column 14 (char 13)"),
            (b"\xff\xfe", "cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
            (b"[]", "does not hold a map"),
            (b"{}", "has no 'pipeline', or it is not what a run writes there"),
        ],
    )
    def test_a_broken_summary_is_told(self, mistake, run, content, message):
        """`run.json` is a file that people open."""
        (run / "run.json").write_bytes(content)
        assert mistake("score", run) == f"the run {str(run)!r}: run.json {message}\n"

    @pytest.mark.parametrize("name", ["scores", "statuses", "declaration", "folder", "num_examples"])
    def test_a_summary_that_lacks_something_is_told(self, mistake, run, name):
        """Whatever the verb is asked to print."""
        summary = json.loads((run / "run.json").read_text())
        del summary[name]
        (run / "run.json").write_text(json.dumps(summary))
        said = f"the run {str(run)!r}: run.json has no {name!r}, or it is not what a run writes there\n"
        assert mistake("score", run) == mistake("score", run, "--json") == said

    def test_samples_that_lack_a_column_are_told(self, mistake, run):
        """Written by another version, or by hand."""
        import pyarrow.parquet as pq

        table = pq.read_table(run / "samples.parquet")
        pq.write_table(table.drop_columns(["completion"]), run / "samples.parquet")
        assert mistake("score", run) == f"the run {str(run)!r}: samples.parquet has no column 'completion'\n"

    def test_samples_that_are_no_parquet_are_told(self, mistake, run):
        """The reason is the library's, on one line."""
        (run / "samples.parquet").write_bytes(b"PAR1 and no more")
        said = mistake("score", run)
        assert said.startswith(f"the run {str(run)!r}: samples.parquet cannot be read: ")
        assert said.count("\n") == 1

    def test_a_pipeline_that_is_no_longer_known_is_told(self, mistake, run):
        """A step of a plug-in that is gone, for instance."""
        text = (run / "run.json").read_text()
        (run / "run.json").write_text(text.replace('"number"', '"nmber"'))
        assert mistake("score", run) == (
            f"the run {str(run)!r}: its pipeline cannot be read again: no step is called 'nmber'\n"
        )

    def test_a_chain_that_could_never_give_a_target_is_told(self, write, mistake, run):
        """Every answer would be wrong, and the score a silent 0."""
        write("letters.yaml", "align: [{map: {yes: true}}]\n")
        assert mistake("score", run, "--with", "letters.yaml") == (
            "sums.jsonl:1: no completion could give the target 2: 2 is neither a key nor a value of the table\n"
        )


class TestPlaces:
    """Where runs and completions go. Who runs this may write anywhere, so what cannot be written is not a matter of
    rights here: it is below a file, or beyond the size that the process may write.
    """

    @pytest.mark.parametrize("out", ["sums.yaml", "sums.yaml/runs"])
    def test_a_run_folder_that_cannot_be_made_is_told_before_anything_is_computed(self, mistake, cache, out):
        """Hours of computing must not end in "not a directory"."""
        assert mistake("run", "sums.yaml", "--out", out) == (
            f"the run folder cannot be made in {out!r}: not a directory\n    --out DIR names another\n"
        )
        assert not (cache / "completions.sqlite").exists()

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody may write")
    def test_a_folder_in_which_nobody_may_write_is_told(self, mistake):
        """/proc takes no folders, not even from the superuser."""
        assert mistake("run", "sums.yaml", "--out", "/proc/runs") == (
            "the run folder cannot be made in '/proc/runs': no such file or directory\n    --out DIR names another\n"
        )

    @pytest.mark.parametrize(
        ("store", "reason"),
        [
            ("sums.yaml", "file is not a database"),
            (".", "unable to open database file"),
            ("sums.yaml/store.sqlite", "its folder is a file"),
        ],
    )
    def test_a_store_that_cannot_be_opened_is_told(self, mistake, folder, store, reason):
        """Whatever stands there is left as it is."""
        before = (folder / "sums.yaml").read_bytes()
        assert mistake("run", "sums.yaml", "--store", store) == (
            f"the completion store {store!r} cannot be opened: {reason}\n    --store FILE names another\n"
        )
        assert (folder / "sums.yaml").read_bytes() == before

    @pytest.mark.slow
    def test_a_full_disk_keeps_the_older_run_and_loses_no_completion(self, write, process, folder):
        """The process may write no file of more than 100 kB: enough for the store, too little for the run."""
        rows = [{"id": i, "question": "1 + 1", "answer": 2, "more": noise(i)} for i in range(2)]
        write("sums.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (100_000, 100_000))
        started = process("run", "sums.yaml", preexec_fn=limited)
        out, err = started.communicate()
        (said, hint) = err.splitlines()[-2:]
        assert (started.returncode, out) == (2, "")
        assert said.startswith("the run folder 'runs/sums--scripted--")
        assert said.endswith("' cannot be written: file too large")
        assert hint == "    every completion is in the store: the same command with another --out writes it"
        assert "Traceback" not in err
        assert list((folder / "runs").iterdir()) == []
        again = process("run", "sums.yaml", "--json")
        assert json.loads(again.communicate()[0])["completions"] == {"computed": 0, "from_store": 2}

    @pytest.mark.slow
    def test_a_store_without_room_is_told(self, process):
        """The reason is SQLite's own."""
        started = process("run", "sums.yaml", preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (512, 512)))
        out, err = started.communicate()
        assert (started.returncode, out) == (2, "")
        assert err.startswith("the completion store ")
        assert err.endswith("cannot be opened: disk i/o error\n    --store FILE names another\n")

    @pytest.mark.slow
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
    @pytest.mark.parametrize("words", [["schema"], ["show", "sums.yaml", "--raw"], ["run", "sums.yaml", "--quiet"]])
    def test_an_output_without_room_is_told(self, process, words):
        """A redirection into a full disk would otherwise be an empty file and a traceback."""
        with Path("/dev/full").open("w") as full:
            started = process(*words, stdout=full)
            _, err = started.communicate()
        assert started.returncode == 2
        assert err.splitlines()[-1] == "the output cannot be written: no space left on device"
        assert "Traceback" not in err


def noise(seed):
    """200 kB of text that does not compress."""
    import random

    return random.Random(seed).randbytes(100_000).hex()


@pytest.mark.parametrize("verb", ["show", "run"])
def test_options_that_are_no_choice_are_told_with_their_row(write, mistake, verb):
    """One option, or the same twice, is a mistake of the data: `show` must say so as `run` does."""
    write("p.yaml", "data: {test: {rows: [{q: a}]}}\nprompt: [query: a]\nchoose: {options: '{{ [q] }}'}\n")
    message = "data.test.rows[0]: `options` must give two or more different texts, not ['a']\n"
    assert mistake(verb, "p.yaml") == message


@pytest.mark.parametrize("verb", ["check", "run", "card"])
def test_a_pipe_is_read_once(verb, process, folder):
    """`promptkit run <(sed ... my.yaml)`: data lie where the command is typed, for a pipe lies nowhere."""
    running = process(verb, "/dev/stdin", stdin=subprocess.PIPE)
    _, said = running.communicate(SUMS, timeout=120)
    assert (running.returncode, "Traceback" in said) == (0, False)


def test_a_dash_is_no_pipeline(mistake):
    """It is standard input for `--from`; as a pipeline it has a name of its own."""
    assert mistake("check", "-") == (
        "'-': is neither a file nor a shipped pipeline or chain\n    standard input is the file /dev/stdin\n"
    )
