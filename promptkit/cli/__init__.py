"""The verbs. Each file is one: it reads its options, calls one function, and prints.

Only the verb that was asked for is imported.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from promptkit.errors import Interrupted, PromptkitError
from promptkit.version import __version__

__all__ = ["VERBS", "main", "make_app"]

VERBS = ("check", "show", "run", "extract", "score", "models", "schema", "card")
MISTAKE, INTERRUPTED = 2, 130


def print_version(is_asked: bool) -> None:
    """Prints the version and ends, where asked."""
    if is_asked:
        sys.stdout.write(f"promptkit {__version__}\n")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="the version")
    ] = False,
) -> None:
    """Declare prompts and their parsers in YAML, run them on a local model, trust the table."""


def make_app(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """The command line with these verbs; each verb's module is imported, and no other."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    for verb in verbs:
        app.command(name=verb)(getattr(import_module(f"promptkit.cli.{verb}"), verb))
    return app


def main() -> None:
    """Runs the verb that was asked for. Exit codes: 0 done, 1 what was asked does not hold, 2 a mistake, 130 stopped."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("promptkit").setLevel(logging.INFO)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        make_app((asked,) if asked in VERBS else VERBS)()
    except Interrupted as error:
        sys.stderr.write(f"\n{error}\n")
        sys.exit(INTERRUPTED)
    except PromptkitError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(MISTAKE)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
