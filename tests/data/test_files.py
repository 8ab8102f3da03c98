"""The readers: what they take, and what they say of what they cannot take."""

from __future__ import annotations

import json
import math
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptkit.data.file_name import DataFile
from promptkit.data.files import rows_of_file
from promptkit.errors import DataError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

SEMICOLONS = "the header is parted by ';': .csv is read with commas, .tsv with tabs"


def rows(path):
    """The rows as (origin, fields)."""
    return [(row.origin, dict(row.fields)) for row in rows_of_file(DataFile(path=path, name=path.name))]


def refused(path):
    """The whole message."""
    with pytest.raises(DataError) as caught:
        rows(path)
    return str(caught.value)


def test_jsonl_rows_stand_at_their_lines(write):
    """Blank lines are no rows, but lines they are: an editor jumps to the right one."""
    path = write("a.jsonl", '{"q": 1}\n\n  \n{"q": 2}\n')
    assert rows(path) == [("a.jsonl:1", {"q": 1}), ("a.jsonl:4", {"q": 2})]


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_the_data(write):
    """Spreadsheets and Windows editors write them."""
    assert rows(write("a.jsonl", b'\xef\xbb\xbf{"q": "x"}\r\n{"q": "y"}\r\n')) == [
        ("a.jsonl:1", {"q": "x"}),
        ("a.jsonl:2", {"q": "y"}),
    ]
    assert rows(write("a.csv", b"\xef\xbb\xbfq,a\r\nx,1\r\n")) == [("a.csv:2", {"q": "x", "a": "1"})]
    assert rows(write("a.json", b'\xef\xbb\xbf[{"q": 1}]')) == [("a.json[0]", {"q": 1})]


def test_unicode_line_ends_inside_a_json_text_do_not_end_the_line(write):
    """U+2028 and U+0085 stand raw in real data; `str.splitlines` would cut the row in two."""
    assert rows(write("a.jsonl", [{"q": "a\u2028b\u0085c\x0bd"}]))[0][1] == {"q": "a\u2028b\u0085c\x0bd"}


def test_the_last_line_needs_no_end(write):
    assert rows(write("a.ndjson", '{"q": 1}')) == [("a.ndjson:1", {"q": 1})]


def test_a_line_may_be_huge(write):
    """Books stand on one line, and the csv module's own limit is 128 KB."""
    text = "x" * 3_000_000
    assert rows(write("a.jsonl", [{"q": text}]))[0][1] == {"q": text}
    assert rows(write("a.csv", f"q\n{text}\n"))[0][1] == {"q": text}


def test_the_numbers_that_json_lacks_are_read_as_python_reads_them(write):
    assert math.isnan(rows(write("a.jsonl", '{"q": NaN}'))[0][1]["q"])


def test_the_suffix_may_be_in_capitals(write):
    assert rows(write("A.JSONL", '{"q": 1}')) == [("A.JSONL:1", {"q": 1})]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=4), min_size=1, max_size=5), st.booleans())
def test_what_is_written_as_jsonl_is_read_back(write, given_rows, is_ascii):
    """Any text and any value that JSON has, escaped or raw."""
    text = "".join(json.dumps(row, ensure_ascii=is_ascii) + "\n" for row in given_rows)
    path = write("a.jsonl", text.replace("\0", "\\u0000"))
    assert [fields for _, fields in rows(path)] == given_rows


def test_no_more_is_read_than_is_asked_for(write):
    """`--limit 2` on a file of gigabytes takes a moment; so what comes after is not even looked at."""
    path = write("a.jsonl", b'{"q": 1}\n{"q": 2}\n' + b" " * 10_000_000 + b"\xff\n")
    first = list(islice(rows_of_file(DataFile(path=path, name="a.jsonl")), 2))
    assert [row.fields["q"] for row in first] == [1, 2]


def test_csv_cells_are_text_under_the_names_of_the_header(write):
    """A CSV file has no types; a template may make a number of a cell."""
    path = write("a.csv", 'q,a\n"one, two",1\n\n"two\nlines",\n')
    assert rows(path) == [("a.csv:2", {"q": "one, two", "a": "1"}), ("a.csv:4", {"q": "two\nlines", "a": ""})]


def test_tsv_is_csv_with_tabs(write):
    assert rows(write("a.tsv", "q\ta\nx, y\t1\n")) == [("a.tsv:2", {"q": "x, y", "a": "1"})]


def test_parquet_rows_keep_their_types(tmp_path):
    table = pa.table({"q": ["x", "y"], "n": [1, None], "options": [["a", "b"], []]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [
        ("a.parquet[0]", {"q": "x", "n": 1, "options": ["a", "b"]}),
        ("a.parquet[1]", {"q": "y", "n": None, "options": []}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "a.jsonl: is empty"),
        ("a.csv", "", "a.csv: is empty"),
        ("a.json", "", "a.json: is empty"),
        ("a.parquet", "", "a.parquet: is empty"),
        ("a.jsonl", "\n \n", "a.jsonl: holds no rows"),
        ("a.json", " \n", "a.json: holds no rows"),
        ("a.json", "[]", "a.json: holds no rows"),
        ("a.csv", "q,a\n", "a.csv: holds no rows"),
        (
            "a.jsonl",
            '{"q": 1}\n  {"q": }\n',
            "a.jsonl:2:9: is not JSON: expecting value",
        ),
        (
            "a.jsonl",
            '[\n  {"q": 1}\n]\n',
            (
                "a.jsonl:1:2: is not JSON: expecting value\n"
                "    a .jsonl file holds one whole row a line; a list of rows is a .json file"
            ),
        ),
        ("a.jsonl", '{"q": 1} {"q": 2}\n', "a.jsonl:1:10: is not JSON: extra data"),
        ("a.jsonl", '{"q": 1}\n[1, 2]\n', "a.jsonl:2: a row must be a map of fields, not [1, 2]"),
        ("a.jsonl", '{"q": 1}\n"text"\n', "a.jsonl:2: a row must be a map of fields, not 'text'"),
        ("a.jsonl", "[" * 100_000, "a.jsonl:1: is nested too deeply"),
        (
            "a.jsonl",
            '{"q": ' + "9" * 5000 + "}",
            (
                "a.jsonl:1: is not JSON that can be read: Exceeds the limit (4300 digits) for integer string conversion:"
                " value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit"
            ),
        ),
        ("a.jsonl", '{"q": "\\ud83d"}', "a.jsonl:1: holds \\ud83d, half of a surrogate pair"),
        ("a.json", '{"data": []}', "a.json: must hold a list of rows, not {'data': []}"),
        ("a.json", '[\n  {"q": 1},\n  {"q" 2}\n]', "a.json:3:8: is not JSON: expecting ':' delimiter"),
        ("a.json", '[{"q": 1}, 2]', "a.json[1]: a row must be a map of fields, not 2"),
        ("a.csv", "q,a\nx\n", "a.csv:2: the row has 1 cells, the header 2"),
        ("a.csv", 'q,a\n"x\ny",1\nz,1,2\n', "a.csv:4: the row has 3 cells, the header 2"),
        (
            "a.csv",
            "q;a\nx;1,5\n",
            f"a.csv:2: the row has 2 cells, the header 1\n    {SEMICOLONS}",
        ),
        ("a.csv", "q,a,q\nx,y,z\n", "a.csv:1: the header names 'q' twice"),
        ("a.csv", 'q,a\n"x"y,1\n', "a.csv:2: is not CSV: ',' expected after '\"'"),
        ("a.csv", 'q,a\nx,1\n"y,2\n', "a.csv:3: is not CSV: unexpected end of data"),
        ("a.jsonl", b'{"q": 1}\n{"q": "caf\xe9"}\n', "a.jsonl:2: is not UTF-8 text: byte 19 of the file is 0xe9"),
        ("a.csv", b"q\ncaf\xe9\n", "a.csv:2: is not UTF-8 text: byte 5 of the file is 0xe9"),
        ("a.json", b'[\n"\xff"]', "a.json:2: is not UTF-8 text: byte 3 of the file is 0xff"),
        ("a.jsonl", b"\x7fELF\x00\x01", "a.jsonl:1: is not text: byte 4 of the file is 0x00"),
        ("a.jsonl", '{"q": 1}'.encode("utf-16"), "a.jsonl:1: is UTF-16 text; a data file is UTF-8"),
        (
            "a.parquet",
            b"PAR1 is how it begins, no more",
            (
                "a.parquet: is not Parquet that can be read: Parquet magic bytes not found in footer. Either the file is"
                " corrupted or this is not a parquet file"
            ),
        ),
        (
            "a.jsnl",
            "{}",
            (
                "a.jsnl: the suffix '.jsnl' is no data format's\n"
                "    known: .csv, .json, .jsonl, .ndjson, .parquet, .tsv   did you mean '.jsonl'?"
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(write, name, content, message):
    """Whoever wrote the file has to find the place; a traceback would not show it."""
    assert refused(write(name, content)) == message


def test_a_parquet_file_cut_in_the_middle_is_an_error_of_the_data(tmp_path):
    """A broken download reads well until its first bad page."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"q": [f"text {n}" * 50 for n in range(2000)]}), path, use_dictionary=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(len(whole) // 2) + whole[200 + len(whole) // 2 :])
    assert refused(path).startswith("a.parquet: ")


def test_a_file_that_may_not_be_read_says_so(write, monkeypatch):
    """The system's own word for it, without its number."""
    path = write("a.jsonl", '{"q": 1}')

    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", deny)
    assert refused(path) == "a.jsonl: cannot be read: permission denied"
