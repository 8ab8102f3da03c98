"""`knn`: the rows whose vectors are nearest to the example's."""

from __future__ import annotations

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by import By
from promptkit.prompt.select.near import Nearness, NearSelector, text_reader

__all__ = ["Knn"]

FROZEN = "frozen"


class Knn(NearSelector):
    """The nearest rows by the cosine of their vectors (Liu et al. 2022, section 3), the nearest first.

    The vectors are the frozen model's own: its hidden states, averaged over the tokens, each number less its mean over
    the pool and divided by its deviation, since a few numbers of a model's states are so large that they alone would
    decide (Timkey and van Schijndel 2021, section 4). Nothing is downloaded, and each text is embedded once: the store
    keeps its vector.
    """

    kind = "knn"

    layers: tuple[int, ...] = Field(
        default=(),
        description="the layers whose hidden states are put side by side: 0 is the embedding, 1 the first layer's output, -1 "
        "the last's; that after a third of the layers if not given",
    )
    by: By | None = Field(
        default=None, description="what is compared, as a template over the fields; the text of the query if not given"
    )
    embed: str = Field(
        default=FROZEN,
        description="what makes the vectors: frozen (the pipeline's own model), or the folder or hub id of a model of "
        "sentence-transformers",
    )
    standardise: bool | None = Field(
        default=None,
        strict=True,
        description="whether each number of the vectors is taken less its mean over the pool, and divided by its deviation "
        "there; only with the frozen model if not given",
    )

    @model_validator(mode="after")
    def _layers_are_the_models(self) -> Knn:
        if self.layers and self.embed != FROZEN:
            message = "`layers` are those of the frozen model, and {name} embeds here"
            context = {"name": repr(str(self.embed)), "at": ("layers",), "hint": "leave `layers` or `embed` out"}
            raise PydanticCustomError("layers", message, context)
        return self

    @property
    def asks_model(self) -> bool:
        """Whether the vectors are the frozen model's."""
        return self.embed == FROZEN

    @property
    def asks_another(self) -> bool:
        """Whether the vectors are another model's."""
        return self.embed != FROZEN

    def nearness(self, pool: Pool) -> Nearness:
        """The cosines of the vectors of rows and examples. Raises what the model raises where it cannot embed."""
        from promptkit.prompt.select.nearness import Vectors  # noqa: PLC0415 - brings numpy

        asked = pool.asked
        is_standard = self.asks_model if self.standardise is None else self.standardise
        return Vectors.of(
            pool,
            text_of=text_reader(self.by, pool),
            embed=(
                (lambda texts: asked.embed(texts, self.layers))
                if self.asks_model
                else (lambda texts: asked.embed_with(self.embed, texts))
            ),
            is_standard=is_standard,
        )
