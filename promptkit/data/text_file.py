"""Text files as lines that know where they stand, and what is wrong with bytes that are no text."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from promptkit.data.file_name import DataFile
from promptkit.errors import DataError

__all__ = ["cannot_read", "read_lines", "read_text"]

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(file: DataFile) -> Iterator[tuple[int, str]]:
    r"""Each line with its number from 1, its end (`\n` or `\r\n`) included; a byte order mark is no part of the first.

    Only `\n` ends a line: JSON may hold the other characters that Unicode counts as line ends. Raises `DataError`
    that names the line and the byte where the file is not UTF-8.
    """
    start = 0
    try:
        with file.path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                yield number, decode(raw, file, line=number, start=start)
                start += len(raw)
    except OSError as error:
        raise cannot_read(file, error) from error
    if start == 0:
        raise DataError(f"{file.name}: is empty")


def read_text(file: DataFile) -> str:
    """The whole text of a file, without its byte order mark."""
    return "".join(line for _, line in read_lines(file))


def decode(raw: bytes, file: DataFile, *, line: int, start: int) -> str:
    """The text of one line that begins at byte `start` of its file."""
    if line == 1 and raw.startswith(UTF_16):
        raise DataError(f"{file.name}:1: is UTF-16 text; a data file is UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {start + error.start} of the file is {raw[error.start]:#04x}"
        raise DataError(f"{file.name}:{line}: is not UTF-8 text: {byte}") from error
    if "\0" in text:
        byte = f"byte {start + raw.index(0)} of the file is 0x00"
        raise DataError(f"{file.name}:{line}: is not text: {byte}")
    return text.removeprefix("\ufeff") if line == 1 else text


def cannot_read(file: DataFile, error: OSError) -> DataError:
    """What the system says of a file that cannot be read."""
    return DataError(f"{file.name}: cannot be read: {(error.strerror or str(error)).lower()}")
