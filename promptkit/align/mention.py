"""Where a text mentions one of the options: by its letter, or by its words."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import regex

from promptkit.align.numeral import Numeral, numerals
from promptkit.align.options import Options, normal
from promptkit.text import Span

__all__ = ["Mention", "mentions"]

# Between "B" and "7" in "B) 7", in 'B: "7"' and in "B) $7$"; and between "7" and "(B)" in "7 (B)".
JOIN = re.compile(r"""(?:[\s)\]}.:,;*_"'`=\u2013\u2014$(\[{-]|\\(?:text|textbf|mathrm)\{|\\[ ,;:!(]){0,10}""")
JOIN_BACK = re.compile(r"""[\s*_"'`,$(\[\u2013\u2014-]{0,5}""")
MAX_JOIN = 18

# Things that have letters for names: vitamin C is no option, nor is point A.
THINGS = (
    "angle bag bank bin block boat bowl box brand car case city class column company container count country cup event exit "
    "figure gate grade group hepatitis house jar lane line machine model number part person phase pipe plan player point "
    "pool program pump ring road room row school section segment set side spot store student table tank team town train "
    "triangle truck type variable variant version vertex vitamin worker zone"
)
NAMED = frozenset(THINGS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A stretch that names options: one, or several that it cannot tell apart or that contradict each other.

    None are named by what says that none of the options is right.
    """

    span: Span
    indices: tuple[int, ...]
    is_letter: bool


def mentions(text: str, options: Options) -> list[Mention]:
    """What names an option, in order: the letters, and where there are none, the options' words.

    A letter and the words beside it ('B) 7') are one mention, which names two options where they disagree. A letter
    inside an option's words ('Vitamin C') is none.
    """
    words = word_mentions(text, options)
    letters = letter_mentions(text, options)
    if words and letters:
        within = {place for word in words for place in range(word.span.start, word.span.end)}
        same = {word.span for word in words}
        letters = [
            each
            for each in letters
            if each.span.start not in within or each.span in same or not any(is_within(each, word) for word in words)
        ]
    named = joined(text, letters, words) if letters else words
    if letters and not options.texts:  # 'E, none of these' may be what E says
        return named
    none = [each for each in none_mentions(text) if not any(overlaps(each, other) for other in words)]
    return sorted((*named, *none), key=lambda each: each.span.start) if none else named


def overlaps(one: Mention, other: Mention) -> bool:
    """Whether two mentions share a character."""
    return one.span.start < other.span.end and other.span.start < one.span.end


def is_within(letter: Mention, words: Mention) -> bool:
    """Whether a letter is a part of an option's words."""
    inner, outer = letter.span, words.span
    return outer.start <= inner.start and inner.end <= outer.end and inner != outer


def joined(text: str, letters: Sequence[Mention], words: Sequence[Mention]) -> list[Mention]:
    """The letters, each with the option's words that stand beside it."""
    followed = {word.span.start: word for word in words}
    before = {word.span.end: word for word in words}
    result, used = [], set()
    for letter in letters:
        start, end, indices = letter.span.start, letter.span.end, set(letter.indices)
        after = next((followed[at] for at in range(letter.span.start, end + MAX_JOIN) if at in followed), None)
        if after and (after.span == letter.span or JOIN.fullmatch(text, end, max(end, after.span.start))):
            end, indices = max(end, after.span.end), agreed(indices, after)
            used.add(after.span)
        else:
            ahead = next((before[at] for at in range(start, start - 6, -1) if at in before), None)
            if ahead and ahead.span not in used and JOIN_BACK.fullmatch(text, ahead.span.end, start):
                start, indices = ahead.span.start, agreed(indices, ahead)
        result.append(Mention(span=Span(start=start, end=end), indices=tuple(sorted(indices)), is_letter=True))
    return result


def agreed(indices: set[int], words: Mention) -> set[int]:
    """The options that a letter and the words beside it name: the letter's, if the words may mean it too."""
    return indices if indices <= set(words.indices) else indices | set(words.indices)


def letter_mentions(text: str, options: Options) -> list[Mention]:
    """Every letter that stands for an option."""
    places = {label.casefold(): index for index, label in enumerate(options.labels)}
    found = []
    for match in letter_pattern(options.labels).finditer(text):
        group = match.lastindex
        assert group is not None
        start, end = match.span(group)
        if match.lastgroup is not None and is_name(text, start):
            continue
        index = places[match[group + 1].casefold()]
        found.append(Mention(span=Span(start=start, end=end), indices=(index,), is_letter=True))
    return found


def is_name(text: str, start: int) -> bool:
    """Whether a letter is the name of the thing that stands before it: point A."""
    before = text[max(0, start - 14) : start]
    return before[-1:] == " " and before[:-1].rpartition(" ")[2].lower().lstrip("(\"'*") in NAMED


def none_mentions(text: str) -> list[Mention]:
    """What says that none of the options, or all of them, are right."""
    spans = (Span(start=match.start(), end=match.end()) for match in none_pattern().finditer(text))
    return [Mention(span=span, indices=(), is_letter=False) for span in spans]


def word_mentions(text: str, options: Options) -> list[Mention]:
    """Every option's words, the longest where several begin at one place."""
    places: dict[str, list[int]] = {}
    for index, each in enumerate(options.texts):
        if normal(each):
            places.setdefault(normal(each), []).append(index)
    if not places:
        return []
    found = []
    for match in word_pattern(tuple(places)).finditer(text):
        indices = places.get(normal(match[0]))
        if indices:  # folding may match what it does not make equal
            found.append(
                Mention(span=Span(start=match.start(), end=match.end()), indices=tuple(indices), is_letter=False)
            )
    values = option_values(options.texts)
    return with_values(text, found, values) if values else found


@functools.lru_cache(maxsize=1024)
def option_values(texts: tuple[str, ...]) -> dict[tuple[Fraction, bool], int]:
    """The numbers that the options are, and whether in per cent; none unless all are numbers, and no two the same."""
    values = {}
    for index, text in enumerate(texts):
        every = list(numerals(text.strip()))
        if (
            len(every) != 1
            or not isinstance(every[0], Numeral)
            or not every[0].is_whole(text.strip().removesuffix("."))
        ):
            return {}
        values[every[0].value, every[0].is_percent] = index
    return values if len(values) == len(texts) else {}


def with_values(text: str, words: Sequence[Mention], values: dict[tuple[Fraction, bool], int]) -> list[Mention]:
    """The mentions, and those of options' numbers in another spelling: 7.0 where an option is 7."""
    are_percent = all(is_percent for _, is_percent in values)
    taken = {place for word in words for place in (word.span.start, word.span.end)}
    more = []
    for each in numerals(text):
        if isinstance(each, Numeral) and not taken & {each.span.start, each.span.end}:
            index = values.get((each.value, each.is_percent or are_percent))
            if index is not None:
                more.append(Mention(span=each.span, indices=(index,), is_letter=False))
    more = [each for each in more if not any(overlaps(each, word) for word in words)] if len(words) < 100 else []
    return sorted((*words, *more), key=lambda each: each.span.start)


@functools.cache
def none_pattern() -> re.Pattern[str]:
    """The pattern of words that name no option: none of the above."""
    kinds = r"(?:(?:given|listed|provided|available|answer|above)\s+)?(?:options?|choices?|answers?)"
    return re.compile(
        rf"(?<!\w)(?:(?:none|neither|no\s+one)\s+of\s+(?:(?:the|these|those)\s+{kinds}|the\s+above|these|those)"
        r"|all\s+of\s+the\s+above|no\s+(?:correct|right|valid)\s+(?:option|choice|answer)|no\s+option)(?!\w)",
        re.IGNORECASE,
    )


def either(labels: Sequence[str]) -> str:
    """The pattern of one of several labels, longest first; one that never matches where there are none."""
    return "|".join(map(re.escape, sorted(labels, key=len, reverse=True))) or r"(?!)"


@functools.lru_cache(maxsize=256)
def letter_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """The pattern of a letter that names an option: in brackets or bold, announced, before ) . or :, as a word.

    Each alternative is a group of its own, and the label the group in it. A small letter needs brackets or an
    announcement; the letters A and I, which are words, and digits more than others.
    """
    every = either(labels)
    capitals = [label.upper() for label in labels if len(label) == 1 and label.isalpha()]
    plain = [label for label in capitals if label not in "AI"] + [label for label in labels if len(label) > 1]
    led = [label for label in capitals if label != "I"] + [label for label in labels if len(label) > 1]
    article = "A" if "A" in capitals else r"(?!)"
    any_case = rf"((?i:{every}))"
    before, after = r"(?<![\w.'\u2019\\+-])(?<!\w\()", r"(?![\w'\u2019-]|\.\w|[ ]?[=+^\u00d7\u00f7][ ]?\w)"
    end = r"(?=\s*(?:[.,;:!?)\]}*$\"'`]|\Z|\n|(?i:because|since|as|and|or)\b))"
    announced = r"(?i:answer|option|choice|select|choose|chose|pick|letter)(?i:\s+(?:is|would\s+be|must\s+be|should\s+be|was|choice|option|letter|answer))*"
    opening, closing = r"[(\uff08\[\uff3b\u3010\u300c\u201c\"]", r"[)\uff09\]\uff3d\u3011\u300d\u201d\"]"
    return re.compile(
        rf"""
        ((?<!\w){opening}\s?{any_case}\s?[.:]?{closing})
      | (\{{\s?[(\[]?{any_case}[)\].:]{{0,2}}\s?\}})
      | ((?:\*\*|__)[(\[]?{any_case}[)\].:]{{0,2}}(?:\*\*|__))
      | \A(?:[\s*_"'`(\[{{$]|\\[a-z]+\{{|<[a-z]+>)*+({any_case})(?:[\s*_"'`)\]}}$.:,!]|</[a-z]+>)*+\Z
      | (?:\A|(?<=\*\*)|(?<=\{{))[\s*_"'`(\[{{$]*+({any_case}[).:])(?![\w.])
      | {announced}\s*+[:=]?\s*+[*_"'`$]{{0,3}}({any_case}){after}{end}
      | (?i:option|choice)\s++[*_"'`$]{{0,3}}(({every})){after}
      | {before}(?P<led>({either(led)})[).:])(?!\w)
      | {before}(({every})\))(?!\w)
      | {before}(?P<bare>({either(plain)})){after}
      | {before}(?P<article>({article})){after}(?!\s+(?!(?:is|was|because|since|and|or)\b)[^\W_])
        """,
        re.VERBOSE,
    )


@functools.lru_cache(maxsize=1024)
def word_pattern(texts: tuple[str, ...]) -> regex.Pattern[str]:
    """The pattern of options' words, whole: 7 is found neither in 17 nor in 7.5 nor in -7."""
    longest_first = sorted(texts, key=len, reverse=True)
    return regex.compile("|".join(map(one_option, longest_first)), regex.IGNORECASE)


def one_option(text: str) -> str:
    """The pattern of one option's words."""
    inner = r"\s+".join(regex.escape(word) for word in text.split())
    start = r"(?<![^\W_])(?<![^\W_]_)" if is_word(text[0]) else ""  # _Venus_ is set in italics
    end = r"(?![^\W_]|_[^\W_])" if is_word(text[-1]) else ""
    if text[0].isdigit():
        start = r"(?<![\w\u2212-]|[0-9][.,/])"
    if text[-1].isdigit():
        end = r"(?!\w|[.,/][0-9])"
    return f"{start}{inner}{end}"


def is_word(character: str) -> bool:
    """Whether a character is a part of words."""
    return character.isalnum() or character == "_"
