"""How a file names its model, and the seam behind which the kinds of generators stand."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar

from promptkit.generate.request import Generator
from promptkit.generate.tokenizer import Tokenizer
from promptkit.spec import Coordinates, Seam, StepDeclaration, kinds_of

__all__ = ["MODEL", "Loading", "Model", "ModelDeclaration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How to load and run a model: matters of the machine, which no pipeline needs to know.

    `dtype` is "auto" (bfloat16 where the processor computes in it, else float32) or a torch name. `slots` is how many
    rows are in progress at once, `memory` how many bytes may be used; each follows from the machine where it is None.
    """

    dtype: str = "auto"
    slots: int | None = None
    memory: int | None = None


class ModelDeclaration(StepDeclaration):
    """A kind of model. Declaring one loads nothing, and opening one reads no weights: the first completion does."""

    coordinates: ClassVar[Coordinates] = Coordinates()

    @property
    @abstractmethod
    def label(self) -> str:
        """The model's name in tables and folders."""

    @abstractmethod
    def open(self, loading: Loading) -> Generator:
        """The generator. Raises `ModelError` where there is no such model."""

    def tokenizer_here(self) -> Tokenizer | None:
        """The model's tokenizer where that is to be had in a moment: nothing is downloaded or made; None where it is not."""
        return None


MODEL = Seam("generate", "kind of model", kinds_of("promptkit.generate.kinds"), text_means="local")
Model = Annotated[ModelDeclaration, MODEL]
