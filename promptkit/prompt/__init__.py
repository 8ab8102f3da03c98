"""I: instruction, demonstrations, query and cue, concatenated byte for byte, or as turns of a chat."""

from promptkit.prompt.chat import ChatFormat, messages_of
from promptkit.prompt.demonstrations import Demonstrations
from promptkit.prompt.prompt import Message, Piece, Prompt, Role, Segment
from promptkit.prompt.select import SELECT, Selector
from promptkit.prompt.step import PROMPT, PromptStep, PromptSteps

__all__ = [
    "PROMPT",
    "SELECT",
    "ChatFormat",
    "Demonstrations",
    "Message",
    "Piece",
    "Prompt",
    "PromptStep",
    "PromptSteps",
    "Role",
    "Segment",
    "Selector",
    "messages_of",
]
