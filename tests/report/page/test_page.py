"""The page holds all of a run, shares what rows share, and nothing in a run becomes HTML."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from promptkit.errors import RunError
from promptkit.report.page import make_page
from tests.report.page.conftest import HOSTILE, SHOTS, STAGES, prompt_of, yaml_text
from tests.run.sums import SUMS


def rows_of(folder):
    return pq.read_table(folder / "samples.parquet").to_pylist()


def test_prompts_and_completions_are_there_to_the_letter(ran, read):
    """What the model read and wrote, put together again from what rows share."""
    folder = ran(text=SHOTS)
    data = read(folder).data
    samples = [example["samples"][0] for example in data["runs"][0]["examples"]]
    assert [prompt_of(data, sample) for sample in samples] == [row["prompt"] for row in rows_of(folder)]
    assert [data["texts"][sample["text"]] for sample in samples] == [row["completion"] for row in rows_of(folder)]


def test_what_prompts_share_is_embedded_once(ran, read):
    """Ten thousand prompts differ in their questions alone."""
    data = read(ran(text=SHOTS)).data
    assert [text for text in data["texts"] if text.startswith("Q: 5 + 5")] == ["Q: 5 + 5? 10\n"]
    kinds = [data["kinds"][number] for number in data["prompts"][0][1::2]]
    assert [(kind["kind"], kind.get("example")) for kind in kinds] == [
        ("demonstrations", "x"),
        ("demonstrations", "y"),
        ("query", None),
    ]


def test_a_row_says_where_its_answer_was_found_or_why_there_is_none(ran, read):
    """Span, step and ledger as the run keeps them."""
    data = read(ran()).data
    right, wrong, unparsed, empty = data["runs"][0]["examples"]
    assert (right["answer"], right["target"], right["score"], right["status"]) == ("2", "2", 1.0, "answered")
    (sample,) = right["samples"]
    assert data["texts"][sample["text"]][slice(*sample["span"])] == "2"
    assert [data["steps"][entry[0]][0] for entry in sample["ledger"]] == ["align[0].regex", "align[1].number"]
    assert (wrong["answer"], wrong["score"]) == ("5", 0.0)
    (sample,) = unparsed["samples"]
    assert (data["words"][sample["step"]], data["words"][sample["reason"]]) == (
        "align[0].regex",
        "no match",
    )
    assert empty["status"] == "empty"


def test_nothing_in_a_run_becomes_html(ran, read):
    """Completions, ids, fields and what the file says of itself come from anywhere."""
    folder = ran(
        ("name: sums", f"name: '<b>sums</b>'\nabout: {yaml_text(HOSTILE)}"),
        ('completion: " The answer is 5."', f"completion: {yaml_text(HOSTILE)}"),
        ("{id: b,", "{id: '</script><i>',"),
    )
    page = read(folder)
    allowed = {
        "a",
        "article",
        "b",
        "body",
        "button",
        "code",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "footer",
        "h1",
        "h2",
        "h3",
    }
    allowed |= {
        "head",
        "header",
        "html",
        "i",
        "kbd",
        "main",
        "meta",
        "noscript",
        "p",
        "pre",
        "script",
        "section",
        "span",
    }
    allowed |= {"style", "summary", "table", "tbody", "td", "th", "thead", "title", "tr"}
    assert {tag for tag, _ in page.tags} <= allowed
    assert len(page.scripts) == 2
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "<b>sums</b>" in page.text
    example = page.data["runs"][0]["examples"][1]
    assert example["id"] == "</script><i>"
    assert page.data["texts"][example["samples"][0]["text"]] == HOSTILE


def test_the_page_loads_nothing(ran, read):
    """It is one file, and its own policy forbids all else."""
    page = read(ran())
    (policy,) = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not [attrs for _, attrs in page.tags if {"src", "data", "poster", "srcset"} & attrs.keys()]
    assert {attrs["href"] for _, attrs in page.tags if "href" in attrs} == {"#examples"}
    assert "http" not in " ".join(page.scripts[1:])


def test_the_summary_is_read_without_a_script(ran, read):
    """Scores with their intervals and every status are HTML."""
    words = " ".join(read(ran()).text.split())
    assert "exact_match 25.0 % 4.6 to 69.9" in words
    assert "of the 2 answered 50.0 % 9.5 to 90.5" in words
    assert "answered 2 50.0 % unparsed 1 25.0 % empty 1 25.0 %" in words
    assert "need JavaScript" in words


def test_of_two_runs_flips_name_their_cause(ran, read):
    """As `compare` does, and what moved stands in the summary."""
    one = ran()
    page = read(one, ran(('completion: " The answer is 5."', 'completion: " The answer is 4."')))
    assert [example.get("flip") for example in page.data["runs"][1]["examples"]] == [
        None,
        ["generation", 1.0],
        None,
        None,
    ]
    words = " ".join(page.text.split())
    assert "run 2 against run 1" in words
    assert "f model.scripted[1].completion ' The answer is 5.' ' The answer is 4.'" in words
    assert page.data["shown"] == 1


def test_runs_without_a_common_example_stand_side_by_side(ran, read):
    """They are no comparison, and still two runs; the page says why."""
    page = read(ran(), ran(text=SUMS.replace("{id: ", "{id: other-")))
    assert "not compared: " in page.text
    assert page.data["is_compared"] is False
    assert [len(run["examples"]) for run in page.data["runs"]] == [4, 4]


def test_stages_are_there_one_after_another(ran, read):
    """Each with what it added to the transcript, in the pieces that it was made of."""
    data = read(ran(text=STAGES)).data
    (sample,) = data["runs"][0]["examples"][0]["samples"]
    reason, conclude = sample["stages"]
    assert [prompt_of(data, call) for call in (reason, conclude)] == ["Q: 2 + 2\nA:", ", so"]
    assert (conclude["continues"], sample["stage"], sample["answer"]) == ("reason", "conclude", "4")
    assert [data["kinds"][data["prompts"][call["prompt"]][1]]["kind"] for call in (reason, conclude)] == [
        "query",
        "cue",
    ]


def test_votes_stand_beside_the_samples(ran, read):
    """What each answer had, and what was decided."""
    voted = SUMS.replace("  - number\n", "  - number\n  - vote\n").replace(
        'completion: " The answer is 5."', 'completion: [" The answer is 5.", " The answer is 4.", " The answer is 4."]'
    )
    data = read(ran(text=voted + "generate: {samples: 3, temperature: 1}\n")).data
    example = data["runs"][0]["examples"][1]
    assert (example["answer"], example["decided"]["votes"]) == ("4", [["4", 2, 2], ["5", 1, 1]])
    assert [sample["answer"] for sample in example["samples"]] == ["5", "4", "4"]


def test_each_cell_of_a_sweep_is_a_run(swept, read):
    """The best is shown first; prompts that cells share are embedded once."""
    page = read(swept)
    assert [run["label"] for run in page.data["runs"]] == ["cell 0: take 2", "cell 1: take 1", "cell 2: take 0"]
    assert page.data["texts"].count("Q: 5 + 5? 10\n") == 1
    with pytest.raises(RunError, match="a sweep has a page of its own"):
        make_page([swept, swept])


def test_a_run_of_an_older_version_has_its_prompts_in_one_piece(ran, read):
    """It kept no segments."""
    folder = ran()
    table = pq.read_table(folder / "samples.parquet")
    pq.write_table(table.drop_columns(["segments", "ledger", "captures"]), folder / "samples.parquet")
    data = read(folder).data
    assert data["kinds"] == [{"kind": "prompt"}]
    assert prompt_of(data, data["runs"][0]["examples"][0]["samples"][0]) == "Q: 1 + 1?\nA:"


def test_ten_thousand_rows_cost_what_is_their_own(ran, read, tmp_path):
    """A prompt of 4,000 characters, of which a row has 20 to itself."""
    folder = ran()
    (first, *_) = rows_of(folder)
    shared = "x" * 4000
    segments = json.dumps([{"kind": "instruction", "span": [0, 4000]}, {"kind": "query", "span": [4000, 4020]}])
    rows = [
        {**first, "id": str(number), "prompt": f"{shared}{number:020}", "segments": segments}
        for number in range(10_000)
    ]
    schema = pq.read_schema(folder / "samples.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "samples.parquet")
    page = read(folder)
    assert len(page.data["runs"][0]["examples"]) == 10_000
    assert len(page.scripts[0]) < 10_000 * 700
    assert sum(len(text) for text in page.data["texts"]) < 4000 + 10_000 * 80
