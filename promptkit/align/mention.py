"""Where a text mentions one of the options: by its letter, or by its words."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from promptkit.align.options import Options, normal
from promptkit.text import Span

__all__ = ["Mention", "mentions"]

# Letters that are English words: on their own they name an option only where no word follows that they could belong to.
WORDS = frozenset("AI")
JOIN = regex.compile(r"[\s)\]}.:,;*_\"'=\u2013-]{0,8}")  # between "B" and "7" in "B) 7"
JOIN_BACK = regex.compile(r"[\s*_\"',(\[]{0,4}")  # between "7" and "(B)" in "7 (B)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A stretch that names options: one, or several that it cannot tell apart or that contradict each other."""

    span: Span
    indices: tuple[int, ...]
    is_letter: bool


def mentions(text: str, options: Options) -> list[Mention]:
    """What names an option, in order: the letters, and where there are none, the options' words.

    A letter and the words beside it ('B) 7') are one mention, which names two options where they disagree. A letter
    inside an option's words ('Vitamin C') is none.
    """
    words = word_mentions(text, options)
    letters = [each for each in letter_mentions(text, options) if not any(is_within(each, word) for word in words)]
    return joined(text, letters, words) if letters else words


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
        after = next((followed[at] for at in range(letter.span.start, end + 9) if at in followed), None)
        if after and (after.span == letter.span or JOIN.fullmatch(text, end, max(end, after.span.start))):
            end, indices = max(end, after.span.end), agreed(indices, after)
            used.add(after.span)
        else:
            ahead = next((before[at] for at in range(start, start - 5, -1) if at in before), None)
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
        start, end = match.span("mention")
        index = places[match["label"].casefold()]
        found.append(Mention(span=Span(start=start, end=end), indices=(index,), is_letter=True))
    return found


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
    return found


@functools.lru_cache(maxsize=256)
def letter_pattern(labels: tuple[str, ...]) -> regex.Pattern[str]:
    """The pattern of a letter that names an option: alone, in brackets or bold, before ) . : or as a word."""
    every = "|".join(map(regex.escape, sorted(labels, key=len, reverse=True)))
    plain = "|".join(regex.escape(label) for label in labels if label not in WORDS) or r"(?!)"
    words = "|".join(regex.escape(label) for label in labels if label in WORDS) or r"(?!)"
    any_case, end = rf"(?P<label>(?i:{every}))", r"(?=\s*(?:[.,;:!?)\]}*$\"]|\Z))"
    before, after = r"(?<![\w.'\u2019\\-])", r"(?![\w'\u2019-]|\.\w)"
    return regex.compile(
        rf"""
        (?P<mention>(?<!\w)\( \s? {any_case} \s? \))
      | (?P<mention>(?<!\w)\[ \s? {any_case} \s? \] | \{{ \s? \(? {any_case} \)? \s? \}})
      | (?P<mention>\*\* \(? {any_case} [).:]? \*\*)
      | \A [\s*_"'`(\[{{$]*+ (?P<mention>{any_case}) [\s*_"'`)\]}}$.:,!]*+ \Z
      | (?i: answer | option | choice ) (?i: \s+ is )? \s*+ :? \s*+ (?P<mention>{any_case}) {after} {end}
      | (?i: option | choice ) \s++ (?P<mention>(?P<label>{every})) {after}
      | {before} (?P<mention>(?P<label>{every}) [).:]) (?!\w)
      | {before} (?P<mention>(?P<label>{plain})) {after}
      | {before} (?P<mention>(?P<label>{words})) {after} (?! \s+ (?! (?:is|because|since|and|or)\b ) [^\W_] )
        """,
        regex.VERBOSE,
    )


@functools.lru_cache(maxsize=1024)
def word_pattern(texts: tuple[str, ...]) -> regex.Pattern[str]:
    """The pattern of options' words, whole: 7 is found neither in 17 nor in 7.5 nor in -7."""
    longest_first = sorted(texts, key=len, reverse=True)
    return regex.compile("|".join(map(one_option, longest_first)), regex.IGNORECASE)


def one_option(text: str) -> str:
    """The pattern of one option's words."""
    inner = r"\s+".join(regex.escape(word) for word in text.split())
    start = r"(?<!\w)" if is_word(text[0]) else ""
    end = r"(?!\w)" if is_word(text[-1]) else ""
    if text[0].isdigit():
        start = r"(?<![\w\u2212-]|[0-9][.,/])"
    if text[-1].isdigit():
        end = r"(?!\w|[.,/][0-9])"
    return f"{start}{inner}{end}"


def is_word(character: str) -> bool:
    """Whether a character is a part of words."""
    return character.isalnum() or character == "_"
