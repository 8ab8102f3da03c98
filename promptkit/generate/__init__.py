"""f: the Generator seam, the local model, servers, and the scripted model for tests. Nothing here loads torch
before a model is really needed.
"""

from promptkit.generate.alone import HasReference, Parting
from promptkit.generate.constrain.constraint import Constraint
from promptkit.generate.constrain.section import Constrain, NotConstrained
from promptkit.generate.model import MODEL, Loading, Model, ModelDeclaration
from promptkit.generate.model_files import DEFAULT_MODEL, packaged_models
from promptkit.generate.request import (
    Completion,
    Ended,
    Generator,
    HasWeights,
    Keeping,
    OptionScore,
    Request,
    Sampling,
    Work,
)
from promptkit.generate.section import Choose, Generate, Normalization, normalized
from promptkit.generate.states import HasStates
from promptkit.generate.think.section import Think
from promptkit.generate.think.thinking import THOUGHTS, Thinking, Thought
from promptkit.generate.tokenizer import Tokenizer

__all__ = [
    "DEFAULT_MODEL",
    "MODEL",
    "THOUGHTS",
    "Choose",
    "Completion",
    "Constrain",
    "Constraint",
    "Ended",
    "Generate",
    "Generator",
    "HasReference",
    "HasStates",
    "HasWeights",
    "Keeping",
    "Loading",
    "Model",
    "ModelDeclaration",
    "Normalization",
    "NotConstrained",
    "OptionScore",
    "Parting",
    "Request",
    "Sampling",
    "Think",
    "Thinking",
    "Thought",
    "Tokenizer",
    "Work",
    "normalized",
    "packaged_models",
]
