"""A run that was scored again, as a folder of its own: what another O would have said, for `compare` to read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptkit.errors import RunError
from promptkit.run.folder import SUMMARY, claim, read_fitting, write_run
from promptkit.run.pipeline import Pipeline, plain_stages
from promptkit.run.record import Record
from promptkit.run.rescoring import Rescored
from promptkit.version import __version__

__all__ = ["write_rescored"]

OF_RUN = (
    "selection",
    "formats",
    "identity",
    "folder",
    "cell",
    "settings",
)  # what is still true of the run it is made of
ALIGN, STAGES = "align", "stages"


def write_rescored(rescored: Rescored, run: Path, out: Path, other: Pipeline | None = None) -> Rescored:
    """The same, written to `out`: `run` scored again, by the sections of `other` where there is one.

    Raises `RunError` where `out` is there already and is nothing that this made.
    """
    check_may_be_made(out, run)
    before = rescored.before
    declaration = with_output(before["declaration"], other.plain) if other else before["declaration"]
    said = json.dumps([before.get("digest"), declaration], sort_keys=True, default=str)
    summary = {
        **rescored.run.summary,
        "run": str(out),
        "rescored": {"run": str(run), "with": other.file if other else None, "changed": len(rescored.changed)},
        **{name: before[name] for name in OF_RUN if name in before},
        **({"folder": str(other.folder)} if other else {}),  # the files that O names lie beside the file that has it
        "digest": hashlib.sha256(said.encode()).hexdigest(),
        "promptkit": __version__,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "declaration": declaration,
    }
    with claim(out.resolve().parent) as partial:
        rows = [answered_in_stages(record).to_row() for record in rescored.run.records]
        write_run(partial, out, summary, rows, read_fitting(run))
    return replace(rescored, run=replace(rescored.run, folder=out, summary=summary))


def check_may_be_made(out: Path, run: Path) -> None:
    """Nothing; or `RunError` where the folder would take the place of anything but an older one of its kind."""
    try:
        is_free = not out.exists() or (out.is_dir() and not any(out.iterdir())) or is_rescored(out)
    except OSError:
        is_free = False
    if not is_free or out.resolve() == run.resolve():
        raise RunError(
            f"{str(out)!r} is there already, and is no other run that was scored again\n"
            "    --out names the folder that is to be made"
        )


def is_rescored(folder: Path) -> bool:
    """Whether a folder is what `write_rescored` makes."""
    try:
        return "rescored" in json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def with_output(declaration: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What a run declared, with the O of another file; its stages keep all that is not O."""
    output = {name: other[name] for name in (ALIGN, "score") if name in other}
    if not declaration.get(STAGES):
        return {**{name: value for name, value in declaration.items() if name not in (ALIGN, "score")}, **output}
    chains = {each["name"]: each.get(ALIGN) for each in plain_stages(other.get(STAGES) or ())}
    stages = list(with_chains(declaration[STAGES], chains or other.get(ALIGN)))
    score = {"score": other["score"]} if "score" in other else {}
    return {**{name: value for name, value in declaration.items() if name != "score"}, **score, STAGES: stages}


def with_chains(blocks: Sequence[Mapping[str, Any]], chains: Any) -> Iterator[dict[str, Any]]:
    """Blocks of stages, each stage with the chain of its name, or with the one that there is."""
    for block in blocks:
        if STAGES in block:
            yield {**block, STAGES: list(with_chains(block[STAGES], chains))}
            continue
        plain = {name: value for name, value in block.items() if name != ALIGN}
        chain = chains.get(block["name"], block.get(ALIGN)) if isinstance(chains, Mapping) else chains
        yield {**plain, ALIGN: chain} if chain is not None else plain


def answered_in_stages(record: Record) -> Record:
    """The record, its answer also in what it keeps of the stage that gave it."""
    places = [place for place, each in enumerate(record.stages) if each["stage"] == record.stage]
    if not places:
        return record
    outcome = record.outcome
    said = {
        "answer": record.answer,
        "status": outcome.status,
        "step": outcome.step,
        "reason": getattr(outcome, "reason", None),
    }
    stages = [{**each, **said} if place == places[-1] else each for place, each in enumerate(record.stages)]
    return replace(record, stages=tuple(stages))
