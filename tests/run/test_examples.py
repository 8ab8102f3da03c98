"""`examples:` of a file: completions from other files, what may be expected of them, and what is wrong with them."""

import json

import pytest

from promptkit.errors import DeclarationError
from promptkit.run import check_examples, check_pipeline, load

ALIGN = r"""
align:
  - first:
      - [{regex: 'answer is (?P<answer>[^\n]+)'}, number]
      - regex: '#### (?P<answer>[^\n]+)'
examples:
"""
ROWS = [
    {"id": "a", "text": "The answer is 7.", "gold": 7},
    {"id": "b", "text": "#### unclear", "gold": "unclear"},
    {"id": "b", "text": "#### 8", "gold": "8"},
    {"text": "No.", "gold": None},
]


@pytest.fixture
def checked(write, tmp_path):
    """What comes of examples, each a line of YAML; `rows.jsonl` and `one.txt` lie beside the file."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    (tmp_path / "one.txt").write_bytes(b"So the answer is 1,200\r\nor so.\n")

    def check(*examples):
        return check_pipeline(load(write(ALIGN + "".join(f"  - {each}\n" for each in examples), "p.yaml")))

    return check


def told(checked):
    return [(failure.origin, failure.expected) for failure in checked.failures]


@pytest.mark.parametrize(
    "example",
    [
        "{from: rows.jsonl, field: text, id: a, answer: 7}",
        "{from: rows.jsonl, field: text, id: b, step: 'first[1]'}",
        "{from: one.txt, answer: 1200, span: '1,200'}",
        "{from: one.txt, span: [17, 22]}",
        "{from: one.txt, step: number}",
        "{from: one.txt, step: 'align[0].first[0][1].number'}",
        "{completion: 'No.', step: 'align[0].first', status: unparsed}",
        "{completion: '', answer: null, status: empty, prompt: 'Q: how?', question: how}",
    ],
)
def test_what_may_be_expected_holds(checked, example):
    """An answer, a status, a place, a step; of a completion in a file as of one written here."""
    assert told(checked(example)) == []


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        ("{from: rows.jsonl, field: text, id: a, answer: 8}", ("rows.jsonl:1", "answer 8")),
        ("{from: rows.jsonl, field: text, id: a, answer: null}", ("rows.jsonl:1", "no answer")),
        ("{from: one.txt, span: '1,2'}", ("one.txt", "text '1,2'")),
        ("{from: one.txt, span: [17, 21]}", ("one.txt", "span 17-21")),
        ("{from: one.txt, step: regex}", ("one.txt", "step regex")),
        ("{from: one.txt, step: 'first[1]', status: empty}", ("one.txt", "status empty, step first[1]")),
        ("{completion: 'No.', span: [0, 2]}", ("", "span 0-2")),
    ],
)
def test_what_is_not_so_does_not_hold(checked, example, expected):
    """Each is told with its row."""
    assert told(checked(example)) == [expected]


def test_a_file_is_an_example_a_row(checked):
    """A table of cases is kept by people who do not write YAML; null is no answer."""
    assert checked("{from: rows.jsonl, field: text, answer_field: gold}").num == 4
    assert told(checked("{from: rows.jsonl, field: text, answer_field: gold}")) == []
    assert told(checked("{from: rows.jsonl, field: text, id: b, answer: '8'}")) == [("rows.jsonl:2", "answer '8'")]
    assert told(checked("{from: rows.jsonl, field: text, id: rows-3, answer: 1}")) == [("rows.jsonl:4", "answer 1")]


def test_a_rows_fields_are_there_for_the_steps(write, tmp_path):
    """`choice` reads its options from them; what the example says goes before."""
    (tmp_path / "rows.jsonl").write_text('{"completion": "(B)", "options": ["x", "y"]}\n', encoding="utf-8")
    text = "align: [{choice: {options: '{{ options }}'}}]\nexamples:\n  - {from: rows.jsonl, answer: B}\n"
    assert check_examples(load(write(text))) == []
    fields = text.replace("answer: B", "answer: B, fields: {options: [x]}")
    assert check_examples(load(write(fields)))[0].got.startswith("no answer")


def test_the_prompts_own_format_is_known_to_the_steps(write):
    """`run_on` cuts where the model goes on to ask itself; an example must read as a run does."""
    text = """
prompt: [query: "Task {{ n }}"]
align: [run_on, {number: last}]
examples: [{completion: "It is 7.\\nTask 8", answer: 7}]
"""
    assert load(write(text)).formats == ("Task",)
    assert check_examples(load(write(text))) == []


def test_the_file_is_found_as_templates_are(write, tmp_path):
    """Beside the pipeline that names it, or in the folder above; not from where the command is typed."""
    (tmp_path / "cases.txt").write_text("The answer is 7.", encoding="utf-8")
    (tmp_path / "pipelines").mkdir()
    path = write("align: [number]\nexamples: [{from: cases.txt, answer: 7}]\n", "pipelines/p.yaml")
    assert check_examples(load(path)) == []


MISTAKES = {
    "{from: row.jsonl, answer: 1}": (
        "examples[0].from: there is no file 'row.jsonl'",
        "   did you mean 'rows.jsonl'?",
    ),
    "{from: ../rows.jsonl, answer: 1}": ("examples[0].from: there is no file '../rows.jsonl'", ""),
    "{from: rows.md, answer: 1}": (
        "examples[0].from: the suffix '.md' is neither that of a text nor a data format's",
        "known: .csv, .json, .jsonl, .ndjson, .parquet, .tsv, .txt",
    ),
    "{from: one.txt, id: a, answer: 1}": ("examples[0].id: `id` is for a file of rows, and this is a .txt file", ""),
    "{completion: a, answer_field: b}": (
        "examples[0].answer_field: `answer_field` is for a file of rows, and this is `completion`",
        "",
    ),
    "{completion: a, from: one.txt, answer: 1}": ("examples[0]: needs `completion` or `from`, and has both", ""),
    "{answer: 1}": ("examples[0]: needs `completion` or `from`, and has neither", ""),
    "{completion: a, ended: length}": (
        "examples[0]: needs one of `answer`, `answer_field`, `status`, `span`, `step`, or several",
        "",
    ),
    "{from: rows.jsonl, answer: 1, answer_field: gold}": (
        "examples[0].answer_field: `answer` and `answer_field` are two ways to say the answer: give one",
        "",
    ),
    "{completion: a, span: [3, 1]}": (
        "examples[0].span: must be `[start, end]` or the text that stands there, not [3, 1]",
        "",
    ),
    "{from: rows.jsonl, id: c, answer: 1}": ("examples[0].from: rows.jsonl has no row 'c'", "known: a, b, b, rows-3"),
    "{from: rows.jsonl, answer: 1}": (
        "examples[0].from: rows.jsonl:1: there is no field 'completion'",
        "known: gold, id, text",
    ),
    "{from: rows.jsonl, field: text, answer_field: god}": (
        "examples[0].from: rows.jsonl:1: there is no field 'god'",
        "known: gold, id, text   did you mean 'gold'?",
    ),
    "{from: rows.jsonl, field: gold, answer: 1}": (
        "examples[0].from: rows.jsonl:1: the field 'gold' holds 7, not text",
        "",
    ),
}


@pytest.mark.parametrize(("example", "said"), MISTAKES.items(), ids=MISTAKES)
def test_mistakes_stand_where_they_were_written(checked, example, said):
    """Like all others: file, line, column, and what would be right."""
    with pytest.raises(DeclarationError) as caught:
        checked(example)
    (problem,) = caught.value.problems
    assert problem.position is not None
    assert (problem.position.line, f"{problem.path}: {problem.message}") == (7, said[0])
    assert problem.hint.endswith(said[1])


def test_files_that_cannot_be_read_are_told_all_at_once(checked):
    """Three mistakes are not three runs."""
    with pytest.raises(DeclarationError) as caught:
        checked(
            "{from: rows.jsonl, field: text, id: x, answer: 1}",
            "{from: one.txt, answer: 1200}",
            "{from: rows.jsonl, field: txt, answer: 1}",
        )
    assert [problem.path for problem in caught.value.problems] == ["examples[0].from", "examples[2].from"]
