"""`run_on`: a completion without what the model went on to ask itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

import regex
from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.spec import Texts

__all__ = ["RunOn"]

# A turn of somebody else, or the end of the text, as models write them when nothing stops them: cut wherever they stand.
TURNS = (
    r"<\|im_start\|>(?:user|system)|<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|user\|>|</s>"
    r"|<start_of_turn>user|<end_of_turn>|\[INST\]|<\|start_header_id\|>(?:user|system)|<\|end\|>"
)
# A next question, at the beginning of a line.
QUESTIONS = (
    r"Q:|Question(?:[ ]?(?:\#|No\.)?[ ]?[0-9]++)?:|Problem(?:[ ]?[0-9]++)?:|Exercise(?:[ ]?[0-9]++)?:|Human:|User:"
)
HEADINGS = r"\#++[ \t*]*+(?:Instruction|Question|Input|Problem|Exercise|Human|User)\b"
MIN_WORDS = 3  # before a question that comes next; with fewer, it depends on what they are
MIN_SAME = 12  # characters in which a question said again is the question that was asked
# What comes before a question that the model says again before it answers.
PREFACE = regex.compile(
    r"(?i)(?:\#.*|<.*|.*:[*_]*|[^\w\n]*+(?:sure|certainly|absolutely|of course|okay|ok|all ?right|let\b.*|here\b.*|hi|hello"
    r"|(?:step|answer|solution|question|problem|exercise|task|response|output|example|instruction|input)\b.*)?[^\w\n]*+)"
)


class RunOn(ItemStep):
    """Cuts where the model starts the next question, another's turn, or the prompt's own format again.

    The words with which a pipeline's own prompt begins a question are known from its templates. A question that is only
    said again (the one that was asked, or before anything else was said) is no next one.
    """

    kind = "run_on"
    main: ClassVar[str | None] = "markers"

    markers: Texts = Field(default=(), description="more texts that begin what comes next, at the beginning of a line")

    def read(self, found: Found) -> Found | Missing:
        """The text up to the cut; all of it where there is none."""
        text: str = found.value
        for at, after in cuts(text, (*self.markers, *found.context.formats)):
            if after < 0 or is_next(text, at, after, found.context.question):
                return found.part(0, at)
        return found


def cuts(text: str, formats: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where a turn begins, with -1; where a question begins, with the place at which its own text begins."""
    for match in pattern(formats).finditer(text):
        yield match.start(), (-1 if match["turn"] is not None else match.end())


def is_next(text: str, at: int, after: int, question: str) -> bool:
    """Whether a question is another one, and not the one asked said again."""
    before = text[:at].strip()
    if len(before.split()) < MIN_WORDS and PREFACE.fullmatch(before):
        return False
    same = squeezed(text[after : after + 400])[: len(squeezed(question[:400]))]
    return not (len(same) >= MIN_SAME and squeezed(question).startswith(same))


def squeezed(text: str) -> str:
    """The text as it is compared."""
    return " ".join(text.casefold().split())


@lru_cache(maxsize=64)
def pattern(formats: tuple[str, ...]) -> regex.Pattern[str]:
    """The pattern of all that a cut may stand before."""
    own = "".join(
        f"|{re.escape(each.strip())}" for each in formats if each.strip()
    )  # spaces too: the pattern is verbose
    return regex.compile(
        rf"(?P<turn>{TURNS})|^[ \t>*]*+(?:{HEADINGS}|{QUESTIONS}{own})", regex.VERBOSE | regex.MULTILINE
    )
