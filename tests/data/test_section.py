"""The `data:` section as people write it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from promptkit.data import DataSection, DataSource
from promptkit.errors import DeclarationError


def test_a_bare_name_is_a_file(declare):
    """The short form: most splits are one file."""
    section = declare("test: a.jsonl")
    assert [str(name) for name in section.test.files] == ["a.jsonl"]


def test_a_list_of_names_is_files(declare):
    section = declare("test: [a.jsonl, b/*.csv]")
    assert [str(name) for name in section.test.files] == ["a.jsonl", "b/*.csv"]


def test_a_file_name_knows_where_it_was_written(declare, tmp_path):
    """Relative names count from the file that holds them, which may be one that another extends."""
    name = declare("test:\n  files: a.jsonl").test.files[0]
    assert (str(name.position), name.folder) == ("pipe.yaml:2:10", tmp_path)


def test_a_file_name_from_plain_data_counts_from_the_folder_of_the_context(tmp_path):
    """A finished run keeps its pipeline as plain data, whose texts no longer know their places."""
    source = DataSource.model_validate("a.jsonl", context={"folder": tmp_path})
    assert [name.folder for name in source.files or ()] == [tmp_path]


def test_sections_hold_the_splits_that_were_named(declare):
    assert declare("test: a.jsonl\ntrain: b.jsonl").splits == ["train", "test"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "test: {config: main}",
            (
                "pipe.yaml:1:7: test: needs one of `files`, `hub` and `rows`, and has none\n"
                "    1 | test: {config: main}\n              ^"
            ),
        ),
        (
            "test: {files: a.jsonl, hub: owner/name}",
            (
                "pipe.yaml:1:7: test: needs one of `files`, `hub` and `rows`, and has `files` and `hub`\n"
                "    1 | test: {files: a.jsonl, hub: owner/name}\n              ^"
            ),
        ),
        (
            "test: {files: a.jsonl, config: main, revision: v1}",
            (
                "pipe.yaml:1:7: test: only `hub` takes `config` and `revision`, and this source has `files`\n"
                "    1 | test: {files: a.jsonl, config: main, revision: v1}\n              ^"
            ),
        ),
        (
            "test: {rows: []}",
            "pipe.yaml:1:14: test.rows: must not be empty\n    1 | test: {rows: []}\n                     ^",
        ),
        (
            "test: {files: [a.jsonl, 3]}",
            (
                "pipe.yaml:1:25: test.files[1]: must be a name, not 3\n    1 | test: {files: [a.jsonl, 3]}\n"
                "                                ^"
            ),
        ),
        (
            "test: {file: a.jsonl}",
            (
                "pipe.yaml:1:8: test.file: unknown key 'file'\n    1 | test: {file: a.jsonl}\n               ^\n"
                "    known: config, fields, files, hub, local, revision, rows, split   did you mean 'files'?"
            ),
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(declare, text, message):
    """Whoever writes a file reads these; so they are compared whole."""
    with pytest.raises(DeclarationError) as caught:
        declare(text)
    assert str(caught.value) == message


def test_the_json_schema_takes_what_the_section_takes():
    """Editors check against it while people type."""
    schema = DataSection.model_json_schema()
    for each in (
        {"files": "a.jsonl"},
        {"files": ["a.jsonl"]},
        {"hub": "o/n", "local": "a.jsonl"},
        {"rows": [{"a": 1}]},
    ):
        jsonschema.validate({"test": each, "target": "{{ a }}", "fields": {"b": "{{ a }}"}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"test": {"files": []}}, schema)


def test_every_key_is_described():
    """The schema's descriptions are the reference that people read."""
    for cls in (DataSection, DataSource):
        assert all(field.description for field in cls.model_fields.values())


def test_a_section_is_written_back_as_plain_json(declare):
    section = declare("test: a.jsonl\ntarget: '{{ answer }}'")
    assert json.loads(section.model_dump_json(exclude_defaults=True)) == {
        "test": {"files": ["a.jsonl"]},
        "target": "{{ answer }}",
    }
