"""Plan, execute, keep, and score again: what composes the sections of a pipeline."""

from promptkit.run.card import Card, make_card
from promptkit.run.checking import Failure, check_examples
from promptkit.run.execute import Progress
from promptkit.run.extracting import Extracted, extract
from promptkit.run.pipeline import Pipeline, PipelineDeclaration, load
from promptkit.run.plan import Plan, Selection, make_plan, make_prompter, read_examples
from promptkit.run.record import Record
from promptkit.run.rescoring import Rescored, rescore
from promptkit.run.run import DEFAULT_OUT, Run, Settings, run, run_pipeline
from promptkit.run.store import Store, default_store

__all__ = [
    "DEFAULT_OUT",
    "Card",
    "Extracted",
    "Failure",
    "Pipeline",
    "PipelineDeclaration",
    "Plan",
    "Progress",
    "Record",
    "Rescored",
    "Run",
    "Selection",
    "Settings",
    "Store",
    "check_examples",
    "default_store",
    "extract",
    "load",
    "make_card",
    "make_plan",
    "make_prompter",
    "read_examples",
    "rescore",
    "run",
    "run_pipeline",
]
