"""O, output alignment: the chain that turns a completion into an answer, or says why there is none."""

from promptkit.align.after import After, Before
from promptkit.align.all_of import AllOf
from promptkit.align.batch import Batch
from promptkit.align.best import Best
from promptkit.align.between import Between
from promptkit.align.box import Boxed
from promptkit.align.capture import Captured
from promptkit.align.case import Lower
from promptkit.align.chain import Chain
from promptkit.align.choice import Choice
from promptkit.align.code_block import CodeBlock
from promptkit.align.conclusion import Conclusion
from promptkit.align.context import Apart, Context, Ended
from promptkit.align.contextual import Contextual
from promptkit.align.date import Date
from promptkit.align.deciding import Ballot, DecidingStep, Share, Verdict
from promptkit.align.domain_context import DomainContext
from promptkit.align.expression import Expression
from promptkit.align.first import First
from promptkit.align.grammar import GrammarStep
from promptkit.align.json_step import Json
from promptkit.align.kinds import KINDS
from promptkit.align.label_map import LabelMap
from promptkit.align.latex import Latex
from promptkit.align.ledger import Ledger, Tried
from promptkit.align.line import Lines
from promptkit.align.linear import Linear, LinearState
from promptkit.align.list import List
from promptkit.align.literal import PythonLiteral
from promptkit.align.mapping import Map
from promptkit.align.maths import Maths
from promptkit.align.number import Number
from promptkit.align.outcome import STATUSES, Answer, Capture, Found, Missing, NoAnswer, Outcome, Status
from promptkit.align.pmi import Pmi
from promptkit.align.prototypical import Prototypical
from promptkit.align.python import Python
from promptkit.align.reasoning import Reasoning
from promptkit.align.regex import Regex
from promptkit.align.reject import Reject
from promptkit.align.run_on import RunOn
from promptkit.align.step import ALIGN, AlignStep, ItemStep, Steps
from promptkit.align.take import Take
from promptkit.align.use import Use
from promptkit.align.vote import Vote
from promptkit.align.weighing import Ask, ScoreRow, Weighed, Weighing, WeighingStep, softmax
from promptkit.align.whitespace import Strip
from promptkit.align.yes_no import YesNo

__all__ = [
    "ALIGN",
    "KINDS",
    "STATUSES",
    "After",
    "AlignStep",
    "AllOf",
    "Answer",
    "Apart",
    "Ask",
    "Ballot",
    "Batch",
    "Before",
    "Best",
    "Between",
    "Boxed",
    "Capture",
    "Captured",
    "Chain",
    "Choice",
    "CodeBlock",
    "Conclusion",
    "Context",
    "Contextual",
    "Date",
    "DecidingStep",
    "DomainContext",
    "Ended",
    "Expression",
    "First",
    "Found",
    "GrammarStep",
    "ItemStep",
    "Json",
    "LabelMap",
    "Latex",
    "Ledger",
    "Linear",
    "LinearState",
    "Lines",
    "List",
    "Lower",
    "Map",
    "Maths",
    "Missing",
    "NoAnswer",
    "Number",
    "Outcome",
    "Pmi",
    "Prototypical",
    "Python",
    "PythonLiteral",
    "Reasoning",
    "Regex",
    "Reject",
    "RunOn",
    "ScoreRow",
    "Share",
    "Status",
    "Steps",
    "Strip",
    "Take",
    "Tried",
    "Use",
    "Verdict",
    "Vote",
    "Weighed",
    "Weighing",
    "WeighingStep",
    "YesNo",
    "softmax",
]
