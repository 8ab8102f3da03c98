"""The words of a text, as two texts are compared: spelling and prose's punctuation aside, numbers and symbols kept."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["numbers_of", "words_of"]

JOINING = re.compile(r"(?<=\w)-(?=\w)")  # a hyphen; any other stands for a minus, and is a word
WORD = re.compile(
    r"\d+(?:[.,]\d+)*"  # a number
    r"|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"  # scripts that put no space between words: each character
    r"|[^\W\d_]+(?:'[^\W\d_]+)*"
    r"|[^\w\s]"  # brackets and operators, each by itself: formulas are made of them
)
PROSE = frozenset(".,;:!?\"'`\u2019\u2018\u201c\u201d\xab\xbb\u2026\u2014\u2013$\u20ac\xa3")


def words_of(text: str) -> tuple[str, ...]:
    """The words in order, case-folded (NFKC); numbers without the commas of their thousands.

    >>> words_of("What is 1,200 - (3 + 4)? It's well-known.")
    ('what', 'is', '1200', '-', '(', '3', '+', '4', ')', "it's", 'well', 'known')
    """
    plain = JOINING.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'"))
    return tuple(
        word.replace(",", "") if word[0].isdigit() else word for word in WORD.findall(plain) if word not in PROSE
    )


def numbers_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """The numbers among the words, sorted."""
    return tuple(sorted(word for word in words if word[0].isdigit()))
