"""Options that several verbs share, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AllowCode", "AsJson", "DataFolder", "Files", "Limit", "ModelName", "Overrides", "PipelineFile", "Split"]

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
