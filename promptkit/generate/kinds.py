"""Every kind of generator that promptkit ships."""

from __future__ import annotations

from promptkit.generate.local import LocalModel
from promptkit.generate.model import ModelDeclaration
from promptkit.generate.scripted import ScriptedModel
from promptkit.generate.server import ServerModel

__all__ = ["KINDS"]

KINDS: dict[str, type[ModelDeclaration]] = {"local": LocalModel, "scripted": ScriptedModel, "server": ServerModel}
