"""Every selector that promptkit ships, by name."""

from __future__ import annotations

from promptkit.prompt.select.balanced import Balanced
from promptkit.prompt.select.bm25 import Bm25
from promptkit.prompt.select.code import Python
from promptkit.prompt.select.diverse import Dpp, Mmr
from promptkit.prompt.select.fixed import Fixed
from promptkit.prompt.select.knn import Knn
from promptkit.prompt.select.mdl import Mdl
from promptkit.prompt.select.plain import First, Random
from promptkit.prompt.select.selector import Selector
from promptkit.prompt.select.votek import VoteK

__all__ = ["KINDS"]

KINDS: dict[str, type[Selector]] = {
    "balanced": Balanced,
    "bm25": Bm25,
    "dpp": Dpp,
    "first": First,
    "fixed": Fixed,
    "knn": Knn,
    "mdl": Mdl,
    "mmr": Mmr,
    "python": Python,
    "random": Random,
    "votek": VoteK,
}
