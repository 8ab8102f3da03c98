"""A chain in a file of its own, which pipelines use by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from promptkit.align.step import AlignStep, Steps
from promptkit.errors import DeclarationError
from promptkit.spec import Declaration, compose, find_chain, read
from promptkit.spec.declaration import shorten
from promptkit.spec.written import Written

__all__ = ["ChainFile"]

ALIGN = "align"


class ChainSections(Declaration):
    """What is read of a chain's file; `promptkit check` reads the rest of it."""

    align: Steps


@dataclass(frozen=True, slots=True)
class ChainFile(Written):
    """The steps that a file declares under `align`. Equal steps of the same name are an equal file."""

    form: ClassVar[Mapping[str, Any]] = {"type": "string"}

    name: str
    steps: tuple[AlignStep, ...] = field(repr=False)
    text: str = field(default="", repr=False)  # what the file says of them, as JSON

    @classmethod
    def open(cls, name: str, info: ValidationInfo) -> ChainFile:
        """The chain of that name. Raises `PydanticCustomError` with the first mistake that is in its file."""
        context: dict[str, Any] = info.context or {}
        above: tuple[Path, ...] = context.get("above", ())
        try:
            path = find_chain(name, context.get("folder"))
            if path.resolve() in above:
                raise PydanticCustomError("use", "the chain {name} uses itself", {"name": repr(name)})
            tree, problems = compose(str(path))
            inner = {**context, "folder": path.parent, "above": (*above, path.resolve())}
            section = tree.only((ALIGN,))
            steps = read(ChainSections, section, problems, inner).align
        except DeclarationError as error:
            problem = error.problems[0]
            raise PydanticCustomError("use", "{message}", {"message": problem.message, "problem": problem}) from error
        return cls(name, steps, json.dumps(section.plain(), default=str))

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> ChainFile:
        """The chain that a value of a file names."""
        if isinstance(value, ChainFile):
            return value
        if not isinstance(value, str) or not value:
            raise PydanticCustomError("use", "must name a chain, not {value}", {"value": shorten(value)})
        return cls.open(str(value), info)

    def as_written(self) -> str:
        """Its name."""
        return self.name
