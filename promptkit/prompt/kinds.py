"""Every kind of prompt step that promptkit ships."""

from __future__ import annotations

from promptkit.prompt.demonstrations import Demonstrations
from promptkit.prompt.step import Cue, Instruction, PromptStep, Query, System

__all__ = ["KINDS"]

KINDS: dict[str, type[PromptStep]] = {
    "cue": Cue,
    "demonstrations": Demonstrations,
    "instruction": Instruction,
    "query": Query,
    "system": System,
}
