"""Rows of data files, one reader a format: JSONL, JSON, CSV, TSV, Parquet.

A reader is lazy: what is not asked for is not read, except that a JSON list is one value and read as a whole. What is
no row is an error in its place: who reads a data set stops there, who reads completions goes on behind it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from promptkit.data.file_name import DataFile
from promptkit.data.text_file import RawLine, cannot_read, decode, format_of, raw_lines, read_text
from promptkit.errors import DataError
from promptkit.spec.declaration import shorten
from promptkit.text import known_names

__all__ = [
    "LINES",
    "READERS",
    "Row",
    "as_row",
    "json_value",
    "reader_of",
    "row_of_line",
    "rows_of_file",
    "rows_of_list",
]

MAX_CELL = 2**31 - 1  # the csv module's own limit, 128 KB, is less than a long document
OPENED = ("[", "{")  # a line that begins a value of several lines
NOT_LINES = "\n    a .jsonl file holds one whole row a line; a list of rows is a .json file"
LINES = (".jsonl", ".ndjson")  # formats of which each line is a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as it was found, and where."""

    origin: str
    fields: dict[str, Any]


Found = Row | DataError  # what stands in the place of a row
Reader = Callable[[DataFile], Iterator[Found]]


def rows_of_file(file: DataFile) -> Iterator[Row]:
    """The rows of one file, by the format that its suffix names. Raises `DataError` that names file and line."""
    row = None
    for row in reader_of(file)(file):
        if isinstance(row, DataError):
            raise row
        yield row
    if row is None:
        raise DataError(f"{file.name}: holds no rows")


def reader_of(file: DataFile) -> Reader:
    """The reader of the format that a file's suffix names."""
    suffix = format_of(file)
    if suffix not in READERS:
        hint = known_names(suffix, READERS)
        raise DataError(f"{file.name}: the suffix {suffix!r} is no data format's\n    {hint}")
    return READERS[suffix]


def as_row(value: Any, origin: str) -> Row:
    """The row that a value of a file is; a map of fields and nothing else."""
    if not isinstance(value, dict):
        raise DataError(f"{origin}: a row must be a map of fields, not {shorten(value)}")
    for key in value:
        if not isinstance(key, str):
            raise DataError(f"{origin}: a field's name must be text, not {shorten(key)}")
    return Row(origin=origin, fields=value)


def rows_of_jsonl(file: DataFile) -> Iterator[Found]:
    """One row a line; blank lines are passed over."""
    return (row_of_line(line, file) for line in raw_lines(file) if line.raw.strip())


def row_of_line(line: RawLine, file: DataFile) -> Found:
    """The row that a line is."""
    try:
        whole = decode(line, file)
        text = whole.strip()
        indent = len(whole) - len(whole.lstrip())
        value = parse_json(text, file, line=line.number, indent=indent, hint=NOT_LINES if text in OPENED else "")
        return as_row(value, f"{file.name}:{line.number}")
    except DataError as error:
        return error


def rows_of_json(file: DataFile) -> Iterator[Found]:
    """The items of one list."""
    yield from rows_of_list(json_value(file), file)


def json_value(file: DataFile) -> Any:
    """The one value of a JSON file."""
    text = read_text(file)
    if not text.strip():
        raise DataError(f"{file.name}: holds no rows")
    return parse_json(text, file)


def rows_of_list(value: Any, file: DataFile) -> Iterator[Found]:
    """The rows that the items of a list are."""
    if not isinstance(value, list):
        raise DataError(f"{file.name}: must hold a list of rows, not {shorten(value)}")
    for index, item in enumerate(value):
        try:
            yield as_row(item, f"{file.name}[{index}]")
        except DataError as error:
            yield error


def parse_json(text: str, file: DataFile, *, line: int = 1, indent: int = 0, hint: str = "") -> Any:
    """The value of a JSON text that begins on `line`, after `indent` characters of white space.

    As Python's own reader does, this takes NaN, Infinity and -Infinity, which data sets do hold.
    """
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # a surrogate without its other half is no character, and no UTF-8
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        column = error.colno + (indent if error.lineno == 1 else 0)
        place = f"{file.name}:{line + error.lineno - 1}:{column}"
        raise DataError(f"{place}: is not JSON: {error.msg[:1].lower()}{error.msg[1:]}{hint}") from error
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise DataError(f"{file.name}:{line}: holds {half}, half of a surrogate pair") from error
    except RecursionError as error:
        raise DataError(f"{file.name}:{line}: is nested too deeply") from error
    except ValueError as error:  # a whole number of more digits than Python takes
        raise DataError(f"{file.name}:{line}: is not JSON that can be read: {error}") from error
    return value


def rows_of_csv(file: DataFile, delimiter: str) -> Iterator[Found]:
    """One row a record, under the names of the first; every value is text, and blank lines are passed over."""
    csv.field_size_limit(MAX_CELL)
    names: list[str] | None = None
    for number, cells in csv_records(file, delimiter):
        origin = f"{file.name}:{number}"
        if names is None:
            names = header(cells, origin)
        elif isinstance(cells, DataError):
            yield cells
        elif len(cells) != len(names):
            hint = separator_hint(names, cells)
            yield DataError(f"{origin}: the row has {len(cells)} cells, the header {len(names)}{hint}")
        else:
            yield Row(origin=origin, fields=dict(zip(names, cells, strict=True)))


def header(cells: list[str] | DataError, origin: str) -> list[str]:
    """The names of a file's columns. Raises `DataError` where they cannot be told."""
    if isinstance(cells, DataError):
        raise cells
    if twice := sorted({name for name in cells if cells.count(name) > 1}):
        raise DataError(f"{origin}: the header names {twice[0]!r} twice")
    return cells


def separator_hint(names: list[str], cells: list[str]) -> str:
    """What to say where the header has no separator of its file's format, and another one; else empty."""
    other = next((each for each in ";\t|," if len(names) == 1 and each in names[0]), None)
    if other is None or not any(other in each for each in cells):
        return ""
    return f"\n    the header is parted by {other!r}: .csv is read with commas, .tsv with tabs"


def csv_records(file: DataFile, delimiter: str) -> Iterator[tuple[int, list[str] | DataError]]:
    """Each record (RFC 4180), or what is wrong with it, with the number of its first line."""
    # `map` goes on behind a line that is no text; a generator would have ended there
    reader = csv.reader(map(partial(decode, file=file), raw_lines(file)), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        cells: list[str] | DataError | None
        try:
            cells = next(reader, None)
        except csv.Error as error:
            cells = DataError(f"{file.name}:{number}: is not CSV: {error}")
        except DataError as error:
            cells = error
        if cells is None:
            return
        if cells:
            yield number, cells


def rows_of_parquet(file: DataFile) -> Iterator[Found]:
    """The rows, a batch of them in memory at a time."""
    import pyarrow as pa  # noqa: PLC0415 - most runs read no Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415

    if file.path.stat().st_size == 0:
        raise DataError(f"{file.name}: is empty")
    index = 0
    try:
        with pq.ParquetFile(file.path) as table:
            for batch in table.iter_batches(batch_size=1024):
                for fields in batch.to_pylist():
                    yield Row(origin=f"{file.name}[{index}]", fields=fields)
                    index += 1
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{file.name}: is not Parquet that can be read: {reason}") from error
    except OSError as error:
        raise cannot_read(file, error) from error


READERS: dict[str, Reader] = {
    ".csv": partial(rows_of_csv, delimiter=","),
    ".json": rows_of_json,
    ".jsonl": rows_of_jsonl,
    ".ndjson": rows_of_jsonl,
    ".parquet": rows_of_parquet,
    ".tsv": partial(rows_of_csv, delimiter="\t"),
}
