"""Printing: results to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["print_json", "print_view", "say"]


def print_json(value: Any) -> None:
    """Prints one JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_view(view: Any) -> None:
    """Prints a table or a coloured text on standard output; without colour where that is no terminal."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=not is_wide(view))
    if not console.is_terminal:  # a log or a pipe has no width: nothing is folded away
        console = Console(highlight=False, width=200, soft_wrap=not is_wide(view))
    console.print(view)


def is_wide(view: Any) -> bool:
    """Whether the view lays itself out in columns."""
    from rich.text import Text

    return not isinstance(view, Text | str)


def say(message: str) -> None:
    """Prints a message on standard error."""
    sys.stderr.write(message + "\n")
