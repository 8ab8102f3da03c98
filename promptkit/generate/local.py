"""A frozen model on this machine, as a file names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from promptkit.errors import ModelError
from promptkit.generate.model import Loading, ModelDeclaration
from promptkit.generate.model_files import DEFAULT_MODEL, find_model, is_here
from promptkit.generate.tokenizer import Tokenizer

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

    def tokenizer_here(self) -> Tokenizer | None:
        """The tokenizer, where an earlier run or plan of this model has kept it."""
        from promptkit.generate.prepared import kept_tokenizer  # noqa: PLC0415 - `check` looks for it only where it counts tokens

        try:
            return kept_tokenizer(find_model(self.name)) if is_here(self.name) else None
        except (ModelError, OSError, ValueError):
            return None
