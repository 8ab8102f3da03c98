"""Files of completions: every shape that is known, read from files as the tools write them."""

import gzip
import io
import json
import pickle
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from promptkit.data import Names, Sample, Unreadable, open_samples
from promptkit.errors import DataError

LM_EVAL = {
    "doc_id": 7,
    "doc": {"question": "2 + 2?", "answer": "#### 4"},
    "target": "#### 4",
    "arguments": {"gen_args_0": {"arg_0": "Question: 2 + 2?\nAnswer:", "arg_1": {"until": ["Question:"]}}},
    "resps": [["It is 4.", "It is 5."]],
    "filtered_resps": ["4"],
    "filter": "strict-match",
    "metrics": ["exact_match"],
    "doc_hash": "a",
    "prompt_hash": "b",
    "target_hash": "c",
    "exact_match": 1.0,
}
INSPECT = {
    "id": "q1",
    "epoch": 2,
    "input": "2 + 2?",
    "choices": ["4", "5"],
    "target": "A",
    "messages": [],
    "output": {
        "model": "m",
        "choices": [{"message": {"content": "ANSWER: A", "role": "assistant"}, "stop_reason": "max_tokens"}],
    },
    "metadata": {"level": 3},
    "attachments": {"f00": "long ago"},
}


def inspect_sample(**changes):
    """A sample of an inspect log, with some of it changed; `content` is that of the message."""
    sample = json.loads(json.dumps(INSPECT))
    if "content" in changes:
        sample["output"]["choices"][0]["message"]["content"] = changes.pop("content")
    return {**sample, **changes}


@pytest.fixture
def samples():
    """The samples of a file, all of them."""

    def samples_(path, *, is_plain=False, limit=None, **names):
        opened = open_samples(str(path), Names(**names), is_plain=is_plain)
        return [sample for batch in opened.batches(limit) for sample in batch.samples()]

    return samples_


def about(path):
    """What the file is said to be."""
    return open_samples(str(path), Names()).shape.about


def inspect_json(*made):
    """An inspect log as one JSON value."""
    return json.dumps({"version": 2, "status": "success", "eval": {"task": "t"}, "samples": made})


class TestPlain:
    """Rows with a field for the completion."""

    def test_a_row_is_a_sample(self, write, samples):
        """With its own id, else one of the file's name and its number."""
        path = write("a.jsonl", [{"completion": "4", "id": 9}, {"completion": "5"}])
        assert samples(path) == [
            Sample(id=9, origin=f"{path}:1", text="4", fields={"completion": "4", "id": 9}),
            Sample(id="a-1", origin=f"{path}:2", text="5", fields={"completion": "5"}),
        ]
        assert about(path) == ""

    def test_what_is_known_beside_it_is_named(self, write, samples):
        """Every tool has its own names, and its own words for why a completion ended."""
        rows = [{"c": "4", "q": "2 + 2?", "p": "Q: 2 + 2?", "e": end, "g": 4} for end in ("max_tokens", "stop", None)]
        names = {"completion": "c", "question": "q", "prompt": "p", "ended": "e", "target": "g"}
        first, *others = samples(write("a.jsonl", rows), is_plain=True, **names)
        assert (first.question, first.prompt, first.ended, first.target) == ("2 + 2?", "Q: 2 + 2?", "length", 4)
        assert [each.ended for each in others] == ["stop", "eos"]

    def test_a_name_that_the_first_row_lacks_is_a_mistake(self, write, samples):
        """A typing slip would otherwise be silence."""
        path = write("a.jsonl", [{"completion": "4", "question": "2 + 2?"}])
        with pytest.raises(DataError) as caught:
            samples(path, question="qestion")
        known = "known: completion, question   did you mean 'question'?"
        assert str(caught.value) == f"{path}:1: there is no field 'qestion'\n    {known}"

    @pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
    def test_a_completion_that_no_row_has_is_a_mistake(self, name, write, samples):
        """Ten thousand rows without an answer are no answer to a typing slip."""
        rows = [{"id": str(number), "output": "4"} for number in range(3)]
        path = write(name, rows if name.endswith("jsonl") else "id,output\n0,4\n1,4\n")
        place = f"{path}:{1 if name.endswith('jsonl') else 2}"
        with pytest.raises(DataError) as caught:
            samples(path, completion="outpt", is_plain=True)
        known = "known: id, output   did you mean 'output'?"
        assert str(caught.value) == f"{place}: there is no field 'outpt'\n    {known}"

    def test_rows_without_a_completion_may_stand_first(self, write, samples):
        """A log may begin with what failed; all rows come, in their order."""
        rows = [{"id": 0, "error": "timed out"}, {"id": 1, "output": "4"}, {"id": 2, "output": "5"}]
        found = samples(write("a.jsonl", rows), completion="output", is_plain=True)
        assert [(each.id, isinstance(each, Sample)) for each in found] == [(0, False), (1, True), (2, True)]

    def test_what_cannot_be_read_is_named_and_stands_in_its_place(self, write, samples, monkeypatch):
        """No field, null, a number, no JSON, no map, no text: six rows, and the good ones around them."""
        lines = ['{"completion": "4"}', '{"compleion": "4", "id": 3}', '{"completion": null}', '{"completion": 4}']
        lines += ['{"completion": "', "[1]", '{"completion": "\\ud83d"}', '{"completion": "5"}']
        path = write("a.jsonl", "\n".join(lines).encode() + b"\n\xff\n")
        monkeypatch.chdir(path.parent)
        found = samples("a.jsonl")
        assert [each.id for each in found] == ["a-0", 3, *(f"a-{number}" for number in range(2, 9))]
        assert [each.reason for each in found if isinstance(each, Unreadable)] == [
            "a.jsonl:2: there is no field 'completion'; known: compleion, id   did you mean 'compleion'?",
            "a.jsonl:3: the field 'completion' is null",
            "a.jsonl:4: the field 'completion' holds 4, not text",
            "a.jsonl:5:16: is not JSON: unterminated string starting at",
            "a.jsonl:6: a row must be a map of fields, not [1]",
            "a.jsonl:7: holds \\ud83d, half of a surrogate pair",
            "a.jsonl:9: is not UTF-8 text: byte 153 of the file is 0xff",
        ]
        assert [each.is_null for each in found if isinstance(each, Unreadable)] == [False, True, *[False] * 5]

    def test_rows_of_csv_that_are_broken_are_named_too(self, write, samples):
        """One cell too many, a quote inside a cell, bytes that are no text; the reader goes on behind each."""
        path = write("a.csv", b'completion,n\n4,1\n5,1,2\n"x"y,1\n\xff,1\n6,1\n')
        found = samples(path)
        assert [each.text if isinstance(each, Sample) else each.reason.removeprefix(f"{path}:") for each in found] == [
            "4",
            "3: the row has 3 cells, the header 2",
            "4: is not CSV: ',' expected after '\"'",
            "5: is not UTF-8 text: byte 30 of the file is 0xff",
            "6",
        ]

    def test_a_file_that_breaks_off_is_read_so_far(self, write, samples):
        """A download that stopped: its good rows are of use, and the end of them is no secret."""
        packed = gzip.compress(b'{"completion": "4"}\n' * 100_000)
        path = write("a.jsonl.gz", packed[: len(packed) // 2])
        *good, last = samples(path)
        assert len(good) > 1000
        assert last.reason == (
            f"{path}: cannot be unpacked: compressed file ended before the end-of-stream marker was reached; "
            "what comes after it is not read"
        )

    @pytest.mark.parametrize("suffix", ["gz", "zst"])
    def test_packed_lines_are_unpacked_as_they_are_read(self, tmp_path, samples, suffix):
        """Logs are kept packed."""
        text = b'{"completion": "4"}\n{"completion": "5"}\n'
        packed = gzip.compress(text) if suffix == "gz" else pa.compress(text, codec="zstd", asbytes=True)
        (tmp_path / f"a.jsonl.{suffix}").write_bytes(packed)
        found = samples(tmp_path / f"a.jsonl.{suffix}")
        assert [(each.id, each.text) for each in found] == [("a-0", "4"), ("a-1", "5")]

    def test_standard_input_is_lines_of_json(self, samples, monkeypatch):
        """So that any program may stand before promptkit in a pipe."""
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"completion": "4"}\n')))
        assert samples("-") == [Sample(id="stdin-0", origin="stdin:1", text="4", fields={"completion": "4"})]

    def test_parquet_and_json_are_rows_as_well(self, tmp_path, write, samples):
        """Other formats are read by rows, and read alike."""
        pq.write_table(pa.table({"completion": ["4", None]}), tmp_path / "a.parquet")
        good, null = samples(tmp_path / "a.parquet")
        assert (good.text, null.reason) == ("4", f"{tmp_path / 'a.parquet'}[1]: the field 'completion' is null")
        assert [each.text for each in samples(write("a.json", '[{"completion": "4"}]'))] == ["4"]

    def test_limit_looks_no_further(self, write, samples):
        """The first rows of a large file come at once."""
        path = write("a.jsonl", '{"completion": "4"}\nbroken\n')
        assert len(samples(path, limit=1)) == 1

    def test_batches_are_small_and_travel(self, write):
        """They are sent to other processes."""
        path = write("a.jsonl", [{"completion": str(number)} for number in range(600)])
        batches = pickle.loads(pickle.dumps(list(open_samples(str(path), Names()).batches())))
        assert [(batch.first, len(batch.items)) for batch in batches] == [(0, 256), (256, 256), (512, 88)]
        assert batches[1].place == f"{path}:257 to {path}:512"
        assert [next(row.samples()).id for row in list(batches[1].rows())[:2]] == ["a-256", "a-257"]

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.jsonl", "", ": is empty"),
            ("a.jsonl", "\n", ": holds no rows"),
            ("a.json", '{"a": 1}', ": must hold a list of rows, not {'a': 1}"),
            ("a.csv", "a,a\n1,2\n", ":1: the header names 'a' twice"),
            ("a.eval", "PK", ": is not a zip file that can be read: file is not a zip file"),
            ("a.jsonl.gz", "no", ": cannot be read: not a gzipped file (b'no')"),
        ],
    )
    def test_a_file_that_cannot_be_read_at_all_is_a_mistake(self, write, samples, name, content, message):
        """There is no row that could be named."""
        path = write(name, content)
        with pytest.raises(DataError) as caught:
            samples(path)
        assert str(caught.value) == f"{path}{message}"


class TestLmEval:
    """`samples_*.jsonl` of lm-evaluation-harness."""

    def test_each_response_is_a_sample_of_its_document(self, write, samples):
        """Under the document's number and fields; the prompt is the request's."""
        path = write("samples_gsm8k.jsonl", [LM_EVAL])
        first, second = samples(path)
        assert (first.id, first.number, first.text) == (7, 0, "It is 4.")
        assert (second.id, second.number, second.text) == (7, 1, "It is 5.")
        assert first.fields == {"target": "#### 4", "question": "2 + 2?", "answer": "#### 4"}
        assert first.prompt == "Question: 2 + 2?\nAnswer:"

    def test_a_document_is_read_under_one_filter(self, write, samples):
        """The log repeats it for each; counting it twice would change every rate."""
        path = write("s.jsonl", [LM_EVAL, {**LM_EVAL, "filter": "flexible-extract"}])
        assert len(samples(path)) == 2
        assert about(path) == (
            "an lm-eval log, filter 'strict-match'; the rows of other filters hold the same completions"
        )

    def test_older_logs_are_read_too(self, write, samples):
        """Without filters, and with arguments as lists."""
        old = {name: LM_EVAL[name] for name in ("doc_id", "doc", "target", "resps")}
        (first, _) = samples(write("s.jsonl", [{**old, "arguments": [["Q: 2 + 2?", {"until": []}]]}]))
        assert (first.prompt, first.text) == ("Q: 2 + 2?", "It is 4.")
        assert about(write("s.jsonl", [old])) == "an lm-eval log"

    def test_scores_of_options_are_no_completions(self, write, samples):
        """A multiple-choice task has log-likelihoods in the place of texts."""
        path = write("s.jsonl", [LM_EVAL, {**LM_EVAL, "resps": [[["-1.5", "False"]], [["-0.5", "True"]]]}])
        (unread,) = [each for each in samples(path) if isinstance(each, Unreadable)]
        assert unread.reason == f"{path}:2: resps[0] holds [['-1.5', 'False']], the scores of options"

    def test_names_are_those_of_the_document(self, write, samples):
        """`--question question` asks for the field of the data set."""
        (first, _) = samples(write("s.jsonl", [LM_EVAL]), question="question", target="answer")
        assert (first.question, first.target) == ("2 + 2?", "#### 4")

    def test_a_field_that_is_named_is_what_is_read(self, write, samples):
        """Whoever names one knows better."""
        (found,) = samples(write("s.jsonl", [LM_EVAL]), is_plain=True, completion="target")
        assert (found.text, found.number) == ("#### 4", None)


class TestInspect:
    """Logs of inspect_ai."""

    def test_a_sample_of_a_json_log(self, write, samples):
        """Its epochs are samples; what it was, why it ended, and its choices are known."""
        path = write("log.json", inspect_json(INSPECT))
        (found,) = samples(path, target="target")
        assert (found.id, found.number, found.text, found.ended) == ("q1", 1, "ANSWER: A", "length")
        assert (found.question, found.target, found.origin) == ("2 + 2?", "A", f"{path}[0]")
        assert found.fields == {"level": 3, "input": "2 + 2?", "target": "A", "options": ["4", "5"]}
        assert about(path) == "an inspect log"

    @pytest.mark.parametrize("is_zstd", [False, True])
    def test_a_sample_of_an_eval_log(self, tmp_path, samples, is_zstd):
        """A zip file, packed in the old way or in the new, which Python's own reader does not know yet."""
        path = tmp_path / "log.eval"
        member = "samples/q1_epoch_2.json"
        if is_zstd:
            write_zstd_zip(path, member, json.dumps(INSPECT).encode())
        else:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("_journal/start.json", "{}")
                archive.writestr(member, json.dumps(INSPECT))
                archive.writestr("samples/q2_epoch_1.json", "{")
                archive.writestr("header.json", "{}")
        found, *others = samples(path)
        assert (found.id, found.text, found.origin) == ("q1", "ANSWER: A", f"{path}/{member}")
        assert [each.reason.partition(": ")[2] for each in others] == (
            [] if is_zstd else ["is not JSON: expecting property name enclosed in double quotes"]
        )

    def test_thinking_that_is_kept_apart_is_not_read_as_an_answer(self, write, samples):
        """But thinking that never ended is all that there is, and is known as such."""
        thinking, answer = {"type": "reasoning", "reasoning": "Perhaps 5."}, {"type": "text", "text": "ANSWER: A"}
        logged = [inspect_sample(content=content) for content in ([thinking, answer], [thinking], [answer, answer])]
        found = samples(write("log.json", inspect_json(*logged)))
        assert [each.text for each in found] == ["ANSWER: A", "<think>\nPerhaps 5.", "ANSWER: AANSWER: A"]

    def test_what_a_log_keeps_elsewhere_is_fetched(self, write, samples):
        """Long texts stand once among the attachments; a conversation was asked last by its user."""
        asked = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When?"}]
        (found,) = samples(write("log.json", inspect_json(inspect_sample(content="attachment://f00", input=asked))))
        assert (found.text, found.question) == ("long ago", "When?")

    def test_a_sample_that_failed_is_named(self, write, samples):
        """An evaluation that went on behind an error."""
        failed = inspect_sample(output={"choices": []}, error={"message": "rate limit"})
        path = write("log.json", inspect_json(failed, inspect_sample(content=None)))
        assert [each.reason for each in samples(path)] == [
            f"{path}[0]: the sample has no output: rate limit",
            f"{path}[1]: output.choices[0].message.content is null",
        ]


def write_zstd_zip(path, name, content):
    """A zip file with one member, packed by Zstandard (method 93), written field by field after APPNOTE.TXT."""
    packed = pa.compress(content, codec="zstd", asbytes=True)
    import struct
    import zlib

    sizes = (93, 0, 0, zlib.crc32(content), len(packed), len(content), len(name), 0)
    local = struct.pack("<4s2H3H3I2H", b"PK\3\4", 63, 0, *sizes[:3], *sizes[3:6], *sizes[6:]) + name.encode() + packed
    central = struct.pack("<4s3H3H3I2H3H2I", b"PK\1\2", 63, 63, 0, *sizes[:3], *sizes[3:6], *sizes[6:], 0, 0, 0, 0, 0)
    central += name.encode()
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    Path(path).write_bytes(local + central + end)
