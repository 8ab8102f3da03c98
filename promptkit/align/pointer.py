"""JSON pointers (RFC 6901): the way to a value in a document."""

from __future__ import annotations

from typing import Annotated, Any

import regex
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from promptkit.spec.declaration import shorten

__all__ = ["Pointer", "to_pointer", "value_at"]

INDEX = regex.compile(r"0|[1-9][0-9]{0,8}")


def checked(pointer: str) -> str:
    """The pointer, if it is one."""
    if not regex.fullmatch(r"(?:/(?:[^/~]|~[01])*+)*+", pointer):
        message = "{value} is no JSON pointer: it begins with /, and ~ is written ~0, / in a name ~1"
        raise PydanticCustomError("pointer", message, {"value": shorten(pointer)})
    return pointer


Pointer = Annotated[str, AfterValidator(checked)]


def value_at(value: Any, pointer: str) -> Any:
    """What the pointer leads to. Raises `LookupError` with the part of the way that is not there.

    >>> value_at({"a": [{"b/c": 5}]}, "/a/0/b~1c")
    5
    """
    done = ""
    for part in pointer.split("/")[1:]:
        name, done = part.replace("~1", "/").replace("~0", "~"), f"{done}/{part}"
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise LookupError(f"there is nothing at {done}{known(value)}")
    return value


def known(value: Any) -> str:
    """What there is instead, for a reason."""
    if isinstance(value, dict):
        names = ", ".join(map(repr, list(value)[:8]))
        return f", there are: {names}" if names else ", the object is empty"
    return f", the list has {len(value)}" if isinstance(value, list) else f", {shorten(value)} has no parts"


def to_pointer(path: list[str | int]) -> str:
    """The pointer that leads along a path.

    >>> to_pointer(["a", 0, "b/c"])
    '/a/0/b~1c'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
