"""I: instruction, demonstrations, query and cue, concatenated byte for byte, or as turns of a chat."""

from promptkit.prompt.chat import ChatFormat, messages_of
from promptkit.prompt.demonstrations import Demonstrations
from promptkit.prompt.gallery import Gallery
from promptkit.prompt.order.order import ORDER, Arranger, Order
from promptkit.prompt.pool import Frozen, Pool
from promptkit.prompt.prompt import Message, Piece, Prompt, Role, Segment
from promptkit.prompt.select.selector import SELECT, Chooser, Selector
from promptkit.prompt.step import PROMPT, PromptStep, PromptSteps, Query

__all__ = [
    "ORDER",
    "PROMPT",
    "SELECT",
    "Arranger",
    "ChatFormat",
    "Chooser",
    "Demonstrations",
    "Frozen",
    "Gallery",
    "Message",
    "Order",
    "Piece",
    "Pool",
    "Prompt",
    "PromptStep",
    "PromptSteps",
    "Query",
    "Role",
    "Segment",
    "Selector",
    "messages_of",
]
