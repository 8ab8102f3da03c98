"""The models that a command has open, and which of them may have their weights in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptkit.generate import Generator, HasWeights, Loading, ModelDeclaration, Work
from promptkit.generate.hardware import available_memory

if TYPE_CHECKING:
    from promptkit.generate.sentences import SentenceModel

__all__ = ["Models"]

LITTLE = 0.1  # of the available memory: half of what the plan of a run leaves free


class Models:
    """The models that are open, each once."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._opened: list[tuple[ModelDeclaration, Generator]] = []  # a declaration may hold maps, and so have no hash
        self._sentences: dict[str, SentenceModel] = {}

    def open(self, model: ModelDeclaration) -> Generator:
        """The generator of a model, opened when it is first asked for."""
        known = next((generator for declared, generator in self._opened if declared == model), None)
        if known is None:
            known = model.open(self._loading)
            self._opened.append((model, known))
        return known

    def work(self) -> dict[int, Work]:
        """What each open model has done so far, by its id."""
        return {id(generator): generator.work for _, generator in self._opened}

    def sentences(self, name: str) -> SentenceModel:
        """The model of sentence-transformers of a name."""
        from promptkit.generate.sentences import SentenceModel  # noqa: PLC0415 - only where a file asks for it

        return self._sentences.setdefault(name, SentenceModel(name))

    def turn_to(self, generator: Generator) -> None:
        """Lets the weights of all other models go, so that this one's find room."""
        for _, other in self._opened:
            if other is not generator and isinstance(other, HasWeights):
                other.unload()

    def let_sentences_go(self) -> None:
        """Lets the weights of models of sentence-transformers go."""
        for each in self._sentences.values():
            each.unload()

    def may_stay(self, generators: Sequence[Generator]) -> bool:
        """Whether the weights of all of these take so little that they may stay beside a run of each of them."""
        sizes = [each.num_bytes for each in generators if isinstance(each, HasWeights)]
        available = available_memory() if self._loading.memory is None else None
        return len(sizes) < 2 or (available is not None and sum(sizes) <= LITTLE * available)
