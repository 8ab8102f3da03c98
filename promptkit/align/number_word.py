"""Numbers in words: twenty-one, two hundred and five, three quarters, minus four."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from promptkit.align.numeral import Numeral, Unreadable
from promptkit.text import Span

__all__ = ["number_words", "spelled_answer"]

BELOW_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
SMALL = {word: value for value, word in enumerate(BELOW_TWENTY.split())}
FROM_TWENTY = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * value for value, word in enumerate(FROM_TWENTY.split(), 2)}
LARGE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
PLURALS = {f"{part}s": value for part, value in PARTS.items() if part != "half"} | {"halves": 2}
MINUS = ("minus", "negative")
JOINS = ("a", "an", "and")
MAX_WORDS = 24

END = r"(?![^\W_]|['\u2019][^\W_])"
NO_ORDINAL = r"(?![ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b)"
EVERY = "|".join(
    (*SMALL, *LARGE, *PARTS, *PLURALS, *MINUS, *JOINS, "hundred", "dozen", *(ten + NO_ORDINAL for ten in TENS))
)

# What may stand before a number that is all of an answer, and after it.
LEAD = r"""[\s*_"'`$({\[\\:=\u2248~>-]*+(?:\\?(?:text|textbf|mathrm|boxed)\{)*+(?:(?:the|final|correct|answer|total|result
    |is|are|there|about|approximately|approx\.?|around|roughly|exactly|only|just|a[ ]total[ ]of|equals?|equal[ ]to)
    \b[\s:*_"'`$({=]*+){0,6}"""
NO_UNIT = (
    "a an and as at be can cannot because by could has he if in is may might more must need needs no not of or per person "
    "possible reason she should that the they thing things this to was way which who will with would"
)
UNIT = rf"(?!(?:{'|'.join(NO_UNIT.split())})\b)[^\W\d_][\w/'\u2019-]*+"
CLOSED = r"""[ *_"'`$)}\]\\]*+(?:[.!?;\n(]|\Z)"""


@functools.cache
def run_pattern() -> re.Pattern[str]:
    """The pattern of words that numbers are made of, in a row."""
    return re.compile(
        rf"(?<![^\W_])(?:{EVERY}){END}(?:[ ]?-[ ]?|[ ]+)?(?:(?:{EVERY}){END}(?:[ ]?-[ ]?|[ ]+)?){{0,{MAX_WORDS}}}",
        re.IGNORECASE,
    )


@functools.cache
def lead_pattern() -> re.Pattern[str]:
    """The pattern of what stands before a number that is all of an answer."""
    return re.compile(LEAD, re.IGNORECASE | re.VERBOSE)


@functools.cache
def tail_pattern() -> re.Pattern[str]:
    """The pattern of what stands after it: the sentence's end, or a comma, or a few words of unit and the end."""
    return re.compile(
        rf"""(?:[*_"'`$)}}\]\\]*+(?:[,:\u2014]|\s\u2013|\s-\s|\s(?:because|since|as)\b)|(?:[\s*_-]+{UNIT}){{0,3}}{CLOSED})""",
        re.IGNORECASE,
    )


def number_words(text: str) -> Iterator[Numeral | Unreadable]:
    """Every number in words of a text, in order."""
    for run in run_pattern().finditer(text):
        words = [(match[0].lower(), *match.span()) for match in re.finditer(r"[^\W\d_]+", run[0])]
        while words:
            value, num_read = read_words([word for word, _, _ in words])
            start, end = words[0][1] + run.start(), words[max(num_read, 1) - 1][2] + run.start()
            if value is not None:
                yield with_percent(text, Span(start=start, end=end), value)
            words = words[max(num_read, 1) :]


def with_percent(text: str, span: Span, value: Fraction) -> Numeral:
    """The number, with the sign of per cent that follows it as a part."""
    match = re.compile(r"[ ]?(?:%|\\%|per[ ]?cent\b)", re.IGNORECASE).match(text, span.end)
    if match is None:
        return Numeral(span=span, value=value)
    end = match.end()
    unit = Span(start=end - len(match[0].lstrip()), end=end)
    return Numeral(span=Span(start=span.start, end=end), value=value, is_percent=True, unit=unit)


def spelled_answer(text: str) -> Numeral | Unreadable | None:
    """The number in words that is all of an answer: what the text begins with, and at most a unit after it."""
    lead = lead_pattern().match(text)
    run = run_pattern().match(text, lead.end() if lead else 0)
    if run is None:
        return None
    every = list(number_words(text[: run.end() + 80]))
    first = every[0] if every else None
    if not isinstance(first, Numeral) or first.span.start != run.start():
        return None
    tail = tail_pattern().match(text, first.span.end)
    if tail is None:
        return None
    if len(every) > 1 and every[1].span.start < tail.end():
        span = Span(start=first.span.start, end=every[1].span.end)
        return Unreadable(text=text[span.start : span.end], span=span, reason="is more than one number")
    return first


def read_words(words: Sequence[str]) -> tuple[Fraction | None, int]:
    """The number that words begin with, and how many of them it is made of; None and how many are none.

    >>> read_words("two hundred and five".split()), read_words("five and six".split())
    ((Fraction(205, 1), 4), (Fraction(5, 1), 1))
    >>> read_words("minus three and a half".split()), read_words("half a dozen".split())
    ((Fraction(-7, 2), 5), (Fraction(6, 1), 3))
    """
    if words[0] in MINUS:
        value, num_read = read_words(words[1:]) if len(words) > 1 and words[1] not in MINUS else (None, 0)
        return (None if value is None else -value), num_read + 1
    for dozen, count in (("half a dozen", 6), ("a dozen", 12)):
        if tuple(words[: len(dozen.split())]) == tuple(dozen.split()):
            return Fraction(count), len(dozen.split())
    num_read = int(words[0] in ("a", "an"))
    cardinal, num_words = read_cardinal(words[num_read:], is_one=bool(num_read))
    if cardinal is None and num_read and (len(words) < 2 or words[1] not in PARTS):
        return None, 1
    num_read += num_words
    return read_part(words, num_read, cardinal)


def read_part(words: Sequence[str], num_read: int, cardinal: int | None) -> tuple[Fraction | None, int]:
    """A cardinal with the part after it: three quarters, two and a half; or half alone."""
    rest = list(words[num_read : num_read + 3])
    whole = Fraction(cardinal or 0)
    if rest and rest[0] in PARTS and (cardinal == 1 or (cardinal is None and (num_read or rest[0] == "half"))):
        return Fraction(1, PARTS[rest[0]]), num_read + 1
    if rest and rest[0] in PARTS:  # twenty-fifth, third: ordinals
        return None, num_read + 1
    if rest and rest[0] in PLURALS and cardinal is not None:
        return whole / PLURALS[rest[0]], num_read + 1
    if cardinal is not None and len(rest) == 3 and rest[0] == "and" and rest[1] in ("a", "one") and rest[2] in PARTS:
        return whole + Fraction(1, PARTS[rest[2]]), num_read + 3
    return (None, num_read) if cardinal is None else (whole, num_read)


def read_cardinal(words: Sequence[str], *, is_one: bool) -> tuple[int | None, int]:
    """The whole number that words begin with; `is_one` says that an article stands before them: a hundred."""
    total, current, scale, num_read = 0, 1 if is_one else None, 10**15, 0
    for number, word in enumerate(words):
        is_led = bool(number) and words[number - 1] in ("hundred", *LARGE)
        if word == "and" and is_led:
            continue
        grown = grow(current, word, is_first=number == 0 and is_one)
        if grown is not None:
            current = grown
        elif word in LARGE and current and LARGE[word] < scale:
            total, current, scale = total + current * LARGE[word], None, LARGE[word]
        else:
            break
        num_read = number + 1
    is_any = num_read > 0
    return (total + (current or 0) if is_any else None), num_read


def grow(current: int | None, word: str, *, is_first: bool) -> int | None:
    """A number below a thousand with one more word, or None where the word does not go on with it."""
    if word == "hundred":
        return current * 100 if current and current < 100 else None
    value = SMALL.get(word, TENS.get(word))
    if value is None or is_first:
        return None
    if current is None:
        return value
    if current and current % 100 == 0 and value:
        return current + value
    return current + value if current % 100 in TENS.values() and 0 < value < 10 else None
