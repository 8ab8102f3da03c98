"""`promptkit check`: validates pipelines and runs their examples."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from promptkit.cli.options import AllowCode, AsJson, Files, Overrides
from promptkit.cli.output import print_json, say
from promptkit.errors import PromptkitError
from promptkit.run import Checked, Failure, check_pipeline, load

__all__ = ["check"]

MAX_TOLD = 10


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
        checked = check_pipeline(load(file, overrides=overrides, allow_code=allow_code))
    except PromptkitError as error:
        say(str(error))
        return {"file": file, "ok": False, "error": str(error), "num_examples": 0, "failures": []}
    tell(checked)
    num, num_failed = checked.num, len(checked.failures)
    held = "no examples" if not num else f"{num - num_failed} of {num} examples hold"
    say(f"{'FAIL' if num_failed else 'ok  '} {file}: {held}")
    return {
        "file": file,
        "ok": not num_failed,
        "error": None,
        "num_examples": num,
        "failures": [failure_json(each) for each in checked.failures],
    }


def tell(checked: Checked) -> None:
    """Says what does not hold, the first of it where that is much."""
    if not checked.failures:
        return
    from promptkit.report import failure_text

    for failure in checked.failures[:MAX_TOLD]:
        say(failure_text(failure))
    if len(checked.failures) > MAX_TOLD:
        say(f"and {len(checked.failures) - MAX_TOLD:,} more do not hold: --json has all of them")


def failure_json(failure: Failure) -> dict[str, Any]:
    """A failure as JSON values."""
    return {
        "index": failure.index,
        "place": str(failure.position) if failure.position else None,
        "origin": failure.origin or None,
        "completion": failure.completion,
        "expected": failure.expected,
        "got": failure.got,
        "differences": [asdict(each) for each in failure.differences],
    }
