"""Printing: results to standard output or a file, messages to standard error."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from promptkit.errors import RunError

__all__ = ["has_colour", "print_exactly", "print_json", "print_view", "say", "writing"]

UNLIMITED = 10_000


def print_json(value: Any) -> None:
    """Prints one JSON object on standard output."""
    is_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=is_ascii, indent=2, default=str) + "\n")


def print_exactly(text: str) -> None:
    """Prints a text on standard output, byte for byte, as UTF-8."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def print_view(view: Any) -> None:
    """Prints a table or a coloured text on standard output; without colour where that is no terminal."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=not is_wide(view))
    if not console.is_terminal:  # a log or a pipe has no width: nothing is folded away
        console = Console(highlight=False, width=UNLIMITED, soft_wrap=not is_wide(view))
    console.print(view)


def has_colour() -> bool:
    """Whether what is printed on standard output is seen in colour."""
    from rich.console import Console

    console = Console()
    return console.color_system is not None and not console.no_color


def is_wide(view: Any) -> bool:
    """Whether the view lays itself out in columns."""
    from rich.text import Text

    return not isinstance(view, Text | str)


def say(message: str) -> None:
    """Prints a message on standard error."""
    sys.stderr.write(message + "\n")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A file to write text to, which is there whole when all went well, and as it was before when not.

    What is no plain file, such as a pipe, is written as it is. Raises `RunError` where it cannot be written.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8") as stream:
                yield stream
            return
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as folder:
            partial = Path(folder) / target.name
            with partial.open("w", encoding="utf-8") as stream:
                yield stream
            partial.replace(target)
    except OSError as error:
        raise RunError(f"{str(path)!r} cannot be written: {(error.strerror or str(error)).lower()}") from error
