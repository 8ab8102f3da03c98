"""`bm25`: the rows that share rare words with the example."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.prompt.pool import Pool
from promptkit.prompt.select.by import By
from promptkit.prompt.select.near import Nearness, NearSelector, text_reader

__all__ = ["Bm25"]


class Bm25(NearSelector):
    """The rows with the highest BM25 (Robertson and Zaragoza 2009, section 3.4), with the idf of Lucene, which is never
    negative: ln(1 + (N - n + 0.5) / (n + 0.5)) for a word in n of N rows.

    Words are what a pattern finds, in small letters. No model is asked.
    """

    kind = "bm25"

    by: By | None = Field(
        default=None, description="what is compared, as a template over the fields; the text of the query if not given"
    )
    k1: Annotated[float, Field(ge=0)] = Field(
        default=1.5, description="how soon more of the same word adds no more; 0 counts a word once"
    )
    b: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.75, description="how far long rows are held to be long for no reason: 0 not at all, 1 wholly"
    )
    words: str = Field(default=r"\w+", description="a regular expression that finds the words of a text")
    lower: bool = Field(default=True, strict=True, description="whether capital and small letters are the same")

    @field_validator("words", mode="after")
    @classmethod
    def _is_a_pattern(cls, value: str) -> str:
        import regex  # noqa: PLC0415 - only where a file asks for it

        try:
            regex.compile(value)
        except regex.error as error:
            raise PydanticCustomError(
                "pattern", "not a regular expression: {reason}", {"reason": str(error)}
            ) from error
        return value

    def nearness(self, pool: Pool) -> Nearness:
        """The BM25 of rows for examples."""
        from promptkit.prompt.select.okapi import Okapi  # noqa: PLC0415 - brings numpy

        text_of = text_reader(self.by, pool)
        return Okapi([self.words_of(text_of(row)) for row in pool.rows], self, lambda row: self.words_of(text_of(row)))

    def words_of(self, text: str) -> list[str]:
        """The words of a text, in its order."""
        import regex  # noqa: PLC0415

        found = regex.finditer(self.words, text.lower() if self.lower else text)
        return [match[0] for match in found if match[0]]
