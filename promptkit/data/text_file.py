"""Text files as lines that know where they stand, and what is wrong with bytes that are no text."""

from __future__ import annotations

import codecs
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from promptkit.data.file_name import DataFile
from promptkit.errors import DataError

__all__ = ["STANDARD_INPUT", "RawLine", "cannot_read", "decode", "format_of", "raw_lines", "read_lines", "read_text"]

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PACKED = (".gz", ".zst")
STANDARD_INPUT = DataFile(path=Path("-"), name="stdin")


class RawLine(NamedTuple):
    """A line as it is: its number from 1, the byte of the file with which it begins, and its bytes, end included."""

    number: int
    start: int
    raw: bytes


def format_of(file: DataFile) -> str:
    """The suffix that names the format, in small letters: that before `.gz` or `.zst` where the file is packed.

    >>> format_of(DataFile(path=Path("chains.jsonl.gz"), name="chains.jsonl.gz"))
    '.jsonl'
    """
    path = file.path
    return (path.with_suffix("") if path.suffix.lower() in PACKED else path).suffix.lower()


def read_lines(file: DataFile) -> Iterator[tuple[int, str]]:
    r"""Each line with its number from 1, its end (`\n` or `\r\n`) included; a byte order mark is no part of the first.

    Only `\n` ends a line: JSON may hold the other characters that Unicode counts as line ends. Raises `DataError`
    that names the line and the byte where the file is not UTF-8.
    """
    for line in raw_lines(file):
        yield line.number, decode(line, file)


def raw_lines(file: DataFile) -> Iterator[RawLine]:
    """Each line, unpacked. Raises `DataError` where the file holds none, or cannot be read."""
    start = 0
    try:
        with nullcontext(sys.stdin.buffer) if file is STANDARD_INPUT else file.path.open("rb") as packed:
            for number, raw in enumerate(unpacked(packed, file.path.suffix.lower()), start=1):
                yield RawLine(number, start, raw)
                start += len(raw)
    except OSError as error:
        raise cannot_read(file, error) from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"{file.name}: cannot be unpacked: {str(error)[:1].lower()}{str(error)[1:]}") from error
    if start == 0:
        raise DataError(f"{file.name}: is empty")


def unpacked(stream: IO[bytes], suffix: str) -> IO[bytes]:
    """What a file holds."""
    if suffix == ".gz":
        import gzip  # noqa: PLC0415 - few files are packed

        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if suffix == ".zst":
        import pyarrow as pa  # noqa: PLC0415 - as above, and slow to import

        return io.BufferedReader(pa.CompressedInputStream(stream, "zstd"))
    return stream


def read_text(file: DataFile) -> str:
    """The whole text of a file, without its byte order mark."""
    return "".join(line for _, line in read_lines(file))


def decode(line: RawLine, file: DataFile) -> str:
    """The text of a line. Raises `DataError` that names the byte of the file that is none."""
    raw = line.raw
    if line.number == 1 and raw.startswith(UTF_16):
        raise DataError(f"{file.name}:1: is UTF-16 text; a data file is UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {line.start + error.start} of the file is {raw[error.start]:#04x}"
        raise DataError(f"{file.name}:{line.number}: is not UTF-8 text: {byte}") from error
    if "\0" in text:
        byte = f"byte {line.start + raw.index(0)} of the file is 0x00"
        raise DataError(f"{file.name}:{line.number}: is not text: {byte}")
    return text.removeprefix("\ufeff") if line.number == 1 else text


def cannot_read(file: DataFile, error: OSError) -> DataError:
    """What the system says of a file that cannot be read."""
    return DataError(f"{file.name}: cannot be read: {(error.strerror or str(error)).lower()}")
