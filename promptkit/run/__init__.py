"""Plan, execute, keep, and score again: what composes the sections of a pipeline.

The names are imported when they are first asked for: `check` needs no store, and `show` no metrics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from promptkit.run.audit import check_has_reference
    from promptkit.run.bakeoff import Agreement, Bakeoff, BakeoffRow, Completions, bake_off
    from promptkit.run.card import Card, make_card
    from promptkit.run.checking import Checked, Difference, Failure, check_examples, check_pipeline, check_sweep
    from promptkit.run.compare.comparing import compare_read, compare_runs, said
    from promptkit.run.compare.moved import Moved
    from promptkit.run.compare.pair import Compared, Flip, Pair, Said
    from promptkit.run.crew import read_batches
    from promptkit.run.declaration import PipelineDeclaration
    from promptkit.run.execute import Progress
    from promptkit.run.explaining import (
        Explained,
        Overview,
        explain_row,
        explain_run,
        explain_text,
        overview_of_rows,
        overview_of_run,
    )
    from promptkit.run.extracting import Extracted, Extractor, Order, Tally, Written, extract
    from promptkit.run.folder import DEFAULT_OUT, is_sweep, read_cells, read_run, read_sweep, sweep_rows
    from promptkit.run.forecast import RunForecast, SharedText, forecast_run
    from promptkit.run.lint.linting import Linted, lint_pipeline, lint_sweep
    from promptkit.run.lint.rule import Finding
    from promptkit.run.lint.rules import RULES
    from promptkit.run.models import Models
    from promptkit.run.pipeline import Pipeline, load
    from promptkit.run.plan import Plan, make_plan
    from promptkit.run.prompter import Selection, make_prompter, read_examples
    from promptkit.run.record import Record
    from promptkit.run.requests import options_of
    from promptkit.run.rescored_folder import write_rescored
    from promptkit.run.rescoring import Rescored, rescore
    from promptkit.run.room import drops
    from promptkit.run.run import Run, Settings, run_pipeline
    from promptkit.run.stages.preview import preview_prompt
    from promptkit.run.store import Store, default_store
    from promptkit.run.sweeps.forecast import SweepForecast, forecast_sweep
    from promptkit.run.sweeps.matrix import Matrix, Race
    from promptkit.run.sweeps.run import CellRun, SweepRun
    from promptkit.run.sweeps.sweep import Cell, Sweep, load_cell, load_sweep, load_whole
    from promptkit.run.sweeps.sweeping import run_sweep

__all__ = [
    "DEFAULT_OUT",
    "RULES",
    "Agreement",
    "Bakeoff",
    "BakeoffRow",
    "Card",
    "Cell",
    "CellRun",
    "Checked",
    "Compared",
    "Completions",
    "Difference",
    "Explained",
    "Extracted",
    "Extractor",
    "Failure",
    "Finding",
    "Flip",
    "Linted",
    "Matrix",
    "Models",
    "Moved",
    "Order",
    "Overview",
    "Pair",
    "Pipeline",
    "PipelineDeclaration",
    "Plan",
    "Progress",
    "Race",
    "Record",
    "Rescored",
    "Run",
    "RunForecast",
    "Said",
    "Selection",
    "Settings",
    "SharedText",
    "Store",
    "Sweep",
    "SweepForecast",
    "SweepRun",
    "Tally",
    "Written",
    "bake_off",
    "check_examples",
    "check_has_reference",
    "check_pipeline",
    "check_sweep",
    "compare_read",
    "compare_runs",
    "default_store",
    "drops",
    "explain_row",
    "explain_run",
    "explain_text",
    "extract",
    "forecast_run",
    "forecast_sweep",
    "is_sweep",
    "lint_pipeline",
    "lint_sweep",
    "load",
    "load_cell",
    "load_sweep",
    "load_whole",
    "make_card",
    "make_plan",
    "make_prompter",
    "options_of",
    "overview_of_rows",
    "overview_of_run",
    "preview_prompt",
    "read_batches",
    "read_cells",
    "read_examples",
    "read_run",
    "read_sweep",
    "rescore",
    "run_pipeline",
    "run_sweep",
    "said",
    "sweep_rows",
    "write_rescored",
]

HOMES = {
    "audit": ("check_has_reference",),
    "bakeoff": ("Agreement", "Bakeoff", "BakeoffRow", "Completions", "bake_off"),
    "card": ("Card", "make_card"),
    "checking": ("Checked", "Difference", "Failure", "check_examples", "check_pipeline", "check_sweep"),
    "compare.comparing": ("compare_read", "compare_runs", "said"),
    "compare.moved": ("Moved",),
    "compare.pair": ("Compared", "Flip", "Pair", "Said"),
    "crew": ("read_batches",),
    "execute": ("Progress",),
    "explaining": (
        "Explained",
        "Overview",
        "explain_row",
        "explain_run",
        "explain_text",
        "overview_of_rows",
        "overview_of_run",
    ),
    "extracting": ("Extracted", "Extractor", "Order", "Tally", "Written", "extract"),
    "folder": ("DEFAULT_OUT", "is_sweep", "read_cells", "read_run", "read_sweep", "sweep_rows"),
    "forecast": ("RunForecast", "SharedText", "forecast_run"),
    "lint.linting": ("Linted", "lint_pipeline", "lint_sweep"),
    "lint.rule": ("Finding",),
    "lint.rules": ("RULES",),
    "sweeps.matrix": ("Matrix", "Race"),
    "models": ("Models",),
    "declaration": ("PipelineDeclaration",),
    "pipeline": ("Pipeline", "load"),
    "plan": ("Plan", "make_plan"),
    "stages.preview": ("preview_prompt",),
    "prompter": ("Selection", "make_prompter", "read_examples"),
    "record": ("Record",),
    "rescored_folder": ("write_rescored",),
    "rescoring": ("Rescored", "rescore"),
    "room": ("drops",),
    "requests": ("options_of",),
    "run": ("Run", "Settings", "run_pipeline"),
    "store": ("Store", "default_store"),
    "sweeps.sweep": ("Cell", "Sweep", "load_cell", "load_sweep", "load_whole"),
    "sweeps.forecast": ("SweepForecast", "forecast_sweep"),
    "sweeps.run": ("CellRun", "SweepRun"),
    "sweeps.sweeping": ("run_sweep",),
}


def __getattr__(name: str) -> Any:
    """A name of this face, from the module that is its home."""
    for home, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"promptkit.run.{home}"), name)
    raise AttributeError(f"module 'promptkit.run' has no attribute {name!r}")
