"""promptkit: a pipeline language for prompts and in-context learning on local language models.

A frozen model is reprogrammed from outside, ŷ = O ∘ f ∘ I(x). `load` reads a pipeline, `run` runs one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promptkit.run  # noqa: F401 - the package, before the function of that name takes its place on this face
from promptkit.api import load, run
from promptkit.errors import PromptkitError
from promptkit.version import __version__

if TYPE_CHECKING:
    from promptkit.run import Pipeline, Record, Run

__all__ = ["Pipeline", "PromptkitError", "Record", "Run", "__version__", "load", "run"]


def __getattr__(name: str) -> Any:
    """The classes of this face, imported when they are first asked for."""
    if name in ("Pipeline", "Record", "Run"):
        from importlib import import_module  # noqa: PLC0415

        return getattr(import_module("promptkit.run"), name)
    raise AttributeError(f"module 'promptkit' has no attribute {name!r}")
