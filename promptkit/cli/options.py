"""Options that several verbs share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.errors import GenerationError
from promptkit.generate.sizes import parse_bytes

__all__ = [
    "AllowCode",
    "AsJson",
    "CellNumber",
    "DataFolder",
    "Dtype",
    "Files",
    "Limit",
    "Memory",
    "ModelName",
    "Overrides",
    "PipelineFile",
    "Slots",
    "Split",
    "StoreFile",
]

PipelineFile = Annotated[str, typer.Argument(metavar="FILE", help="a pipeline file, or the name of a shipped one")]
Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="pipeline files, or names of shipped ones")]
ModelName = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="another model: a name, a folder, a GGUF file, a hub id")
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="where relative data files are looked for")
]
Split = Annotated[str, typer.Option("--split", metavar="NAME", help="the split that is asked about")]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="take only the first N examples")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="change one value of the file, e.g. prompt.demonstrations.take=4"),
]
AllowCode = Annotated[bool, typer.Option("--allow-code", help="let the file run the Python that it names")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object on standard output")]
CellNumber = Annotated[
    int | None, typer.Option("--cell", metavar="N", min=0, help="one cell of the file's matrix, counted from 0")
]
Dtype = Annotated[str, typer.Option(help="auto, float32, bfloat16, float16")]
Slots = Annotated[int | None, typer.Option(min=1, help="rows in progress at once; else as many as memory allows")]
StoreFile = Annotated[Path | None, typer.Option("--store", metavar="FILE", help="the completion store")]


def read_memory(text: str) -> int:
    """The bytes that a text means. Raises a usage error that shows the form."""
    try:
        return parse_bytes(text)
    except GenerationError as error:
        raise typer.BadParameter(str(error)) from error


Memory = Annotated[
    int | None,
    typer.Option("--memory", metavar="SIZE", parser=read_memory, help="the most memory to use, e.g. 6GB or 500MB"),
]
