"""From declared sources to examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptkit.data import Example, read_file, read_rows, read_split, target_of
from promptkit.errors import DataError, TemplateError


def refused(call, *args, **kwargs):
    """The whole message of a `DataError`."""
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def example(**fields):
    """An example with these fields."""
    return Example(id="x", fields=fields, origin="a.jsonl:3")


def test_an_example_has_its_id_its_fields_and_its_place(declare, write):
    write("a.jsonl", [{"id": "one", "q": "?"}])
    (only,) = read_split(declare("test: a.jsonl"), "test")
    assert (only.id, dict(only.fields), only.origin) == ("one", {"id": "one", "q": "?"}, "a.jsonl:1")


def test_the_fields_of_an_example_are_read_only(declare):
    """The same example goes through many prompts."""
    (only,) = read_split(declare("test: {rows: [{q: 1}]}"), "test")
    with pytest.raises(TypeError):
        only.fields["q"] = 2  # type: ignore[index]


def test_rows_without_an_id_are_numbered_within_their_split(declare, write):
    """A row's number is the same whatever the limit, so a longer run finds what a shorter one made."""
    write("a.jsonl", [{"q": 1}, {"q": 2}])
    write("b.csv", "q\n3\n")
    section = declare("test: [a.jsonl, b.csv]")
    assert [each.id for each in read_split(section, "test")] == ["test-0", "test-1", "test-2"]


def test_the_id_may_be_a_template(declare):
    section = declare("test: {rows: [{n: 1}, {n: 2}]}\nid: 'row {{ n }}'")
    assert [each.id for each in read_split(section, "test")] == ["row 1", "row 2"]


def test_a_whole_number_is_an_id(declare):
    assert read_split(declare("test: {rows: [{id: 7}]}"), "test")[0].id == "7"


def test_an_id_that_stands_twice_is_refused_with_both_places(declare, write):
    """Results are kept by id: two rows of one id would be taken for one."""
    write("a.jsonl", [{"id": "x"}, {"id": "y"}, {"id": "x"}])
    assert refused(read_split, declare("test: a.jsonl"), "test") == (
        "a.jsonl:3: the id 'x' stands here again, first at a.jsonl:1"
    )


@pytest.mark.parametrize("bad", ["[1]", "''", "true", "1.5"])
def test_an_id_that_is_no_name_is_refused(declare, bad):
    message = refused(read_split, declare(f"test: {{rows: [{{id: {bad}}}]}}"), "test")
    assert message.startswith("data.test.rows[0]: the id must be text or a whole number, not ")


def test_rows_written_in_the_file_become_plain_data(declare):
    """Text of a pipeline's file knows its place; what is kept and compared must be text and no more."""
    (only,) = read_split(declare("test: {rows: [{q: [{a: b}]}]}"), "test")
    assert only.fields == {"q": [{"a": "b"}]}
    assert type(only.fields["q"][0]["a"]) is str
    assert only.origin == "data.test.rows[0]"


def test_fields_are_made_from_the_row_as_it_was(declare):
    """Two fields may trade places; a value that is one expression keeps its kind."""
    section = declare("test: {rows: [{a: 1, b: [2], c: 3}]}\nfields: {a: '{{ b }}', b: '{{ a }}', d: '{{ a }}!'}")
    assert read_split(section, "test")[0].fields == {"a": [2], "b": 1, "c": 3, "d": "1!"}


def test_the_fields_of_a_source_come_before_those_of_the_section(declare):
    """A source brings its rows to the names that all splits share."""
    section = declare("test: {rows: [{a: x}], fields: {b: '{{ a }}'}}\nfields: {c: '{{ b }}!'}")
    assert read_split(section, "test")[0].fields == {"a": "x", "b": "x", "c": "x!"}


def test_a_field_that_is_missing_is_told_with_the_row_and_the_template(declare, write):
    """Both ends of the mistake: the row that lacks it, and the line that asks for it."""
    write("a.jsonl", [{"q": 1, "answer": 1}, {"q": 2}])
    section = declare("test: a.jsonl\nfields:\n  target: '{{ anwser }}'")
    with pytest.raises(DataError) as caught:
        read_split(section, "test")
    assert str(caught.value) == (
        "a.jsonl:1: fields.target: pipe.yaml:3:11: template: undefined name 'anwser'\n"
        "    3 |   target: '{{ anwser }}'\n"
        "                  ^\n"
        "    known: answer, q   did you mean 'answer'?"
    )
    assert isinstance(caught.value.__cause__, TemplateError)


def test_an_id_that_cannot_be_made_is_told_with_the_row(declare):
    section = declare("test: {rows: [{a: 1}]}\nid: '{{ b }}'")
    assert refused(read_split, section, "test").startswith(
        "data.test.rows[0]: id: pipe.yaml:2:5: template: undefined name 'b'\n"
    )


def test_the_limit_takes_the_first_rows_and_reads_no_others(declare, write):
    write("a.jsonl", b'{"q": 1}\n{"q": 2}\nthis is not JSON\n')
    assert len(read_split(declare("test: a.jsonl"), "test", limit=2)) == 2


def test_a_limit_of_none_at_all_is_refused(declare):
    assert refused(read_split, declare("test: a.jsonl"), "test", limit=0) == "the limit must be at least 1, not 0"


def test_an_unknown_split_is_named_with_those_that_there_are(declare):
    section = declare("test: a.jsonl\ntrain: b.jsonl")
    assert refused(read_split, section, "tst") == (
        "the pipeline has no split 'tst'\n    known: test, train   did you mean 'test'?"
    )
    assert refused(read_split, section, "validation") == (
        "the pipeline has no split 'validation'\n    known: test, train"
    )
    assert (
        refused(read_split, declare("target: x"), "test") == "the pipeline has no split 'test'\n    `data` names none"
    )


def test_a_missing_file_says_where_it_was_looked_for_and_what_is_there(declare, write, tmp_path):
    write("gsm8k/test.jsonl", [{"q": 1}])
    assert refused(read_split, declare("test: gsm8k/tset.jsonl"), "test") == (
        "gsm8k/tset.jsonl: there is no such file\n"
        f"    looked for: {tmp_path}/gsm8k/tset.jsonl   did you mean 'gsm8k/test.jsonl'?\n"
        "    named at pipe.yaml:1:7"
    )


def test_a_folder_is_no_file(declare, write):
    write("gsm8k/test.jsonl", [{"q": 1}])
    assert refused(read_split, declare("test: gsm8k"), "test") == (
        "gsm8k: is a folder, not a file\n    for the files in it: 'gsm8k/*.jsonl'"
    )


def test_a_pattern_takes_its_files_in_the_order_of_their_names(declare, write):
    """The order of a folder's listing differs from machine to machine."""
    for name in ("b", "a", "c/d"):
        write(f"data/{name}.jsonl", [{"q": name}])
    section = declare("test: data/*.jsonl\ntrain: data/**/*.jsonl")
    assert [each.origin for each in read_split(section, "test")] == ["data/a.jsonl:1", "data/b.jsonl:1"]
    assert [each.fields["q"] for each in read_split(section, "train")] == ["a", "b", "c/d"]


def test_a_pattern_that_matches_nothing_says_so(declare, tmp_path):
    assert refused(read_split, declare("test: '*.jsonl'"), "test") == (
        f"*.jsonl: no file matches this pattern\n    looked for: {tmp_path}/*.jsonl\n    named at pipe.yaml:1:7"
    )


def test_a_file_may_be_called_like_a_pattern(declare, write):
    write("a[1].jsonl", [{"q": 1}])
    assert read_split(declare("test: 'a[1].jsonl'"), "test")[0].origin == "a[1].jsonl:1"


def test_a_path_from_the_root_is_taken_as_it_is(declare, write, tmp_path):
    path = write("a.jsonl", [{"q": 1}])
    assert read_split(declare(f"test: {path}"), "test", data_folder=tmp_path)[0].origin == f"{path}:1"


def test_a_data_folder_is_where_relative_files_are_looked_for(declare, write, tmp_path):
    """And nowhere else: a run on other data than those asked for would not be noticed."""
    write("a.jsonl", [{"q": "beside"}])
    write("elsewhere/a.jsonl", [{"q": "elsewhere"}])
    (tmp_path / "empty").mkdir()
    section = declare("test: a.jsonl")
    assert read_split(section, "test")[0].fields["q"] == "beside"
    assert read_split(section, "test", data_folder=tmp_path / "elsewhere")[0].fields["q"] == "elsewhere"
    assert refused(read_split, section, "test", data_folder=tmp_path / "empty") == (
        "a.jsonl: there is no such file\n"
        f"    looked for: {tmp_path}/empty/a.jsonl\n"
        f"    it is beside the pipeline, {tmp_path}/a.jsonl, but a data folder is given: only that is looked in\n"
        "    named at pipe.yaml:1:7"
    )


def test_a_data_folder_that_is_not_there_is_named(declare):
    section = declare("test: a.jsonl")
    assert refused(read_split, section, "test", data_folder=Path("nowhere")) == "nowhere: there is no such data folder"


def test_local_files_stand_in_for_the_hub_where_a_data_folder_is_given(declare, write, tmp_path):
    """They have the pipeline's own names already, so the fields that bring hub rows to them are not applied."""
    write("gsm8k/test.jsonl", [{"answer": "18"}])
    section = declare(
        "test:\n  hub: openai/gsm8k\n  config: main\n  local: gsm8k/test.jsonl\n"
        "  fields: {answer: '{{ answer.split(\"####\")[1] }}'}\nfields: {more: '{{ answer }}!'}"
    )
    (only,) = read_split(section, "test", data_folder=tmp_path)
    assert only.fields == {"answer": "18", "more": "18!"}


def test_a_pool_is_a_split_a_file_or_rows(declare, write, tmp_path):
    write("train.jsonl", [{"q": "split"}])
    write("pool.csv", "q\nfile\n")
    section = declare("train: train.jsonl\nfields: {more: '{{ q }}'}")
    pools = [read_rows(section, each, folder=tmp_path) for each in ("train", "pool.csv", ({"q": "rows"},))]
    assert [(each.id, each.origin, dict(each.fields)) for (each,) in pools] == [
        ("train-0", "train.jsonl:1", {"q": "split", "more": "split"}),
        ("pool-0", "pool.csv:2", {"q": "file"}),
        ("rows-0", "rows[0]", {"q": "rows"}),
    ]


def test_a_pool_that_is_neither_split_nor_file_is_taken_for_a_split(declare):
    assert refused(read_rows, declare("train: a.jsonl"), "trian") == (
        "the pipeline has no split 'trian'\n    known: train   did you mean 'train'?"
    )


def test_a_row_of_a_pool_must_have_names_of_text(declare):
    message = refused(read_rows, declare("train: a.jsonl"), ({1: "x"},))
    assert message == "rows[0]: a field's name must be text, not 1"


def test_a_file_by_itself_is_read_as_it_comes(write):
    """Completions from anywhere: nothing is checked ahead, and an id may stand twice, once a sample."""
    path = write("chains.jsonl", b'{"id": "x"}\n{"id": "x"}\n{"q": 1}\nbroken\n')
    rows = read_file(path)
    assert [next(rows).id for _ in range(3)] == ["x", "x", "chains-2"]
    assert refused(next, rows) == f"{path}:4:1: is not JSON: expecting value"


def test_a_file_by_itself_that_is_missing_says_so(tmp_path):
    path = tmp_path / "none.jsonl"
    assert refused(next, read_file(path)) == f"{path}: there is no such file\n    looked for: {path}"


def test_a_target_keeps_its_value(declare):
    """A list of right answers stays a list, a number a number, and null says that there is none."""
    section = declare("target: '{{ answer }}'")
    assert [target_of(section, example(answer=value)) for value in (18, ["a", "b"], None)] == [18, ["a", "b"], None]
    assert target_of(declare("target: '{{ a }}/{{ b }}'"), example(a=1, b=2)) == "1/2"


def test_without_a_template_there_is_no_target(declare):
    assert target_of(declare("test: a.jsonl"), example(answer=18)) is None


def test_a_target_that_cannot_be_made_is_told_with_the_row(declare):
    assert refused(target_of, declare("target: '{{ anwser }}'"), example(answer=18)) == (
        "a.jsonl:3: target: pipe.yaml:1:9: template: undefined name 'anwser'\n"
        "    1 | target: '{{ anwser }}'\n"
        "                ^\n"
        "    known: answer   did you mean 'answer'?"
    )
