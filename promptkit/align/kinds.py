"""Every kind of alignment step that promptkit ships."""

from __future__ import annotations

from promptkit.align.best import Best
from promptkit.align.case import Lower
from promptkit.align.choice import Choice
from promptkit.align.conclusion import Conclusion
from promptkit.align.first import First
from promptkit.align.latex import Latex
from promptkit.align.linear import Linear
from promptkit.align.mapping import Map
from promptkit.align.maths import Maths
from promptkit.align.number import Number
from promptkit.align.python import Python
from promptkit.align.reasoning import Reasoning
from promptkit.align.regex import Regex
from promptkit.align.run_on import RunOn
from promptkit.align.step import AlignStep
from promptkit.align.use import Use
from promptkit.align.vote import Vote
from promptkit.align.whitespace import Strip

__all__ = ["KINDS"]

KINDS: dict[str, type[AlignStep]] = {
    "best": Best,
    "choice": Choice,
    "conclusion": Conclusion,
    "first": First,
    "latex": Latex,
    "linear": Linear,
    "lower": Lower,
    "map": Map,
    "maths": Maths,
    "number": Number,
    "python": Python,
    "reasoning": Reasoning,
    "regex": Regex,
    "run_on": RunOn,
    "strip": Strip,
    "use": Use,
    "vote": Vote,
}
