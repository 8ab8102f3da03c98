"""Units: where a text says what a number counts, and what stands there and is none."""

from __future__ import annotations

import re

from promptkit.text import Span

__all__ = ["unit_of"]

WRITTEN = ("percent", "degrees", "unit", "currency", "suffix", "behind")  # where a unit is written; the first counts
MAX_MATHS = 400  # characters in which the other sign of a dollar is looked for
# Words that may follow a number and are never counted by it; what else ends a number is in `notation.STOP`.
OTHER_WORDS = (
    "i we he she they you me us him them my our his her their your its this these those what which who whose where how why "
    "not nor yet no yes about over under above below between before after until till within without during through out "
    "off up down back away around against toward towards via versus vs all both each either every any some such same "
    "other others another only just still now here again too also even ever never always altogether together overall "
    "respectively remaining however therefore hence thereby although though unless whether would could should can may "
    "might must do does did am been equals equal equally approximately exactly roughly i.e ish and/or per"
)
NO_UNITS = frozenset(OTHER_WORDS.split())
DECADE = re.compile(r"[12][0-9]{2}0|[0-9]0")


def unit_of(match: re.Match[str], *, is_scaled: bool) -> Span | None:
    """Where the text says what a numeral counts; what follows it is read by the match alone, which knows how far it looks.

    `is_scaled`: the letter after it is its thousands or millions.
    """
    for name, text in zip(WRITTEN, match.group(*WRITTEN), strict=True):
        if text is None or (name == "suffix" and is_scaled) or is_none(match, name):
            continue
        start, end = match.span(name)
        start += len(text) - len(text.lstrip(" \u00a0" if name == "degrees" else " \u00a0\\"))
        return Span(start=start, end=max(end, match.end("rest")) if name == "suffix" else end)
    return None


def is_none(match: re.Match[str], name: str) -> bool:
    """Whether what stands where a unit may is none."""
    if name == "unit":
        return is_no_word(match)
    if name == "currency":
        return match["currency"] == "$" and match["maths"] is not None
    return name == "behind" and match["behind"] == "$" and closes_maths(match.string, match.end("behind"))


def is_no_word(match: re.Match[str]) -> bool:
    """Whether a word after a numeral is not what it counts: 5 he, 5 dogs' tails, the 1990s."""
    word, start = match["unit"], match.start("unit")
    if word.lower() in NO_UNITS or match["owner"] is not None:
        return True
    if word != "s" or start != match.end("numeral"):
        return False
    digits = match["numeral"]
    is_short = match.string[match.start() - 1 : match.start()] in ("'", "\u2019")
    return DECADE.fullmatch(digits) is not None and (len(digits) > len("90") or is_short)


def closes_maths(text: str, end: int) -> bool:
    """Whether a sign of a dollar ends a formula that began before the numeral: `$x = 42$`."""
    if text[end : end + 1] == "$":
        return True
    start = max(text.rfind("\n", 0, end) + 1, end - MAX_MATHS)
    before = text[start : end - 1]
    return (before.count("$") - before.count("\\$")) % 2 == 1
