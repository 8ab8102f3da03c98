"""From declared sources to examples: splits, pools for demonstrations, and what a right answer is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from promptkit.data.example import Example
from promptkit.data.file_name import FileName, find_file, find_files
from promptkit.data.files import READERS, Row, as_row, rows_of_file
from promptkit.data.hub import HubDataSet, rows_of_hub
from promptkit.data.section import SPLITS, DataSection, DataSource
from promptkit.errors import DataError, TemplateError
from promptkit.spec import Template
from promptkit.spec.declaration import shorten
from promptkit.text import known_names

__all__ = ["is_data_file", "read_file", "read_rows", "read_split", "target_of"]

Made = TypeVar("Made")


def read_split(
    section: DataSection, name: str, *, data_folder: Path | None = None, limit: int | None = None
) -> tuple[Example, ...]:
    """The examples of a split, the first `limit` of them. Files are read no further than that.

    Raises `DataError` that names file and line: a row that cannot be read, a template that cannot be rendered, an
    id that was there before.
    """
    if limit is not None and limit < 1:
        raise DataError(f"the limit must be at least 1, not {limit}")
    source = section.source(name)
    if source is None:
        raise no_split(section, name)
    rows = rows_of_source(source, name, data_folder)
    changed = (with_fields(row, section.fields) for row in rows)
    examples = (example_of(row, section.id, f"{name}-{index}") for index, row in enumerate(changed))
    return unique(islice(examples, limit))


def read_rows(
    section: DataSection,
    source: str | tuple[Mapping[str, Any], ...],
    *,
    data_folder: Path | None = None,
    folder: Path | None = None,
    limit: int | None = None,
) -> tuple[Example, ...]:
    """The examples that `source` means: a split by its name, a data file beside `folder`'s own, or rows as they are.

    Of them the first `limit`. The section's `fields` are for its splits, and not applied to the rows of other files.
    """
    if not isinstance(source, str):
        rows = (as_row(plain(row), f"rows[{index}]") for index, row in enumerate(source))
        return unique(islice((example_of(row, None, f"rows-{index}") for index, row in enumerate(rows)), limit))
    if not is_data_file(source):
        return read_split(section, source, data_folder=data_folder, limit=limit)
    files = find_files(FileName(name=source, folder=folder), data_folder)
    found = chain.from_iterable(rows_of_file(file) for file in files)
    stem = Path(source).stem
    return unique(islice((example_of(row, None, f"{stem}-{index}") for index, row in enumerate(found)), limit))


def is_data_file(source: str) -> bool:
    """Whether a pool's name is that of a file, and not of a split."""
    return source not in SPLITS and Path(source).suffix.lower() in READERS


def read_file(path: Path) -> Iterator[Example]:
    """The rows of one file, as they come. An id may stand there twice: completions of one example share it."""
    for index, row in enumerate(rows_of_file(find_file(FileName(name=str(path))))):
        yield example_of(row, None, f"{path.stem}-{index}")


def target_of(section: DataSection, example: Example) -> Any:
    """What a right answer to the example is; None where the section, or the row, does not say."""
    if section.target is None:
        return None
    return at_row(section.target.value, example.fields, f"{example.origin}: target")


def rows_of_source(source: DataSource, split: str, data_folder: Path | None) -> Iterator[Row]:
    """The rows of one source, its own fields applied."""
    if source.hub is not None and source.local is not None and data_folder is not None:
        return rows_of_files(source.local, data_folder)
    if source.hub is not None:
        rows = rows_of_hub(hub_data_set(source, source.hub, split, data_folder))
    elif source.files is not None:
        rows = rows_of_files(source.files, data_folder)
    else:
        places = enumerate(source.rows or ())
        rows = (as_row(plain(row), f"data.{split}.rows[{index}]") for index, row in places)
    return (with_fields(row, source.fields) for row in rows)


def rows_of_files(names: Iterable[FileName], data_folder: Path | None) -> Iterator[Row]:
    """The rows of several files, one after the other. All files are found before the first is read."""
    files = [file for name in names for file in find_files(name, data_folder)]
    return chain.from_iterable(rows_of_file(file) for file in files)


def hub_data_set(source: DataSource, hub: FileName, split: str, data_folder: Path | None) -> HubDataSet:
    """What to ask the hub for; or a folder of that name, where there is one."""
    path = hub.path(data_folder)
    return HubDataSet(
        id=hub.name,
        split=source.split or split,
        config=source.config,
        revision=source.revision,
        folder=path if path.is_dir() else None,
    )


def with_fields(row: Row, fields: Mapping[str, Template]) -> Row:
    """The row with its new or replaced fields, each rendered over the row as it was."""
    if not fields:
        return row
    made = {
        name: at_row(template.value, row.fields, f"{row.origin}: fields.{name}") for name, template in fields.items()
    }
    return Row(origin=row.origin, fields={**row.fields, **made})


def example_of(row: Row, template: Template | None, fallback: str) -> Example:
    """The example that a row is; its id from the template, else from the row's field, else `fallback`."""
    fields = MappingProxyType(row.fields)
    found = at_row(template.value, fields, f"{row.origin}: id") if template else row.fields.get("id")
    if template is None and found is None:
        found = fallback
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise DataError(f"{row.origin}: the id must be text or a whole number, not {shorten(found)}")
    return Example(id=str(found), fields=fields, origin=row.origin)


def unique(examples: Iterable[Example]) -> tuple[Example, ...]:
    """The examples. Raises `DataError` where two of them have one id."""
    seen: dict[str, Example] = {}
    for example in examples:
        if example.id in seen:
            first = seen[example.id].origin
            raise DataError(f"{example.origin}: the id {example.id!r} stands here again, first at {first}")
        seen[example.id] = example
    return tuple(seen.values())


def at_row(render: Callable[[Mapping[str, Any]], Made], fields: Mapping[str, Any], place: str) -> Made:
    """What a template gives for a row. Raises `DataError` that names the row before what the template says."""
    try:
        return render(fields)
    except TemplateError as error:
        raise DataError(f"{place}: {error}") from error


def no_split(section: DataSection, name: str) -> DataError:
    """The error for a split that the section does not have."""
    hint = known_names(name, section.splits) if section.splits else "`data` names none"
    return DataError(f"the pipeline has no split {name!r}\n    {hint}")


def plain(value: Any) -> Any:
    """A value of a pipeline's file as data: text that no longer knows where it was written."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
