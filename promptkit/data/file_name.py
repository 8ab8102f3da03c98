"""Names of data files as people write them, and the files that they mean."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from promptkit.errors import DataError
from promptkit.spec.written import Written
from promptkit.text import Located, Position, nearest

__all__ = ["DataFile", "FileName", "FileNames", "find_file", "find_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName(Written):
    """A file's name as typed, which may be a glob pattern; the folder of the file that names it, and the place there.

    A name that was not read from a file is looked for in the working directory.
    """

    form: ClassVar[Mapping[str, Any]] = {"type": "string", "minLength": 1}

    name: str
    folder: Path | None = None
    position: Position | None = None

    def __str__(self) -> str:
        return self.name

    def path(self, data_folder: Path | None) -> Path:
        """The path that a relative name means: in `data_folder` where one is given, else beside the naming file."""
        return (data_folder or self.folder or Path.cwd()) / Path(self.name).expanduser()

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> FileName:
        """The name that a file's value is, with the folder from which it counts."""
        if isinstance(value, FileName):
            return value
        if not isinstance(value, str) or not value:
            raise PydanticCustomError("file_name", "must be a name, not {value}", {"value": repr(value)})
        position = value.position if isinstance(value, Located) else None
        folder = (position.source.folder if position else None) or (info.context or {}).get("folder")
        return FileName(name=str(value), folder=folder, position=position)

    def as_written(self) -> str:
        """The name as typed."""
        return self.name


FileNames = Annotated[
    tuple[FileName, ...],
    Field(min_length=1),
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else [value]),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file that is there, and its name as a message shows it: as typed."""

    path: Path
    name: str


def find_files(name: FileName, data_folder: Path | None) -> Iterator[DataFile]:
    """The file of that name, or those that the pattern matches, sorted. Raises `DataError` where there is none."""
    if data_folder is not None and not data_folder.is_dir():
        raise DataError(f"{data_folder}: there is no such data folder")
    if name.path(data_folder).exists() or not glob.has_magic(name.name):
        yield find_file(name, data_folder)
        return
    folder = data_folder or name.folder or Path.cwd()
    pattern = str(Path(name.name).expanduser())
    matches = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    found = sorted(each for each in matches if (folder / each).is_file())
    if not found:
        raise DataError("\n    ".join([f"{name}: no file matches this pattern", *missing_hints(name, data_folder)]))
    yield from (DataFile(path=folder / each, name=each) for each in found)


def find_file(name: FileName, data_folder: Path | None = None) -> DataFile:
    """The file of exactly that name. Raises `DataError` that says where it was looked for."""
    path = name.path(data_folder)
    if path.is_dir():
        raise DataError(
            f"{name}: is a folder, not a file\n    for the files in it: {str(Path(name.name) / '*.jsonl')!r}"
        )
    if not path.exists():
        raise DataError("\n    ".join([f"{name}: there is no such file", *missing_hints(name, data_folder)]))
    return DataFile(path=path, name=name.name)


def missing_hints(name: FileName, data_folder: Path | None) -> Iterator[str]:
    """Where a missing file was looked for, what is there in its place, and where it was named."""
    path = name.path(data_folder)
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    close = nearest(path.name, sorted(beside))
    meant = f"   did you mean {str(Path(name.name).with_name(close))!r}?" if close else ""
    yield f"looked for: {path}{meant}"
    if data_folder is not None and name.folder is not None and name.path(None).is_file():
        yield f"it is beside the pipeline, {name.path(None)}, but a data folder is given: only that is looked in"
    if name.position is not None:
        yield f"named at {name.position}"
