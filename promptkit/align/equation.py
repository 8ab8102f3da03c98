"""Equations: which number of an answer is its result."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from promptkit.align.notation import LETTER
from promptkit.align.numeral import Numeral, Unreadable
from promptkit.text import Span

__all__ = ["result_of"]

EQUALS = re.compile(r"(?<![<>!=:+*/\u2212-])=(?![=>])|[\u2248\u2245]|\\(?:approx|simeq|cong)(?![a-z])")
END_OF_SENTENCE = re.compile(r"\n|[.!?;](?=[\s*_\"')\]]|\Z)")
# What turns from an answer to why it is so: no equals sign after it has anything to do with the number before it.
TURN = re.compile(r",[ ]|[ ]\((?=[^()\n]{0,200}=)|[ ](?:because|since|as|for|from|which|where|with)\b", re.IGNORECASE)
OPERATOR = re.compile(
    rf"""[ )}}\]]*+ (?:\\?(?:text|mathrm)\{{)?+ [ ]?(?:[{LETTER}]++[ }}]*+){{0,2}}
    (?: [+*/\u00d7\u00f7\u2212\u00b7-] | x(?=[ 0-9]) | \\(?:times|cdot|div)(?![a-z]) | (?:plus|minus|times|divided[ ]by)(?![a-z]) )
    [ (\[{{]*+ [$]?""",
    re.VERBOSE,
)
OR = re.compile(
    r"[ )}\]$%*]*(?:and/)?or[ (\[{$*]*"
)  # with a unit between, `3 hours or 180 minutes`, both may be the same
LONGEST_SENTENCE = 2000  # characters from the first number, in which its equation is looked for
NEXT_EQUATION = re.compile(r"(?:\band\b|\bor\b|[,;])[ ]*[\\({$]*[^\W\d_]\w{0,12}[ $]*$")  # before its equals sign

Spot = Numeral | Unreadable


def result_of(text: str, numbers: Iterator[Spot]) -> Spot | None:
    """The number after the last equals sign of an answer's first sentence; the first number where there is none.

    What is not worked out (`5 + 3`, `x = 5 + 3`) has no result, nor have several equations (`x = 4 or x = 5`). None where there is no number.
    """
    first = next(numbers, None)
    if first is None:
        return None
    sentence_end = first_end(END_OF_SENTENCE, text, first.span.end, min(len(text), first.span.end + LONGEST_SENTENCE))
    every = [first, *itertools.takewhile(lambda each: each.span.start < sentence_end, numbers)]
    turn = first_end(TURN, text, first.span.end, sentence_end)
    equals = [match.span() for match in EQUALS.finditer(text, sentence_start(text, first), sentence_end)]
    if not equals or equals[0][0] >= turn:
        return worked_out(text, [each for each in every if each.span.start < turn])
    results = []
    for number, (_, after) in enumerate(equals):
        end = equals[number + 1][0] if number + 1 < len(equals) else sentence_end
        is_last = number + 1 == len(equals)
        if is_last or NEXT_EQUATION.search(text, max(after, end - 40), end):
            right = [each for each in every if after <= each.span.start < end]
            results.append(worked_out(text, right) if right else nothing(text, first, sentence_end))
    return agreed(text, results) if len(results) > 1 else alone(text, every, results[0], equals)


def first_end(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the pattern first matches in a stretch, or the stretch's end."""
    match = pattern.search(text, start, end)
    return match.start() if match else end


def sentence_start(text: str, first: Spot) -> int:
    """Where the sentence of the first number begins."""
    start = 0
    for match in END_OF_SENTENCE.finditer(text, 0, first.span.start):
        start = match.end()
    return start


def worked_out(text: str, every: Sequence[Spot]) -> Spot:
    """The first of several numbers, unless an operator joins it with the next, or another stands for choice."""
    first = every[0]
    if len(every) > 1 and OR.fullmatch(text, first.span.end, every[1].span.start):
        return joined(text, first, every[1], "is one number or another")
    if len(every) > 1 and OPERATOR.fullmatch(text, first.span.end, every[1].span.start):
        return joined(text, first, every[1], "is not worked out")
    is_signed = len(every) > 1 and first.span.end == every[1].span.start and text[first.span.end] in "+-\N{MINUS SIGN}"
    if is_signed:  # 5 +3
        return joined(text, first, every[1], "is not worked out")
    return first


def joined(text: str, one: Spot, other: Spot, reason: str) -> Unreadable:
    """A stretch that is not read, from one number to the other."""
    span = Span(start=one.span.start, end=max(one.span.end, other.span.end))
    return Unreadable(text=text[span.start : span.end], span=span, reason=reason, is_ambiguous=True)


def nothing(text: str, first: Spot, end: int) -> Unreadable:
    """Of an equation without a number on its right."""
    span = Span(start=first.span.start, end=max(end, first.span.end))
    return Unreadable(text=text[span.start : span.end], span=span, reason="has no number after its equals sign")


def alone(text: str, every: Sequence[Spot], result: Spot, equals: Sequence[tuple[int, int]]) -> Spot:
    """The result of one equation; of `4 = x` the number on the left, if it is the only one there."""
    left = [each for each in every if each.span.end <= equals[-1][0]]
    is_empty = isinstance(result, Unreadable) and result.reason.startswith("has no number")
    if is_empty and len(left) == 1 and re.search(rf"=[ $\\({{]*[{LETTER}]", text[equals[-1][0] :][:20]):
        return left[0]
    return result


def agreed(text: str, results: Sequence[Spot]) -> Spot:
    """The result of several equations, if they have one and the same."""
    first, last = results[0], results[-1]
    values = {each.value if isinstance(each, Numeral) else None for each in results}
    return (
        first if len(values) == 1 and isinstance(first, Numeral) else joined(text, first, last, "has several results")
    )
