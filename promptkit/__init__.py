"""promptkit: a pipeline language for prompts and in-context learning on local language models.

A frozen model is reprogrammed from outside, ŷ = O ∘ f ∘ I(x). `load` reads a pipeline, `run` runs one.
"""

from promptkit.errors import PromptkitError
from promptkit.run import Pipeline, Record, Run, load, run
from promptkit.version import __version__

__all__ = ["Pipeline", "PromptkitError", "Record", "Run", "__version__", "load", "run"]
