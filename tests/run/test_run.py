"""A run from Python: its records, its folder, and that it is a function of pipeline, data and model."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import promptkit
from promptkit.errors import DataError, GenerationError, RunError
from promptkit.generate import Loading
from promptkit.generate.local import LocalModel
from promptkit.run import Selection, Settings, load, make_plan, run_pipeline
from promptkit.run.folder import SAMPLES, SUMMARY, read_run
from promptkit.score import summarize
from tests.run.doubles import begin, folders
from tests.run.sums import SUMS, folder_of

# What a run returns.


def test_a_run_is_records_in_the_order_of_the_data(write, places):
    """Each with what the model wrote, what was read out of it, and what was right."""
    done = promptkit.run(write(), **places)
    assert [(each.id, each.answer, each.outcome.status, dict(each.scores)) for each in done.records] == [
        ("a", 2, "answered", {"exact_match": 1.0}),
        ("b", 5, "answered", {"exact_match": 0.0}),
        ("c", None, "unparsed", {"exact_match": 0.0}),
        ("d", None, "empty", {"exact_match": 0.0}),
    ]
    assert done.records[0].prompt == "Q: 1 + 1?\nA:"
    assert [each.target for each in done.records] == ["2", "4", "6", "8"]
    assert [each.aligned_target for each in done.records] == [2, 4, 6, 8]


def test_a_loaded_pipeline_may_be_run_as_well(write, places):
    """`load` then `run` is `run`."""
    assert promptkit.run(promptkit.load(write()), **places).folder == promptkit.run(write(), **places).folder


def test_the_summary_has_what_the_table_shows(write, places):
    """Scores with their intervals, and the rate of every status beside them."""
    done = promptkit.run(write(), **places)
    expected, answered = summarize("exact_match", [1, 0, 0, 0]), summarize("exact_match", [1, 0])
    assert done.scores == {
        "exact_match": {
            "value": 0.25,
            "low": expected.low,
            "high": expected.high,
            "answered": {"value": 0.5, "low": answered.low, "high": answered.high, "num": 2},
        },
    }
    assert done.summary["statuses"] == {"answered": 2, "unparsed": 1, "truncated": 0, "ambiguous": 0, "empty": 1}
    assert done.summary["status_rates"]["answered"] == 0.5
    assert (done.summary["pipeline"], done.summary["model"], done.summary["num_examples"]) == ("sums", "scripted", 4)
    assert done.summary["run"] == str(folder_of(done))
    assert {"load_s", "prefill_s", "decode_s", "total_s", "prompt_tokens", "computed_prompt_tokens", "new_tokens"} <= (
        done.summary["timing"].keys()
    )


def test_records_come_as_arrow_and_pandas(write, places):
    """One row a record, the types those of the columns and not of the values that happen to be there."""
    done = promptkit.run(write(), **places)
    table = done.to_arrow()
    assert table.column("id").to_pylist() == ["a", "b", "c", "d"]
    assert table.column("score.exact_match").to_pylist() == [1.0, 0.0, 0.0, 0.0]
    assert [json.loads(each) for each in table.column("answer").to_pylist()] == [2, 5, None, None]
    start, end = table.column("span_start")[0].as_py(), table.column("span_end")[0].as_py()
    assert table.column("completion")[0].as_py()[start:end] == "2"
    frame = done.to_pandas()
    assert list(frame["status"]) == ["answered", "answered", "unparsed", "empty"]
    assert frame["score.exact_match"].mean() == 0.25
    only_unanswered = promptkit.run(write(SUMS.replace("answer is (?P", "nobody says (?P")), **places)
    assert only_unanswered.to_arrow().schema == table.schema


def test_the_folder_holds_what_the_run_returns(write, places):
    """`run.json` and `samples.parquet` are the run: another program needs nothing else."""
    done = promptkit.run(write(), **places)
    assert folders(folder_of(done)) == [SUMMARY, SAMPLES]
    summary, rows = read_run(folder_of(done))
    assert summary == json.loads(json.dumps(dict(done.summary), default=str))
    assert rows == done.to_arrow().to_pylist()
    assert folders(places["out"]) == [folder_of(done).name]


def test_a_run_without_targets_has_answers_and_no_scores(write, places):
    """A pipeline may be run on rows that nobody has solved."""
    done = promptkit.run(write(SUMS.replace('  target: "{{ answer }}"\n', "")), **places)
    nothing = {"value": None, "low": None, "high": None}
    assert done.scores == {"exact_match": {**nothing, "answered": {**nothing, "num": 0}}}
    assert [each.answer for each in done.records] == [2, 5, None, None]


def test_out_none_writes_nothing(write, places):
    """For notebooks: the run is what is returned."""
    done = promptkit.run(write(), out=None, store=places["store"])
    assert done.folder is None
    assert len(done.records) == 4
    assert not places["out"].exists()


# A run is a function of pipeline, data and model.


def test_the_same_run_has_the_same_folder(write, places):
    """And in it the same records, but for where the completions came from."""
    first, second = promptkit.run(write(), **places), promptkit.run(write(), **places)
    assert first.folder == second.folder
    assert folders(places["out"]) == [folder_of(first).name]
    assert [replace(each, from_store=True) for each in first.records] == list(second.records)


def test_a_second_run_computes_nothing(write, places):
    """What was paid for once is kept; the summary says so."""
    first, second = promptkit.run(write(), **places), promptkit.run(write(), **places)
    assert first.summary["completions"] == {"computed": 4, "from_store": 0}
    assert second.summary["completions"] == {"computed": 0, "from_store": 4}


def test_refresh_computes_again(write, places):
    """For those who do not believe it."""
    settings = Settings(out=places["out"], store=places["store"], refresh=True)
    run_pipeline(load(write()), settings)
    assert run_pipeline(load(write()), settings).summary["completions"] == {"computed": 4, "from_store": 0}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Q: {{ question }}?", "Q: {{ question }} ?"),
        ("question: 4 + 4", "question: 4 + 4 ="),
        ('answer: "8"', 'answer: "9"'),
        ("id: d", "id: e"),
        ("I cannot say", "I will not say"),
        ("- number", "- number: {take: last}"),
    ],
)
def test_whatever_changes_the_run_changes_its_folder(write, places, before, after):
    """Template, data, target, id, model, parser: no run may be taken for another's."""
    assert before in SUMS
    first = promptkit.run(write(), **places)
    second = promptkit.run(write(SUMS.replace(before, after)), **places)
    assert first.folder != second.folder
    assert folder_of(first).is_dir()


def test_a_template_file_that_changes_changes_the_folder(write, places, tmp_path):
    """The pipeline's own file is the same to the byte; what the model reads is not."""
    (tmp_path / "query.jinja").write_text("Q: {{ question }}?\nA:")
    path = write(SUMS.replace('"Q: {{ question }}?\\nA:"', "query.jinja"))
    first = promptkit.run(path, **places)
    (tmp_path / "query.jinja").write_text("Q: {{ question }}\nA:")
    assert promptkit.run(path, **places).folder != first.folder


def test_what_is_asked_beside_the_prompts_counts_too(write, places, tmp_path):
    """Its template's file changes scores, and neither the pipeline's own file nor any prompt."""
    (tmp_path / "alone.jinja").write_text("Alone:")
    text = (
        "model: {scripted: [{when: '', completion: x, scores: {x: -1.0, y: -2.0}}]}\n"
        "data: {test: {rows: [{q: one}]}}\nprompt: [query: '{{ q }}']\n"
        "choose: {options: [x, y], normalize: unconditional, unconditional_prompt: alone.jinja}\n"
    )
    first = promptkit.run(write(text), **places)
    (tmp_path / "alone.jinja").write_text("By itself:")
    assert promptkit.run(write(text), **places).folder != first.folder


def test_fields_that_only_the_chain_reads_count_too(write, places, tmp_path):
    """Options that the prompt does not show decide what a completion means."""
    text = "data: {test: {files: rows.jsonl}}\nprompt: [query: '{{ q }}']\nalign: [choice]\n"
    path = write("model: {scripted: [{when: '', completion: blue}]}\n" + text)
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "q": "one", "options": ["red", "blue"]}\n')
    first = promptkit.run(path, **places)
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "q": "one", "options": ["blue", "red"]}\n')
    second = promptkit.run(path, **places)
    assert [first.records[0].answer, second.records[0].answer] == ["B", "A"]
    assert first.folder != second.folder


def test_data_files_that_change_change_the_folder(write, places, tmp_path):
    """Nothing in the file tells of it."""
    rows = tmp_path / "rows.jsonl"
    text = SUMS[: SUMS.index("  test:")] + "  test: rows.jsonl\n" + SUMS[SUMS.index("  target:") :]
    rows.write_text('{"question": "1 + 1", "answer": "2"}\n')
    first = promptkit.run(write(text), **places)
    rows.write_text('{"question": "1 + 1", "answer": "3"}\n')
    assert promptkit.run(write(text), **places).folder != first.folder


# The folder is whole or not at all.


def test_a_run_that_fails_leaves_no_folder(write, places):
    """Half a run would be read as a whole one. What was finished is in the store, and the next run goes on from it."""
    with pytest.raises(GenerationError):
        promptkit.run(write(SUMS.replace(r"4 \+ 4', completion", r"no such', completion")), **places)
    assert folders(places["out"]) == []


def test_a_write_that_fails_leaves_no_folder(write, places, monkeypatch):
    """A full disk, in the middle of the second file."""

    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    path = write()
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError) as caught:
        promptkit.run(path, **places)
    name = str(caught.value).split("'")[1]
    assert str(caught.value) == (
        f"the run folder {name!r} cannot be written: no space left on device\n"
        "    every completion is in the store: the same command with another --out writes it"
    )
    assert folders(places["out"]) == []
    monkeypatch.undo()
    assert promptkit.run(path, **places).summary["completions"] == {"computed": 0, "from_store": 4}


def test_an_older_run_stays_whole_when_its_successor_cannot_be_moved_in(write, places, monkeypatch):
    """The old folder gives way only for as long as the move takes."""
    first = promptkit.run(write(), **places)
    before = read_run(folder_of(first))
    move = Path.replace

    def refuse_new(self, target):
        if self.name.startswith(".partial-") and not self.name.endswith("-old"):
            raise OSError(13, "Permission denied")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", refuse_new)
    with pytest.raises(RunError, match="cannot be written: permission denied"):
        promptkit.run(write(), **places)
    assert read_run(folder_of(first)) == before
    assert folders(places["out"]) == [folder_of(first).name]


@pytest.mark.slow
def test_the_same_run_may_end_in_several_processes_at_once(write, places, tmp_path):
    """One folder, whole, and no process that fails because another was faster."""
    command = [sys.executable, "-m", "promptkit", "run", str(write()), "--quiet", "--json"]
    command += ["--out", str(places["out"]), "--store", str(places["store"])]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    said = [process.communicate(timeout=120) for process in runs]
    assert [(process.returncode, error) for process, (_, error) in zip(runs, said, strict=True)] == [(0, "")] * 6
    (folder,) = {json.loads(output)["run"] for output, _ in said}
    assert folders(places["out"]) == [Path(folder).name]
    assert len(read_run(Path(folder))[1]) == 4


def test_a_place_that_cannot_be_written_is_said_before_anything_is_computed(write, places):
    """Hours of computing must not end in "not a directory"."""
    places["out"].write_text("a file stands here")
    with pytest.raises(RunError) as caught:
        promptkit.run(write(), **places)
    assert str(caught.value) == (
        f"the run folder cannot be made in {str(places['out'])!r}: not a directory\n    --out DIR names another"
    )
    assert not places["store"].exists()


def test_a_folder_that_is_no_run_is_one_error(tmp_path):
    """`score` and `compare` are given folders by hand."""
    with pytest.raises(RunError) as caught:
        read_run(tmp_path)
    assert str(caught.value) == (
        f"{str(tmp_path)!r} is not a run: it holds no run.json\n    name the folder that `promptkit run` printed"
    )
    (tmp_path / SUMMARY).write_text("{}")
    (tmp_path / SAMPLES).write_bytes(b"PAR1 and no more")
    with pytest.raises(RunError, match=r": run\.json has no 'pipeline', or it is not what a run writes there$"):
        read_run(tmp_path)


def test_a_run_whose_table_is_cut_off_is_one_error(write, places):
    """A copy that broke off."""
    done = promptkit.run(write(), **places)
    (folder_of(done) / SAMPLES).write_bytes((folder_of(done) / SAMPLES).read_bytes()[:100])
    with pytest.raises(RunError, match=r": samples\.parquet cannot be read: "):
        read_run(folder_of(done))


# What a run will not begin.


def test_a_target_that_no_completion_could_give_is_an_error_at_once(write, places):
    """It would count as a wrong answer of the model for ever. The row is named, and nothing was computed."""
    with pytest.raises(DataError) as caught:
        begin(write(SUMS.replace('answer: "6"', 'answer: "many"')), places)
    assert str(caught.value) == "data.test.rows[2]: no completion could give the target 'many': 'many' is not a number"
    assert not places["store"].exists()


def test_too_few_demonstrations_are_an_error_at_once(write, places):
    """A "5-shot" number of three shots would be a lie."""
    shots = """prompt:
  - demonstrations:
      from: train
      take: 5
      template: "Q: {{ question }}\\nA: {{ answer }}\\n\\n"
"""
    train = "  train: {rows: [{question: 0 + 0, answer: 0}, {question: 0 + 1, answer: 1}]}\n  target:"
    text = SUMS.replace("prompt:\n", shots).replace("  target:", train)
    with pytest.raises(DataError, match=r"demonstrations\.take: 5 are to be taken, but 'train' has 2 rows"):
        begin(write(text), places)


def test_too_few_demonstrations_beside_the_example_itself_are_an_error(write, places):
    """From its own split an example has one row less to be shown than there are."""
    shots = """prompt:
  - demonstrations: {from: test, take: 4, template: "{{ question }}"}
"""
    with pytest.raises(DataError) as caught:
        begin(write(SUMS.replace("prompt:\n", shots)), places)
    assert str(caught.value) == (
        "data.test.rows[0]: 4 demonstrations are to be taken, but there are 3 rows without 'a' (itself)\n"
        "    a smaller `take`, more rows, or `leaks: allow`"
    )


# Samples and seeds.

SAMPLED = """
model: {scripted: [{when: "A", completion: ["1", "2", "1", "1"]}, {when: "B", completion: ["3"]}]}
data: {test: {rows: [{q: A, answer: "1"}, {q: B, answer: "4"}]}, target: "{{ answer }}"}
prompt: [query: "{{ q }}"]
generate: {samples: 4, temperature: 1.0}
"""


def test_samples_of_one_example_are_averaged_before_the_interval(write, places):
    """Four samples are not four examples: the interval is that of two scores, 0.75 and 0."""
    done = promptkit.run(write(SAMPLED), **places)
    assert [(each.id, each.sample, each.answer) for each in done.records][:5] == [
        ("test-0", 0, "1"),
        ("test-0", 1, "2"),
        ("test-0", 2, "1"),
        ("test-0", 3, "1"),
        ("test-1", 0, "3"),
    ]
    expected = summarize("exact_match", [0.75, 0])
    shown = {"value": 0.375, "low": expected.low, "high": expected.high}
    assert done.scores["exact_match"] == {**shown, "answered": {**shown, "num": 2}}
    assert (done.summary["num_examples"], done.summary["num_samples"]) == (2, 8)


# The tiny model.

UNCONDITIONAL_EMPTY = """
prompt: [query: "{{ question }}"]
choose: {options: ["3", "27", positive], normalize: unconditional, unconditional_prompt: ""}
"""
LOCAL = """
data:
  test: {{files: rows.jsonl}}
  target: "{{{{ answer }}}}"
{more}
"""


@pytest.fixture
def local(write, tmp_path, tiny_model, cache):
    """Writes a pipeline on the tiny model with ten rows, and runs it in float32."""
    rows = [{"question": f"How many {word} are there?", "answer": "3"} for word in "abcdefghij"]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(more, **options):
        path = write(LOCAL.format(more=more), "local.yaml")
        return promptkit.run(path, model=str(tiny_model), dtype="float32", out=None, **options)

    return run


@pytest.mark.slow
def test_a_limit_changes_no_completion(local, tmp_path):
    """Seeds are derived from the example, so the first three of ten are the three of three."""
    more = 'prompt: [query: "Q: {{ question }} A:"]\ngenerate: {temperature: 1.0, max_new_tokens: 12, samples: 2}'
    few = local(more, limit=3, store=tmp_path / "few.sqlite")
    many = local(more, limit=10, store=tmp_path / "many.sqlite")
    assert len({each.completion.text for each in many.records}) > 10, "samples must differ, or nothing is shown"
    assert list(few.records) == list(many.records[:6])


@pytest.mark.slow
def test_another_seed_gives_other_samples(local, tmp_path):
    """And greedy text does not know it."""
    sampled = 'prompt: [query: "{{ question }}"]\ngenerate: {temperature: 1.0, max_new_tokens: 12, seed: %d}'
    texts = [[each.completion.text for each in local(sampled % seed, limit=3).records] for seed in (0, 1)]
    assert texts[0] != texts[1]
    greedy = 'prompt: [query: "{{ question }}"]\ngenerate: {max_new_tokens: 12, seed: %d}'
    local(greedy % 0, limit=3)
    assert local(greedy % 1, limit=3).summary["completions"] == {"computed": 0, "from_store": 3}


@pytest.mark.slow
@pytest.mark.parametrize("chat", ["true", "false"])
def test_a_prompt_begins_with_exactly_one_bos(local, tiny_model, chat):
    """The chat template writes it and the tokenizer adds it: two of them have cost others points for months."""
    done = local(f'chat: {chat}\nprompt: [query: "{{{{ question }}}}"]\ngenerate: {{max_new_tokens: 2}}', limit=2)
    opened = LocalModel(name=str(tiny_model)).open(Loading())
    bos = opened.facts.bos_token_id
    for job in make_plan(load(Path(done.summary["folder"]) / "local.yaml"), Selection(limit=2), opened).jobs:
        assert job.request.token_ids.count(bos) == 1
        assert job.request.token_ids[0] == bos
    assert done.records[0].prompt.startswith("<s>") == (chat == "true")


@pytest.mark.slow
def test_an_unconditional_prompt_may_be_empty_where_the_tokenizer_adds_bos(local):
    """Then it is the model's own beginning: the log-likelihood of an option after BOS alone."""
    done = local(UNCONDITIONAL_EMPTY, limit=2)
    assert [each.outcome.status for each in done.records] == ["answered", "answered"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        'prompt: [query: ""]\ngenerate: {max_new_tokens: 2}',
        'prompt: [query: "{{ question }}"]\nchoose: {options: [a, b], normalize: unconditional, unconditional_prompt: ""}',
    ],
)
def test_a_prompt_without_a_single_token_is_an_error_at_once(local, tiny_model, tmp_path, more):
    """Where the tokenizer adds no BOS, an empty text is nothing that a model could go on from."""
    bare = tmp_path / "bare"
    shutil.copytree(tiny_model, bare)
    known = json.loads((bare / "tokenizer.json").read_text())
    known["post_processor"] = None
    (bare / "tokenizer.json").write_text(json.dumps(known))
    path = tmp_path / "bare.yaml"
    path.write_text(LOCAL.format(more=more))
    with pytest.raises(DataError) as caught:
        promptkit.run(path, model=str(bare), out=None, limit=1)
    assert str(caught.value) == (
        "example 'test-0' (rows.jsonl:1): the prompt is empty, and the model's tokenizer puts nothing before it\n"
        "    a model can go on only from at least one token"
    )


def test_a_notebook_shows_a_line(write, places):
    """And not every prompt and completion of the run, or the whole declaration."""
    pipeline = promptkit.load(write())
    assert repr(pipeline) == f"<Pipeline 'sums' of {pipeline.file!r}>"
    done = promptkit.run(pipeline, **places)
    assert repr(done) == "<Run of 'sums' on 'scripted': 4 examples, exact_match 0.250>"
