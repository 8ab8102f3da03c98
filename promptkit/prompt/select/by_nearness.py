"""What selectors have in common that go by a nearness, and do not just take the nearest rows."""

from __future__ import annotations

from pydantic import Field

from promptkit.prompt.select.knn import Knn
from promptkit.prompt.select.near import AnyNearSelector
from promptkit.prompt.select.selector import Selector

__all__ = ["ByNearness"]


class ByNearness(Selector):
    """A selector that goes by the nearness that another one has: it asks what that one asks."""

    of: AnyNearSelector = Field(default_factory=Knn, description="what near means: knn, bm25")

    @property
    def asks_model(self) -> bool:
        """Whether the nearness is the model's."""
        return self.of.asks_model

    @property
    def asks_another(self) -> bool:
        """Whether the nearness is another model's."""
        return self.of.asks_another
