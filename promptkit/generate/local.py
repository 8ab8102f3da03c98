"""A frozen model on this machine, as a file names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from promptkit.generate.model import Loading, ModelDeclaration
from promptkit.generate.model_files import DEFAULT_MODEL

if TYPE_CHECKING:
    from promptkit.generate.local_generator import LocalGenerator

__all__ = ["LocalModel"]


class LocalModel(ModelDeclaration):
    """A model on this machine: the default, a folder, a GGUF file, or a hub id."""

    kind = "local"
    main: ClassVar[str | None] = "name"

    name: str = Field(
        default=DEFAULT_MODEL, description="smollm2-135m, a folder, a GGUF file, or a hub id (owner/name)"
    )

    @property
    def label(self) -> str:
        """The name as given."""
        return self.name

    def open(self, loading: Loading) -> LocalGenerator:
        """The generator; its weights are read with the first completion."""
        from promptkit.generate.local_generator import LocalGenerator  # noqa: PLC0415 - `check` needs no generator

        return LocalGenerator(self.name, loading)
