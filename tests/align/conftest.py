"""Ways to declare a chain as a pipeline's file would, and to read one completion with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from promptkit.align import Chain, Outcome, Steps
from promptkit.spec import Declaration, read
from promptkit.spec.document import parse
from promptkit.text import Source

Declare = Callable[..., Chain]


class Sections(Declaration):
    """A file with nothing but its `align` section."""

    align: Steps = Field(default=())


@pytest.fixture(scope="session")
def declare() -> Declare:
    """The chain that the `align` section of a file `pipe.yaml` declares."""

    def declare_(text: str, *, folder: Path | None = None, allow_code: bool = False) -> Chain:
        tree, problems = parse(Source(name="pipe.yaml", text=text, folder=folder))
        context = {"folder": folder, "allow_code": allow_code}
        return Chain(read(Sections, tree, problems, context).align)

    return declare_


@pytest.fixture(scope="session")
def read_with(declare: Declare) -> Callable[..., Outcome]:
    """What a declared chain makes of one completion."""

    def read_with_(text: str, completion: str, *, ended: Any = "eos", **fields: Any) -> Outcome:
        return declare(text).align(completion, fields=fields, ended=ended)

    return read_with_
