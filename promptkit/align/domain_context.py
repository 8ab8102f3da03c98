"""`domain_context`: options calibrated by random words of the run's own texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.contextual import ContentFree
from promptkit.align.weighing import Ask, Asks, ScoreRow, Weighing
from promptkit.spec import Coordinates, Count, Seed

__all__ = ["DomainContext"]


class DomainContext(ContentFree):
    """Domain-context calibration (Fei et al. 2023, section 4): divides each option's probability by its mean
    probability for texts of random words, drawn from all rows of the run.

    Targets are not looked at. `--limit` changes the words, and with them the numbers.
    """

    kind = "domain_context"
    main: ClassVar[str | None] = "num"
    coordinates: ClassVar[Coordinates] = Coordinates(alignment="statistical", configuration="learnable")

    num: Count = Field(default=20, description="how many texts of random words")
    length: Count | None = Field(
        default=None, description="words of each text; as many as the rows' texts have on average if not given"
    )
    seed: Seed = Field(default=0, description="decides which words are drawn")

    def asks(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Asks:
        """Texts of random words, each field's from its own texts."""
        texts = {name: self.texts(name, [str(row[name]) for row in rows if name in row]) for name in names}
        filled = [{name: texts[name][number] for name in names} for number in range(self.num)]
        asked = tuple(Ask(fields=each) for each in filled)
        return lambda _: asked

    def texts(self, name: str, written: Sequence[str]) -> list[str]:
        """`num` texts of words drawn from all that is written, a word as often as it stands there."""
        words = sorted(word for text in written for word in text.split())  # the order of the rows changes nothing
        if not words:
            return [""] * self.num
        length = self.length or max(1, round(len(words) / len(written)))
        return [
            " ".join(words[self.place(name, text, at) % len(words)] for at in range(length)) for text in range(self.num)
        ]

    def place(self, name: str, text: int, at: int) -> int:
        """A whole number, from the seed and where the word stands."""
        digest = hashlib.sha256(f"{self.seed}\0{self.kind}\0{name}\0{text}\0{at}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    def weigh(self, rows: Sequence[ScoreRow], fitting: Sequence[ScoreRow] = ()) -> Weighing:
        """The same, and over how many rows the words were drawn."""
        weighing = super().weigh(rows, fitting)
        return replace(weighing, num_fitted=len(rows), num_parameters=self.num_parameters(len(rows[0].options)))

    def num_parameters(self, num_options: int) -> int:
        """One number for each option."""
        return num_options
