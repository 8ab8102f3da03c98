"""The verbs. Each file is one: it reads its options, calls one function, and prints."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from promptkit.cli.card import card
from promptkit.cli.check import check
from promptkit.cli.extract import extract
from promptkit.cli.models import models
from promptkit.cli.run import run
from promptkit.cli.schema import schema
from promptkit.cli.score import score
from promptkit.cli.show import show
from promptkit.errors import Interrupted, PromptkitError
from promptkit.version import __version__

__all__ = ["app", "main"]

MISTAKE, INTERRUPTED = 2, 130

app = typer.Typer(
    help="Declare prompts and their parsers in YAML, run them on a local model, trust the table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (check, show, run, extract, score, models, schema, card):
    app.command(name=verb.__name__)(verb)


def print_version(is_asked: bool) -> None:
    """Prints the version and ends, where asked."""
    if is_asked:
        sys.stdout.write(f"promptkit {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="the version")
    ] = False,
) -> None:
    """Declare prompts and their parsers in YAML, run them on a local model, trust the table."""


def main() -> None:
    """Runs the verb that was asked for. Exit codes: 0 done, 1 what was asked does not hold, 2 a mistake, 130 stopped."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("promptkit").setLevel(logging.INFO)
    try:
        app()
    except Interrupted as error:
        sys.stderr.write(f"\n{error}\n")
        sys.exit(INTERRUPTED)
    except PromptkitError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(MISTAKE)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
