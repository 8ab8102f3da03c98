"""Sweeps as a person meets them: run, check, plan, show, score, and the picture."""

import builtins
from pathlib import Path

import pytest

from tests.cli.conftest import SUMS

SWEEP = SUMS + (
    'matrix:\n  prompt.instruction: ["Add.\\n", "Add up.\\n", "Sum:\\n"]\n'
    '  generate.seed: [0, 1]\n  exclude: [{prompt.instruction: "Sum:\\n", generate.seed: 1}]\n'
)


@pytest.fixture
def sweep(write):
    """The file."""
    return write("sweep.yaml", SWEEP)


@pytest.fixture
def done(pk, sweep):
    """The folder of a finished sweep."""
    return Path(pk("run", sweep, "--json", "-q").json["run"])


def test_a_row_for_each_cell_and_the_means_over_seeds(pk, sweep):
    """What varies stands in columns with short names; seeds have a table of their own."""
    ended = pk("run", sweep, "-q")
    assert ended.code == 0
    heads = [line.split() for line in ended.out.splitlines() if "exact_match" in line]
    assert heads[0][:7:2] == ["cell", "instruction", "seed", "n"]
    assert "exact_match, mean" in ended.out
    assert "95 % over seeds" in ended.out
    assert "exact_match over 5 cells: mean 25.0 %, sd 0.0, from 25.0 to 25.0 %" in ended.out
    assert "the seed changes nothing in 2 of 3 settings: all prompts and completions are the same" in ended.out
    assert ended.err == "sweep: runs/sums--sweep--" + ended.err.partition("sweep--")[2]


def test_one_json_object_with_the_cells(pk, sweep):
    """Without what only the folder needs."""
    shown = pk("run", sweep, "--json", "-q").json
    assert [cell["settings"]["generate.seed"] for cell in shown["cells"]] == [0, 1, 0, 1, 0]
    assert shown["paths"] == ["prompt.instruction", "generate.seed"]
    assert "declaration" not in shown["cells"][0]


def test_one_cell_is_run_as_a_run(pk, sweep):
    """By its number; it is the very same run that --set gives."""
    one = pk("run", sweep, "--cell", 2, "--json", "-q").json
    by_hand = pk("run", "sums.yaml", "--set", 'prompt.instruction="Add up.\\n"', "--json", "-q").json
    assert one["scores"] == by_hand["scores"]
    assert pk("run", sweep, "--cell", 9).err == "sweep.yaml: there is no cell 9: it has 5, counted from 0\n"


def test_a_threshold_is_asked_of_each_cell(pk, sweep):
    """And names the cell that misses it."""
    ended = pk("run", sweep, "-q", "--at-least", "exact_match=0.9")
    assert ended.code == 1
    assert "sums, cell 4: exact_match is 0.25, asked for at least 0.9" in ended.err


def test_check_checks_all_cells(pk, sweep, write):
    """A mistake in one is a mistake of the file."""
    assert pk("check", sweep).err == "ok   sweep.yaml: 2 of 2 examples hold, 5 cells\n"
    ended = pk("check", write("bad.yaml", SWEEP.replace("[0, 1]", "[0, one]").partition("  exclude")[0]))
    assert ended.code == 2
    assert ended.err == (
        "bad.yaml:23:22: generate.seed: must be a whole number, not 'one'\n"
        "    23 |   generate.seed: [0, one]\n"
        "                              ^\n"
    )


def test_verbs_of_one_pipeline_leave_the_matrix_aside_or_take_a_cell(pk, sweep, caplog):
    """`show` cannot show five prompts; it says which one it shows."""
    with caplog.at_level("INFO", logger="promptkit"):
        assert pk("show", sweep, "--raw").out.startswith("Add.\n")
    assert caplog.messages == ["sweep.yaml: its matrix is left aside: this is the file without it"]
    assert pk("show", sweep, "--raw", "--cell", 2).out.startswith("Add up.\n")
    assert pk("card", sweep, "--cell", 2, "--json").json["pipeline"] == "sums"


def test_model_is_refused_where_the_matrix_is_over_models(mistake, write):
    """Every cell would be the same."""
    path = write("models.yaml", f"{SUMS}matrix: {{model: [smollm2-135m, ./other]}}\n")
    assert mistake("run", path, "--model", "third") == (
        "models.yaml: --model names one model, and the matrix has its own under 'model'\n"
        "    --set 'matrix.model=[...]' names others\n"
    )


def test_score_scores_all_cells_or_one(pk, done, write):
    """With other sections, too."""
    shown = pk("score", done, "--json").json
    assert [cell["changed"] for cell in shown["cells"]] == [[]] * 5
    other = write("other.yaml", "align: [strip]\nscore: [exact_match]\n")
    ended = pk("score", done, "--with", other)
    assert "cell 4 (as run)" in ended.out
    assert ended.err == "15 of 20 answers changed\n"
    assert pk("score", done / "3", "--json").json["run"] == str(done / "3")


def test_a_cell_that_is_scored_again_can_be_written(pk, done, write, mistake):
    """A sweep as a whole cannot: what is written is one run."""
    other = write("other.yaml", "align: [strip]\nscore: [exact_match]\n")
    assert mistake("score", done, "--with", other, "--out", "again") == (
        f"--out takes one run, and {str(done)!r} is a sweep\n    {str(done / '0')!r} is its first cell\n"
    )
    pk("score", done / "3", "--with", other, "--out", "again")
    (pair,) = pk("compare", done / "3", "again", "--json").json["pairs"]
    assert list(pair["causes"]) == ["parser"]


def test_explain_takes_a_cell(pk, done, mistake):
    """SWEEP/N; the sweep itself has no one chain."""
    assert pk("explain", done / "1", "b").code == 0
    assert mistake("explain", done).startswith(f"{str(done)!r} is a sweep of 5 cells\n")


@pytest.mark.slow
def test_plan_counts_all_cells_together(pk, write, tiny_model):
    """Beside what they would take one by one; the run then computes just that."""
    text = (
        SUMS.replace("scripted:", "local:").partition("    rules:")[0]
        + f"    name: {tiny_model}\ndata:"
        + SUMS.partition("data:")[2]
    )
    text = text.replace("Add.", "Add the two numbers, and say what comes out. " * 3)
    path = write(
        "sweep.yaml", f"{text}generate: {{max_new_tokens: 2}}\nmatrix: {{generate.max_new_tokens: [2, 3, 4]}}\n"
    )
    shown = pk("plan", path, "--dtype", "float32", "--json").json
    assert (shown["num_cells"], shown["models"][0]["num_requests"]) == (3, 12)
    assert shown["num_computed"] < shown["num_separate"]
    assert "one by one" in pk("plan", path, "--dtype", "float32").out
    ran = pk("run", path, "--dtype", "float32", "--json", "-q").json
    assert ran["timing"]["computed_prompt_tokens"] == shown["num_computed"]


def test_a_picture_says_what_it_shows(pk, done):
    """The means, what they are over, and what the bars are; text stays text."""
    ended = pk("picture", done, "--x", "instruction", "--out", "shots.svg")
    assert ended.err == (
        "wrote shots.svg: mean over seed (2 cells a point, or 1), n = 4; bars: 95 % interval over cells; over examples "
        "where there is one cell\n"
    )
    svg = Path("shots.svg").read_text(encoding="utf-8")
    assert "sums on scripted" in svg
    assert "exact_match, %" in svg
    assert (
        pk("picture", done, "--x", "seed", "--color", "instruction", "--bars", "examples", "--out", "b.png").code == 0
    )
    assert Path("b.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--x", "tke"], "--x: 'tke' is no path of this sweep\n    known: generate.seed, prompt.instruction\n"),
        (["--x", "seed", "--y", "exact"], "--y: there is no metric 'exact'\n    known: exact_match   did you mean 'exact_match'?\n"),
        (["--x", "seed", "--out", "a.pdf"], "--out: 'a.pdf' ends with none of .svg, .png\n"),
    ],
    ids=["x", "y", "out"],
)  # fmt: skip
def test_a_picture_of_what_is_not_there_is_told(mistake, done, words, said):
    """With what there is."""
    assert mistake("picture", done, "--out", "a.svg", *words) == said


def test_a_picture_of_a_run_is_refused(pk, mistake, folder):
    """One run has nothing that varies."""
    run = pk("run", "sums.yaml", "-q", "--json").json["run"]
    assert mistake("picture", run, "--x", "seed", "--out", "a.svg") == (
        f"{run!r} is not a sweep: it holds no sweep.json\n"
        "    name the folder that `promptkit run` printed for a file with a `matrix`\n"
    )


def test_what_draws_is_an_extra(mistake, done, monkeypatch):
    """And the error names it."""
    real = builtins.__import__

    def without(name, *given):
        if name == "altair":
            raise ModuleNotFoundError(name=name)
        return real(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    assert mistake("picture", done, "--x", "seed", "--out", "a.svg") == (
        "'altair' is not installed; it comes with: pip install 'promptkit[pictures]'\n"
    )


def test_extract_and_bakeoff_read_one_cell(pk, done, write, mistake):
    """As they read a run; a sweep as a whole is several runs, and is refused."""
    chain = write("chain.yaml", "align: [{regex: 'answer is (?P<answer>\\S+)'}, number]\n")
    ended = pk("extract", chain, "--from", str(done / "3"), "--gold", "target", "--json", "-q")
    assert (ended.json["num_rows"], ended.json["statuses"]["answered"]) == (4, 2)
    other = write("other.yaml", "align: [number]\n")
    ended = pk("bakeoff", chain, other, "--from", str(done / "3"), "--gold", "target", "--json")
    assert ended.json["num_rows"] == 4
    for verb, files in (("extract", [chain]), ("bakeoff", [chain, other])):
        assert mistake(verb, *files, "--from", str(done)) == (
            f"{str(done)!r} is a sweep, whose cells are different runs\n    {str(done / '0')!r} is the first of them\n"
        )
        assert mistake(verb, *files, "--from", str(done / "9")) == (
            f"{done / 'samples.parquet'}: has no cell 9: they are 0 to 4\n"
        )
