"""`promptkit check`: validates pipelines and runs their examples."""

from __future__ import annotations

from typing import Any

import typer

from promptkit.cli.options import AllowCode, AsJson, Files, Overrides
from promptkit.cli.output import print_json, say
from promptkit.errors import PromptkitError
from promptkit.run import Failure, check_examples, load

__all__ = ["check"]


def check(files: Files, overrides: Overrides = None, allow_code: AllowCode = False, as_json: AsJson = False) -> None:
    """Validate files and run the examples that they hold. Needs no model.

    Exit code 1 if an example does not hold, 2 if a file has mistakes.
    """
    results = [check_file(file, overrides or [], allow_code=allow_code) for file in files]
    if as_json:
        print_json({"files": results, "ok": all(result["ok"] for result in results)})
    if any(result["error"] for result in results):
        raise typer.Exit(2)
    if not all(result["ok"] for result in results):
        raise typer.Exit(1)


def check_file(file: str, overrides: list[str], *, allow_code: bool) -> dict[str, Any]:
    """What came of one file, which is also said on standard error."""
    try:
        pipeline = load(file, overrides=overrides, allow_code=allow_code)
    except PromptkitError as error:
        say(str(error))
        return {"file": file, "ok": False, "error": str(error), "num_examples": 0, "failures": []}
    failures = check_examples(pipeline)
    num = len(pipeline.declaration.examples)
    for failure in failures:
        say(str(failure))
    held = "no examples" if not num else f"{num - len(failures)} of {num} examples hold"
    say(f"{'ok  ' if not failures else 'FAIL'} {file}: {held}")
    return {
        "file": file,
        "ok": not failures,
        "error": None,
        "num_examples": num,
        "failures": [failure_json(each) for each in failures],
    }


def failure_json(failure: Failure) -> dict[str, Any]:
    """A failure as JSON values."""
    return {
        "index": failure.index,
        "place": str(failure.position) if failure.position else None,
        "completion": failure.completion,
        "expected": failure.expected,
        "got": failure.got,
    }
