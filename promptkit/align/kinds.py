"""Every kind of alignment step that promptkit ships."""

from __future__ import annotations

from promptkit.align.after import After, Before
from promptkit.align.all_of import AllOf
from promptkit.align.batch import Batch
from promptkit.align.best import Best
from promptkit.align.between import Between
from promptkit.align.box import Boxed
from promptkit.align.capture import Captured
from promptkit.align.case import Lower
from promptkit.align.choice import Choice
from promptkit.align.code_block import CodeBlock
from promptkit.align.conclusion import Conclusion
from promptkit.align.contextual import Contextual
from promptkit.align.date import Date
from promptkit.align.domain_context import DomainContext
from promptkit.align.first import First
from promptkit.align.grammar import GrammarStep
from promptkit.align.json_step import Json
from promptkit.align.label_map import LabelMap
from promptkit.align.latex import Latex
from promptkit.align.line import Lines
from promptkit.align.linear import Linear
from promptkit.align.list import List
from promptkit.align.literal import PythonLiteral
from promptkit.align.mapping import Map
from promptkit.align.maths import Maths
from promptkit.align.number import Number
from promptkit.align.pmi import Pmi
from promptkit.align.prototypical import Prototypical
from promptkit.align.python import Python
from promptkit.align.reasoning import Reasoning
from promptkit.align.regex import Regex
from promptkit.align.reject import Reject
from promptkit.align.run_on import RunOn
from promptkit.align.step import AlignStep
from promptkit.align.use import Use
from promptkit.align.vote import Vote
from promptkit.align.whitespace import Strip
from promptkit.align.yes_no import YesNo

__all__ = ["KINDS"]

KINDS: dict[str, type[AlignStep]] = {
    "after": After,
    "all_of": AllOf,
    "batch": Batch,
    "before": Before,
    "best": Best,
    "between": Between,
    "boxed": Boxed,
    "capture": Captured,
    "choice": Choice,
    "code_block": CodeBlock,
    "conclusion": Conclusion,
    "contextual": Contextual,
    "date": Date,
    "domain_context": DomainContext,
    "first": First,
    "grammar": GrammarStep,
    "json": Json,
    "label_map": LabelMap,
    "latex": Latex,
    "linear": Linear,
    "lines": Lines,
    "list": List,
    "lower": Lower,
    "map": Map,
    "maths": Maths,
    "number": Number,
    "pmi": Pmi,
    "prototypical": Prototypical,
    "python": Python,
    "python_literal": PythonLiteral,
    "reasoning": Reasoning,
    "regex": Regex,
    "reject": Reject,
    "run_on": RunOn,
    "strip": Strip,
    "use": Use,
    "vote": Vote,
    "yes_no": YesNo,
}
