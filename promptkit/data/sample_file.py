"""A file of samples: what it is, by its shape, and its samples in batches that any process can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from promptkit.data.file_name import DataFile, FileName, find_file
from promptkit.data.files import LINES, Found, Row, json_value, reader_of, row_of_line, rows_of_list
from promptkit.data.inspect_log import InspectRows, is_inspect_log, rows_of_eval
from promptkit.data.lm_eval import LmEvalRows
from promptkit.data.run_samples import RunRows, of_cell, run_file
from promptkit.data.sample import Names, PlainRows, Sample, Shape, Unreadable
from promptkit.data.text_file import STANDARD_INPUT, RawLine, format_of, raw_lines
from promptkit.errors import DataError
from promptkit.text import known_names

__all__ = ["Batch", "SampleFile", "open_samples"]

MAX_ROWS = 256  # of a batch: some ten milliseconds of work
MAX_BYTES = 1 << 20
MAX_LACKING = 16  # rows without the field that should hold the completion, after which the field's name is the mistake

Item = RawLine | Found  # a line is parsed where it is read; rows of other formats come as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a file, in order, the first of which is the file's row number `first`, from 0. It can be pickled."""

    file: DataFile
    shape: Shape
    first: int
    items: tuple[Item, ...]

    def samples(self) -> Iterator[Sample | Unreadable]:
        """The samples of all rows; what is no row is unreadable."""
        stem = self.file.path.name.partition(".")[0] if self.file.path.name != "-" else self.file.name
        for index, item in enumerate(self.items, self.first):
            found = row_of_line(item, self.file) if isinstance(item, RawLine) else item
            if isinstance(found, Row):
                yield from self.shape.samples(found, f"{stem}-{index}")
            else:
                yield Unreadable(id=f"{stem}-{index}", reason=on_one_line(str(found)))

    def rows(self) -> Iterator[Batch]:
        """Each row, as a batch of its own."""
        for index, item in enumerate(self.items, self.first):
            yield Batch(file=self.file, shape=self.shape, first=index, items=(item,))

    @property
    def place(self) -> str:
        """Where its rows stand: `chains.jsonl:1`, or `chains.jsonl:1 to chains.jsonl:256`."""
        places = [self.place_of(item) for item in (self.items[0], self.items[-1])]
        return places[0] if len(self.items) == 1 else " to ".join(places)

    def place_of(self, item: Item) -> str:
        """Where one row stands."""
        if isinstance(item, RawLine):
            return f"{self.file.name}:{item.number}"
        return item.origin if isinstance(item, Row) else str(item).partition(": ")[0]


@dataclass(slots=True)
class SampleFile:
    """A file of samples that is open, the rows that were looked at to know its shape among those that are to come.

    `num_bytes` is its size, `num_bytes_read` how far it was read; None where that tells nothing: of a packed file, or
    of one whose rows are not its lines.
    """

    file: DataFile
    shape: Shape
    items: Iterator[Item]
    num_bytes: int | None = None
    num_bytes_read: int | None = field(default=None, init=False)

    def batches(self, limit: int | None = None) -> Iterator[Batch]:
        """All rows, or the first `limit` of them, and no further is read than that."""
        first, items, size = 0, [], 0
        for item in islice(self.items, limit):
            items.append(item)
            if isinstance(item, RawLine):
                size += len(item.raw)
                self.num_bytes_read = item.start + len(item.raw)
            if len(items) == MAX_ROWS or size >= MAX_BYTES:
                yield Batch(file=self.file, shape=self.shape, first=first, items=tuple(items))
                first, items, size = first + len(items), [], 0
        if items:
            yield Batch(file=self.file, shape=self.shape, first=first, items=tuple(items))


def open_samples(name: str, names: Names, *, is_plain: bool = False) -> SampleFile:
    """The samples of a file, a run folder, a cell of a sweep (SWEEP/N), or of standard input (`-`), whose lines are JSON.

    A log of lm-eval or inspect, and a run of ours, are known by their shape, unless `is_plain` says that each row holds
    a completion in the field named. Raises `DataError` where the file cannot be read at all, or does not know a name:
    that of the completion where no row of the first ones has it.
    """
    name, cell = run_file(name)
    file = STANDARD_INPUT if name == "-" else find_file(FileName(name=name))
    shape: Shape | None = None if not is_plain else PlainRows(names)
    items: Iterator[Item]
    if file.path.suffix.lower() == ".eval":
        items, shape = rows_of_eval(file), shape or InspectRows(names)
    elif format_of(file) == ".json":
        value = json_value(file)
        if is_inspect_log(value):
            value, shape = value["samples"], shape or InspectRows(names)
        items = rows_of_list(value, file)
    elif file is STANDARD_INPUT or format_of(file) in LINES:
        items = (line for line in raw_lines(file) if line.raw.strip())
    else:
        rows = reader_of(file)(file)
        items = rows if cell is None else of_cell(rows, cell, file.name)
    items = to_the_end(items, file)
    start = list(islice(items, 1))
    first = found_in(start[0], file)
    shape = shape or shape_of(first, names)
    check_names(first, shape, names)
    if isinstance(shape, PlainRows):
        start += rows_to_completion(start[0], items, names.completion, file)
    is_read_by_lines = isinstance(start[0], RawLine) and file.path.suffix.lower() in LINES
    num_bytes = file.path.stat().st_size if is_read_by_lines and file.path.is_file() else None
    return SampleFile(file=file, shape=shape, items=chain(start, items), num_bytes=num_bytes)


def found_in(item: Item, file: DataFile) -> Found:
    """The row that an item is, or why it is none."""
    return row_of_line(item, file) if isinstance(item, RawLine) else item


def rows_to_completion(first: Item, items: Iterator[Item], name: str, file: DataFile) -> list[Item]:
    """The items after the first, up to one with a field of that name, which are none where the first has it.

    Raises `DataError` where the file's first rows are rows and none of them has it. No more is read than that takes.
    """
    start, found = [first], found_in(first, file)
    while isinstance(found, Row) and name not in found.fields:
        following = next(items, None) if len(start) < MAX_LACKING else None
        if following is None:
            raise no_field(found_in(first, file), name)
        start.append(following)
        found = found_in(following, file)
    return start[1:]


def no_field(row: Found, name: str) -> DataError:
    """What is said of a row that lacks a field."""
    assert isinstance(row, Row)
    return DataError(f"{row.origin}: there is no field {name!r}\n    {known_names(name, row.fields)}")


def to_the_end(items: Iterator[Item], file: DataFile) -> Iterator[Item]:
    """The items. What makes it impossible to read on is one of them, once there was any; else it is raised."""
    item = None
    try:
        for item in items:
            yield item
    except DataError as error:
        if item is None:
            raise
        yield DataError(f"{error}; what comes after it is not read")
    if item is None:
        raise DataError(f"{file.name}: holds no rows")


def shape_of(first: Found, names: Names) -> Shape:
    """The shape of a file, by its first row."""
    if isinstance(first, Row) and LmEvalRows.fits(first.fields):
        return LmEvalRows(names, filter=first.fields.get("filter"))
    if isinstance(first, Row) and RunRows.fits(first):
        return RunRows(names)
    return PlainRows(names)


def check_names(first: Found, shape: Shape, names: Names) -> None:
    """Raises `DataError` where the first sample lacks a field that a person named, other than the completion's."""
    samples = list(shape.samples(first, "")) if isinstance(first, Row) else []
    for sample in samples[:1]:
        if isinstance(sample, Sample) and (name := names.missing(sample.fields)):
            raise DataError(f"{sample.origin}: there is no field {name!r}\n    {known_names(name, sample.fields)}")


def on_one_line(message: str) -> str:
    """A message of several lines on one."""
    return "; ".join(line.strip() for line in message.splitlines())
