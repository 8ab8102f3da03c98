"""The models that a command has open."""

from __future__ import annotations

from promptkit.generate import Generator, Loading, ModelDeclaration

__all__ = ["Models"]


class Models:
    """The models that are open, each once."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._opened: list[tuple[ModelDeclaration, Generator]] = []  # a declaration may hold maps, and so have no hash

    def open(self, model: ModelDeclaration) -> Generator:
        """The generator of a model, opened when it is first asked for."""
        known = next((generator for declared, generator in self._opened if declared == model), None)
        if known is None:
            known = model.open(self._loading)
            self._opened.append((model, known))
        return known
