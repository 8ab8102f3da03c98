"""`promptkit schema`: the JSON Schema of the language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from promptkit.cli.options import AsJson
from promptkit.cli.output import print_json, say, writing

__all__ = ["schema"]


def schema(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write it here, not to standard output")] = None,
    as_json: AsJson = False,  # noqa: ARG001 - a schema is JSON either way
) -> None:
    """Write the JSON Schema of the language, for editors. It is JSON with or without --json."""
    import json

    from promptkit.run.schema import json_schema

    if out is None:
        print_json(json_schema())
        return
    with writing(out) as stream:
        stream.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    say(f"wrote {out}")
