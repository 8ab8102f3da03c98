"""The verbs. Each file is one: it reads its options, calls one function, and prints.

Only the verb that was asked for is imported.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.errors import Interrupted, PromptkitError
from promptkit.version import __version__

__all__ = ["VERBS", "main", "make_app"]

VERBS = (
    "check",
    "show",
    "plan",
    "run",
    "extract",
    "score",
    "compare",
    "report",
    "explain",
    "bakeoff",
    "picture",
    "models",
    "schema",
    "card",
)
DONE, MISTAKE, INTERRUPTED = 0, 2, 130
UsageError: type[Any] = typer.BadParameter.__mro__[1]  # typer gives it no name of its own


def print_version(is_asked: bool) -> None:
    """Prints the version and ends, where asked."""
    if is_asked:
        sys.stdout.write(f"promptkit {__version__}\n")
        raise typer.Exit


def whole(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="the version")
    ] = False,
) -> None:
    """Declare prompts and their parsers in YAML, run them on a local model, trust the table."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help())
        raise typer.Exit(MISTAKE)


def make_app(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """The command line with these verbs; each verb's module is imported, and no other."""
    app = typer.Typer(
        invoke_without_command=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(whole)
    for verb in verbs:
        app.command(name=verb)(getattr(import_module(f"promptkit.cli.{verb}"), verb))
    return app


def main() -> None:
    """Runs the verb that was asked for. Exit codes: 0 done, 1 what was asked does not hold, 2 a mistake, 130 stopped."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("promptkit").setLevel(logging.INFO)
    if sys.stdout is None:  # closed by who started us
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show a character is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        app = make_app((asked,) if asked in VERBS else VERBS)
    except KeyboardInterrupt:  # while modules are imported
        sys.exit(tell("\nstopped", INTERRUPTED))
    code = exit_code(app)
    gc.freeze()  # the process ends: what is left need not be looked at once more, which takes half a second
    sys.exit(code)


def exit_code(app: typer.Typer) -> int:
    """Runs the command line, tells every mistake in one message on standard error, and says how the process ends."""
    try:
        code: int = app(standalone_mode=False, prog_name="promptkit") or DONE
        sys.stdout.flush()
    except Interrupted as error:
        return tell(str(error), INTERRUPTED)
    except PromptkitError as error:
        return tell(str(error), MISTAKE)
    except UsageError as error:
        return tell(usage_message(error), MISTAKE)
    except (BrokenPipeError, SystemExit) as error:  # the reader of our output went away, as `head` does
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise  # typer ends the process itself for nothing but that
        forget_output()
        return DONE
    except OSError as error:
        forget_output()
        what = repr(error.filename) if error.filename else "the output cannot be written"
        return tell(f"{what}: {(error.strerror or str(error)).lower()}", MISTAKE)
    except typer.Abort:
        code = INTERRUPTED
    return tell("\nstopped", code) if code == INTERRUPTED else code


def tell(message: str, code: int) -> int:
    """The code; the message goes to standard error."""
    sys.stderr.write(f"{message}\n")
    return code


def usage_message(error: Any) -> str:
    """What is wrong with a command line, in the form of our other messages."""
    command = error.ctx.command_path if error.ctx else "promptkit"
    said = error.format_message().rstrip(".")
    return f"{command}: {said[:1].lower()}{said[1:]}\n    {command} --help tells what there is"


def forget_output() -> None:
    """What standard output still holds goes nowhere: it could not be written, and would fail again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
