"""I: instruction, demonstrations, query and cue, concatenated byte for byte, or as turns of a chat."""

from promptkit.prompt.chat import ChatFormat, messages_of
from promptkit.prompt.demonstrations import Demonstrations
from promptkit.prompt.fit import Fit
from promptkit.prompt.gallery import Gallery
from promptkit.prompt.labels import Labels
from promptkit.prompt.leaks import Leaks
from promptkit.prompt.order.order import ORDER, Arranger, Order
from promptkit.prompt.pool import Frozen, Pool
from promptkit.prompt.prompt import Message, Piece, Prompt, Role, Segment
from promptkit.prompt.section import Chat
from promptkit.prompt.select.selector import SELECT, Chooser, Selector
from promptkit.prompt.shown import Choice, LeftOut, Relabelled, Shown
from promptkit.prompt.step import PROMPT, Cue, PromptStep, PromptSteps, Query

__all__ = [
    "ORDER",
    "PROMPT",
    "SELECT",
    "Arranger",
    "Chat",
    "ChatFormat",
    "Choice",
    "Chooser",
    "Cue",
    "Demonstrations",
    "Fit",
    "Frozen",
    "Gallery",
    "Labels",
    "Leaks",
    "LeftOut",
    "Message",
    "Order",
    "Piece",
    "Pool",
    "Prompt",
    "PromptStep",
    "PromptSteps",
    "Query",
    "Relabelled",
    "Role",
    "Segment",
    "Selector",
    "Shown",
    "messages_of",
]
