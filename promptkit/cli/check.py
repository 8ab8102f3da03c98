"""`promptkit check`: validates pipelines, runs their examples, and lints them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.cli.loading import load_any
from promptkit.cli.options import AllowCode, AsJson, DataFolder, Files, Overrides
from promptkit.cli.output import print_json, say
from promptkit.errors import PromptkitError
from promptkit.run import RULES, Checked, Failure, Linted, Sweep, check_pipeline, check_sweep, lint_pipeline, lint_sweep
from promptkit.text import known_names

__all__ = ["check"]

MAX_TOLD = 10
Codes = Annotated[
    list[str] | None, typer.Option("--allow", metavar="CODE", help="a rule whose findings are all allowed, e.g. PK301")
]
Strict = Annotated[bool, typer.Option("--strict", help="end with 1 where the linter finds anything")]
Verbose = Annotated[bool, typer.Option("--verbose", help="tell notes, what is allowed, and which rules were skipped")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for beside the files."""

    overrides: tuple[str, ...]
    allow_code: bool
    allow: tuple[str, ...]
    data_folder: Path | None
    is_verbose: bool


def check(
    files: Files,
    overrides: Overrides = None,
    data: DataFolder = None,
    allow: Codes = None,
    strict: Strict = False,
    verbose: Verbose = False,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Validate files, run the examples that they hold, and lint them. Needs no model.

    Exit code 1 if an example does not hold, or with --strict if the linter finds anything; 2 if a file has mistakes.
    """
    asked = Asked(
        overrides=tuple(overrides or ()),
        allow_code=allow_code,
        allow=tuple(map(known_code, allow or ())),
        data_folder=data,
        is_verbose=verbose,
    )
    results = [check_file(file, asked) for file in files]
    if as_json:
        print_json({"files": results, "ok": all(result["ok"] for result in results)})
    if any(result["error"] for result in results):
        raise typer.Exit(2)
    if not all(result["ok"] and not (strict and result["findings"]) for result in results):
        raise typer.Exit(1)


def known_code(code: str) -> str:
    """The code of a rule. Raises a usage error that lists what is known."""
    if code not in RULES:
        raise typer.BadParameter(f"no rule has the code {code!r}; {known_names(code, RULES)}")
    return code


def check_file(file: str, asked: Asked) -> dict[str, Any]:
    """What came of one file, which is also said on standard error."""
    try:
        declared = load_any(file, asked.overrides, allow_code=asked.allow_code)
        if isinstance(declared, Sweep):
            checked, linted = (
                check_sweep(declared),
                lint_sweep(declared, data_folder=asked.data_folder, allow=asked.allow),
            )
        else:
            checked = check_pipeline(declared)
            linted = lint_pipeline(declared, data_folder=asked.data_folder, allow=asked.allow)
    except PromptkitError as error:
        say(str(error))
        nothing: dict[str, Any] = {"num_examples": 0, "failures": [], **lint_json(Linted())}
        return {"file": file, "ok": False, "error": str(error), **nothing}
    tell(checked)
    tell_lint(linted, is_verbose=asked.is_verbose)
    num, num_failed, num_found = checked.num, len(checked.failures), len(linted.findings)
    held = "no examples" if not num else f"{num - num_failed} of {num} examples hold"
    found = f", {num_found} finding{'s' if num_found > 1 else ''} of the linter" if num_found else ""
    cells = len(declared.cells) if isinstance(declared, Sweep) else None
    of_cells = f", {cells:,} cell{'' if cells == 1 else 's'}" if cells else ""
    say(f"{'FAIL' if num_failed else 'ok  '} {file}: {held}{of_cells}{found}")
    return {
        "file": file,
        "ok": not num_failed,
        "error": None,
        "num_examples": num,
        "failures": [failure_json(each) for each in checked.failures],
        **lint_json(linted),
        **({"num_cells": cells} if cells else {}),
    }


def lint_json(linted: Linted) -> dict[str, Any]:
    """What the linter has to say, as JSON values."""
    return {
        "findings": [each.to_json() for each in linted.findings],
        "notes": [each.to_json() for each in linted.notes],
        "allowed": [each.to_json() for each in linted.allowed],
        "skipped": [asdict(each) for each in linted.skipped],
    }


def tell_lint(linted: Linted, *, is_verbose: bool) -> None:
    """Says what the linter found; where asked, also what it notes, what is allowed and what it could not know."""
    told = [*linted.findings, *(linted.notes if is_verbose else ())]
    for finding in told if is_verbose else told[:MAX_TOLD]:
        say(str(finding))
    if len(told) > MAX_TOLD and not is_verbose:
        say(f"and {len(told) - MAX_TOLD:,} more findings: --verbose or --json has all of them")
    if is_verbose:
        for finding in linted.allowed:
            say(f"{finding.problem.position or ''}: {finding.code} is allowed: {finding.problem.message}")
        for each in linted.skipped:
            say(f"skipped {each.code}: {each.reason}")


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
