"""Logs of inspect_ai: `.json`, one value with a list of samples, or `.eval`, a zip file with a sample a member."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptkit.data.file_name import DataFile
from promptkit.data.files import Row, as_row, parse_json
from promptkit.data.sample import Names, Sample, Unreadable, ended_of, text_or_unreadable
from promptkit.data.text_file import RawLine, cannot_read, decode
from promptkit.errors import DataError

__all__ = ["InspectRows", "is_inspect_log", "rows_of_eval"]

NEEDED = ("id", "epoch", "input", "target", "choices", "output", "metadata", "error", "attachments")
ATTACHED = ("attachment://", "tc://")  # now, and in older logs
ZSTANDARD = 93  # a method of compression that Python's zip files know from 3.14 on


@dataclass(frozen=True, slots=True)
class InspectRows:
    """Samples of such a log. A sample's fields are its metadata, `input`, `target`, and its choices as `options`."""

    names: Names
    about: str = "an inspect log"

    def samples(self, row: Row, fallback_id: str) -> Iterator[Sample | Unreadable]:
        """The completions of a sample: one, or as many as the model was asked for at once."""
        said, id_ = row.fields, row.fields.get("id", fallback_id)
        output = said.get("output")
        choices = output.get("choices") if isinstance(output, dict) else None
        epoch = said.get("epoch")
        before = epoch - 1 if isinstance(epoch, int) else 0
        if not isinstance(choices, list) or not choices:
            error = said.get("error")
            why = f": {error['message']}" if isinstance(error, dict) and error.get("message") else ""
            yield Unreadable(id=id_, number=before, reason=f"{row.origin}: the sample has no output{why}")
            return
        fields = fields_of(said)
        for index, choice in enumerate(choices):
            yield from text_or_unreadable(
                text_of_choice(choice, said.get("attachments")),
                f"{row.origin}: output.choices[{index}].message.content",
                id=id_,
                origin=row.origin,
                fields=fields,
                number=before * len(choices) + index,
                **{
                    "question": question_of(said),
                    "ended": ended_of(choice.get("stop_reason") if isinstance(choice, dict) else None),
                    **self.names.beside(fields),
                },
            )


def is_inspect_log(value: Any) -> bool:
    """Whether the value of a JSON file is such a log."""
    return isinstance(value, dict) and "eval" in value and isinstance(value.get("samples"), list)


def fields_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a sample beside its completion."""
    metadata = said.get("metadata")
    fields = {**metadata} if isinstance(metadata, dict) else {}
    fields |= {name: said[name] for name in ("input", "target") if name in said}
    return fields | ({"options": said["choices"]} if said.get("choices") else {})


def question_of(said: Mapping[str, Any]) -> str:
    """What was asked: the input, or the last thing that the user said in it."""
    asked = said.get("input")
    if isinstance(asked, list):
        spoken = [each for each in asked if isinstance(each, dict) and each.get("role") == "user"]
        asked = text_of_content(spoken[-1].get("content"), said.get("attachments")) if spoken else ""
    return asked if isinstance(asked, str) else ""


def text_of_choice(choice: Any, attachments: Any) -> Any:
    """The text of one choice; what stands there instead where that is no text."""
    message = choice.get("message") if isinstance(choice, dict) else None
    return text_of_content(message.get("content"), attachments) if isinstance(message, dict) else message


def text_of_content(content: Any, attachments: Any) -> Any:
    """The text of a message.

    Where the log keeps the thinking apart, it is left out: what is known to be thinking must not be read as an answer.
    A message of nothing but thinking is thinking that never ended, and is given as such.
    """
    if not isinstance(content, list):
        return attached(content, attachments)
    parts = [part for part in content if isinstance(part, dict)]
    texts = [attached(part.get("text"), attachments) for part in parts if part.get("type") == "text"]
    text = "".join(each for each in texts if isinstance(each, str))
    thoughts = [attached(part.get("reasoning"), attachments) for part in parts if part.get("type") == "reasoning"]
    thought = "".join(each for each in thoughts if isinstance(each, str))
    return f"<think>\n{thought}" if thought and not text.strip() else text


def attached(text: Any, attachments: Any) -> Any:
    """The text, or that which it refers to: a log keeps what stands in several of its places once."""
    if isinstance(text, str) and text.startswith(ATTACHED) and isinstance(attachments, dict):
        return attachments.get(text.partition("://")[2], text)
    return text


def rows_of_eval(file: DataFile) -> Iterator[Row | DataError]:
    """A row a sample, with what is needed of it; one sample is in memory at a time."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            for member in archive.infolist():
                if member.filename.startswith("samples/") and member.filename.endswith(".json"):
                    yield row_of_member(archive, member, file)
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{file.name}: is not a zip file that can be read: {str(error)[:1].lower()}{str(error)[1:]}"
        ) from error
    except OSError as error:
        raise cannot_read(file, error) from error


def row_of_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: DataFile) -> Row | DataError:
    """The sample that a member holds."""
    place = DataFile(path=file.path, name=f"{file.name}/{member.filename}")
    try:
        raw = unpacked(archive, member)
        row = as_row(parse_json(decode(RawLine(1, 0, raw), place), place), place.name)
    except DataError as error:
        return error
    except (OSError, EOFError, NotImplementedError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        return DataError(f"{place.name}: cannot be unpacked: {str(error)[:1].lower()}{str(error)[1:]}")
    return Row(origin=row.origin, fields={name: row.fields[name] for name in NEEDED if name in row.fields})


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes."""
    if member.compress_type != ZSTANDARD:
        return archive.read(member)
    import pyarrow as pa  # noqa: PLC0415 - slow to import, and only newer logs need it

    stream = archive.fp
    assert stream is not None
    stream.seek(member.header_offset)
    header = stream.read(30)  # of the local file: two of its lengths stand in its last four bytes (APPNOTE.TXT, 4.3.7)
    stream.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    packed = stream.read(member.compress_size)
    unpacked_: bytes = pa.decompress(packed, decompressed_size=member.file_size, codec="zstd", asbytes=True)
    return unpacked_
