"""Python that a file names, as `module:function`. It runs only where the person who runs the file allowed it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from promptkit.spec.written import Written
from promptkit.text import Located, known_names

__all__ = ["Code", "load_function"]

NAME = re.compile(r"(?P<module>\w+(?:\.\w+)*):(?P<function>\w+)")


class Code(Written):
    """A function that a file names. Two are equal if they have the same name and are the same function."""

    form: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "pattern": f"^{NAME.pattern.replace('?P<module>', '').replace('?P<function>', '')}$",
    }

    __slots__ = ("function", "name")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = str(name)
        self.function = function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and (self.name, self.function) == (other.name, other.function)

    def __hash__(self) -> int:
        return hash((self.name, self.function))

    def __repr__(self) -> str:
        return f"Code({self.name!r})"

    @classmethod
    def read(cls, value: Any, info: ValidationInfo) -> Code:
        """The code that a file's value names."""
        return value if isinstance(value, Code) else Code(value, load_function(value, info))

    def as_written(self) -> str:
        """Its name."""
        return self.name


def load_function(name: Any, info: ValidationInfo) -> Callable[..., Any]:
    """The function that `module:function` names, if the validation's context has `allow_code`.

    The module is a file in the folder of the pipeline that names it (where a text knows its place, that folder, else
    the context's `folder`), or else an installed one. Raises pydantic's error where it is not allowed or not there.
    """
    match = NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        shown = repr(str(name) if isinstance(name, str) else name)
        raise PydanticCustomError("code", "names code as module:function, not {value}", {"value": shown})
    context = info.context or {}
    if not context.get("allow_code"):
        message = "names Python code ({name}), which runs only with --allow-code"
        raise PydanticCustomError("code_not_allowed", message, {"name": str(name)})
    folder = name.position.source.folder if isinstance(name, Located) else None
    module = load_module(match["module"], folder or context.get("folder"))
    function: Callable[..., Any] | None = getattr(module, match["function"], None)
    if not callable(function):
        known = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        details = {
            "module": match["module"],
            "name": repr(match["function"]),
            "hint": known_names(match["function"], known),
        }
        raise PydanticCustomError("code", "{module} has no function {name}", details)
    return function


def load_module(name: str, folder: Path | None) -> ModuleType:
    """The module of that name: of the folder, else installed. What it raises on import is told as a mistake."""
    path = find_file(name, folder) if folder else None
    try:
        return run_file(path) if path else importlib.import_module(name)
    except Exception as error:
        if path is None and isinstance(error, ModuleNotFoundError) and error.name == name.split(".", maxsplit=1)[0]:
            looked = f"looked in: {folder}, and among the installed" if folder else "looked among the installed"
            details = {"name": repr(name), "hint": looked}
            raise PydanticCustomError("code", "there is no module {name}", details) from error
        details = {"name": repr(name), "why": f"{type(error).__name__}: {error}"}
        raise PydanticCustomError("code", "the module {name} cannot be imported: {why}", details) from error


def find_file(name: str, folder: Path) -> Path | None:
    """The file of a module in a folder, or None."""
    stem = folder.joinpath(*name.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)


def run_file(path: Path) -> ModuleType:
    """The module that a file is, as the file is now, under a name that no other file has.

    `sys.path` stays as it is: two pipelines may each have a `tools.py`. So such a file imports what is installed, and
    not its neighbours.
    """
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    spec = importlib.util.spec_from_file_location(f"promptkit_code_{digest}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module
