"""The `data:` section: where each split comes from, and what a right answer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.data.file_name import FileName, FileNames
from promptkit.spec import Declaration, Template

__all__ = ["SPLITS", "DataSection", "DataSource"]

SPLITS = ("train", "validation", "test")
ORIGINS = ("files", "hub", "rows")
ONLY_WITH_HUB = ("config", "split", "revision", "local")


class DataSource(Declaration):
    """Where one split comes from: files, a data set of the hub, or rows written in the pipeline's file."""

    main: ClassVar[str | None] = "files"

    files: FileNames | None = Field(
        default=None,
        description="JSONL, JSON, CSV, TSV or Parquet files, or patterns such as 'gsm8k/*.jsonl'; relative ones are"
        " looked for in the folder that --data names, else beside this file",
    )
    hub: FileName | None = Field(
        default=None, description="a data set of the Hugging Face hub (owner/name), or a folder laid out like one"
    )
    rows: tuple[Mapping[str, Any], ...] | None = Field(
        default=None, min_length=1, description="the rows themselves, each a map of fields"
    )
    config: str | None = Field(default=None, description="with `hub`: the data set's configuration")
    split: str | None = Field(default=None, description="with `hub`: its split; the one of this name if not given")
    revision: str | None = Field(default=None, description="with `hub`: a commit, tag or branch")
    local: FileNames | None = Field(
        default=None,
        description="with `hub`: files with the same rows under this file's own field names, read in the hub's place"
        " when --data names a folder; `fields` of this source are not applied to them",
    )
    fields: Mapping[str, Template] = Field(
        default_factory=dict, description="new or replaced fields of this source, each a template over the row"
    )

    @model_validator(mode="after")
    def _has_one_origin(self) -> DataSource:
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            message = "needs one of `files`, `hub` and `rows`, and has {given}"
            raise PydanticCustomError(
                "origin", message, {"given": " and ".join(f"`{each}`" for each in given) or "none"}
            )
        if given != ["hub"] and (stray := [name for name in ONLY_WITH_HUB if getattr(self, name) is not None]):
            message = "only `hub` takes {stray}, and this source has `{given}`"
            context = {"stray": " and ".join(f"`{each}`" for each in stray), "given": given[0]}
            raise PydanticCustomError("only_with_hub", message, context)
        return self


class DataSection(Declaration):
    """Where the examples come from, and what a right answer is."""

    train: DataSource | None = Field(default=None, description="the rows that demonstrations are taken from")
    validation: DataSource | None = Field(default=None, description="the rows that choices are tried on")
    test: DataSource | None = Field(default=None, description="the rows that a run takes unless --split names others")
    target: Template | None = Field(
        default=None, description="the right answer; one expression keeps its value, a list means any of its items"
    )
    fields: Mapping[str, Template] = Field(
        default_factory=dict, description="new or replaced fields of every split, each a template over the row"
    )
    id: Template | None = Field(
        default=None, description="a row's id; its field `id` if not given, else the split's name and the row's number"
    )

    def source(self, split: str) -> DataSource | None:
        """Where the split comes from; None where the section does not say."""
        source: DataSource | None = getattr(self, split) if split in SPLITS else None
        return source

    @property
    def splits(self) -> list[str]:
        """The splits that there are."""
        return [name for name in SPLITS if self.source(name) is not None]
