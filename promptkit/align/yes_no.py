"""`yes_no`: whether a text says yes or no."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ItemStep
from promptkit.align.take import TakeOne, take_within
from promptkit.spec.declaration import shorten

__all__ = ["YesNo"]

TARGETS = {"yes": True, "y": True, "true": True, "t": True, "1": True} | {
    "no": False,
    "n": False,
    "false": False,
    "f": False,
    "0": False,
}


class YesNo(ItemStep):
    """Reads yes or no: the words, in any case and markup; true and false too, where a text begins with them.

    The first word is taken if nothing else is said, since what follows explains it. No counts as an answer, not before
    a noun (no one, no doubt, no answer); `yes and no` is ambiguous, and `yes or no` says neither.
    """

    kind = "yes_no"
    main: ClassVar[str | None] = "take"

    take: TakeOne = Field(default="first", description="which word: first, last, only (ambiguous if they differ)")
    give: Literal["word", "bool"] = Field(
        default="word", description="what the answer is: the word yes or no, or the truth value"
    )
    true_false: bool = Field(
        default=True,
        strict=True,
        description="whether true, correct and right are yes, and false, incorrect and wrong no, where a text begins with "
        "them, or with words such as `the statement is`",
    )

    def read(self, found: Found) -> Found | Missing:
        """The answer that is asked for."""
        return take_within(found, self.take, self.candidates) or Missing(reason="neither yes nor no")

    def read_other(self, found: Found) -> Found | Missing:
        """A truth value, as it is asked for."""
        if isinstance(found.value, bool):
            return found.become(self.value(is_yes=found.value))
        return super().read_other(found)

    def candidates(self, found: Found) -> Iterator[Found | Missing]:
        """Every yes and no of a text, in order; and what says both."""
        text = found.value
        alone = alone_pattern().fullmatch(text)
        verdict = alone or (verdict_pattern().match(text) if self.true_false else None)
        if verdict is not None and (self.true_false or verdict["word"].lower() in "yn"):
            yield self.at(found, verdict, "word")
        seen: set[tuple[str, bool]] = set()
        for match in word_pattern().finditer(text):
            if match["both"]:
                yield Missing(reason=f"{shorten(match['both'])} is both", is_ambiguous=True)
            elif match["yes"] or (match["no"] and (match["number"] is None or is_begun_by(text, match))):
                group = "yes" if match["yes"] else "no"
                kind = (group, match["not"] is None)
                if self.take != "only" or kind not in seen:
                    seen.add(kind)
                    yield self.at(found, match, group)

    def at(self, found: Found, match: re.Match[str], group: str) -> Found:
        """The answer that a group of a match is."""
        start, end = match.span(group)
        if match["not"]:
            start = match.start("not")
        is_yes = (match[group].lower() in AFFIRMATIVE) != bool(match["not"])
        return found.part(start, end).become(self.value(is_yes=is_yes))

    def value(self, *, is_yes: bool) -> str | bool:
        """The answer as `give` asks for it."""
        return is_yes if self.give == "bool" else "yes" if is_yes else "no"

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """Yes and no, true and false, 1 and 0, as a text or a value."""
        text = str(target).strip().strip("[]().*\"'").casefold() if isinstance(target, str | bool | int) else ""
        if text not in TARGETS:
            raise ValueError(f"{shorten(target)} is neither yes nor no")
        return self.value(is_yes=TARGETS[text])


AFFIRMATIVE = frozenset(("yes", "yeah", "yep", "yup", "true", "correct", "right", "y", "t"))
# After a no that is an answer: no, it is not; no because. Before anything else it belongs to what follows: no one.
GOES_ON = (
    r"(?:a|according|and|as|based|because|but|due|he|i|if|in|is|it|it['\u2019]s|its|no|nor|not|or|she|since|so|that|the|there"
    r"|these|they|this|those|was|we|you)(?![^\W_])"
)
EDGE, END = r"(?<![^\W_])(?<![^\W_]['\u2019-])", r"(?![^\W_]|['\u2019-][^\W\d_])"
QUOTES = r"[\"'*_`\u201c\u201d]*"
EITHER = rf"{QUOTES}(?:yes|no){QUOTES}"
OPENING = r"(?:[\s*_\"'`\u201c\u2018(\[{$>#:=-]|\\?\\[a-z]+\{|<[a-z]+>)*+"
CLOSING = r"(?:[\s*_\"'`\u201d\u2019)\]}$.,!]|</[a-z]+>)*+"
LEAD = (
    r"(?:the|this|that|it|it['\u2019]s|that['\u2019]s|above|given|following|final|correct|answer|statement|claim|sentence"
    r"|proposition|assertion|verdict|judge?ment|label|prediction|result|output|conclusion|hypothesis|is|are|was|be|would|must|therefore|so|thus|hence|definitely|indeed"
    r"|actually|clearly|certainly|probably)"
)


def is_begun_by(text: str, match: re.Match[str]) -> bool:
    """Whether a text begins with a `No.` that a number follows: there it is an answer, elsewhere a number's sign."""
    return match["number"].startswith(".") and re.fullmatch(OPENING, text[: match.start("no")]) is not None


@functools.cache
def word_pattern() -> re.Pattern[str]:
    """The pattern of a `yes` or `no`, with a `not` before it, a `number` after it, or `both`; else it is none."""
    return re.compile(
        rf"""{EDGE}(?:
            {EITHER}\s*(?:/|,?\s*\bor\b|\|)\s*{EITHER}{END}
          | neither\s+{EITHER}\s+nor\s+{EITHER}{END}
          | if\s+{EITHER}{END}
          | (?P<both>(?:both\s+)?{EITHER}\s*(?:\band\b|&)\s*{EITHER}){END}
          | not\s+(?:an?\s+)?{QUOTES}no{END}
          | (?:(?P<not>not)\s+(?:an?\s+)?{QUOTES})?(?P<yes>yes|yeah|yep|yup){END}
          | (?:no|nope|nah){END}[ \t]++(?!{GOES_ON})[^\W\d_]
          | (?P<no>no|nope|nah){END}(?P<number>\.?[ ]?[0-9])?
        )""",
        re.IGNORECASE | re.VERBOSE,
    )


@functools.cache
def alone_pattern() -> re.Pattern[str]:
    """The pattern of a text that is one letter or word, whatever is around it."""
    return re.compile(rf"{OPENING}(?P<not>(?!))?(?P<word>[yntf]|right){CLOSING}", re.IGNORECASE)


@functools.cache
def verdict_pattern() -> re.Pattern[str]:
    """The pattern of a text that begins with a verdict: true; the statement is not correct."""
    return re.compile(
        rf"""{OPENING}(?:{LEAD}\b[\s:,*_"'`]*+)*?
        (?:(?P<not>not|isn['\u2019]t)\s+)?[*_"'`]*(?P<word>true|correct|false|untrue|incorrect|wrong)
        (?=[*_"'`)\]}}$]*(?:[.,;:!\n\u2014]|[*_)\]}}$"'`]|\Z|\s+(?:because|since|as|that|given|[-\u2013\u2014(])))""",
        re.IGNORECASE | re.VERBOSE,
    )
