r"""Formulas: where a text holds mathematics, between the marks of LaTeX, in a box, or bare.

Every search goes through the text once, whatever a model wrote: a mark without its partner is looked for once only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import regex

from promptkit.text import Span

__all__ = ["MAX_FORMULA", "Formula", "formulas", "is_formula", "leading_formula"]

MAX_MARKS = 100_000  # nothing that anybody wrote has more
MAX_FORMULA = 4_000  # characters
CLOSER = {r"\(": r"\)", r"\[": r"\]", "$$": "$$", "$": "$", "begin": "end"}
ENVIRONMENT = r"\{(?:equation|align|aligned|gather|multline|displaymath|math)\*?\}"
MARK = regex.compile(rf"\\(?P<word>begin|end){ENVIRONMENT}|\\(?s:.)|\$\$?|\n[ \t]*\n")
BOX = regex.compile(r"\\(?:boxed|fbox)[ \t]*\{|\\(?s:.)|[{}]")

# What a formula is made of. A word of two letters or more is none of it, but names of functions and of points, and
# what stands in \text; so prose, and sums of money between two signs of a dollar, are told from mathematics.
NAMES = (
    r"(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|log|ln|exp|sqrt|frac|pi|theta|alpha|beta|infty|inf|max|min|mod|gcd|lcm|det"
)
PIECE = regex.compile(
    rf"""
    \s++
  | \\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname)\s*+\{{[^{{}}]*+\}}
  | \\(?:begin|end)\{{\w*+\*?\}} | \\[A-Za-z]++ | \\[^A-Za-z]
  | [0-9]++(?!(?:st|nd|rd|th)(?!\w))
  | (?:{NAMES})(?![A-Za-z]) | [A-Z]++(?![a-z]) | \p{{L}}(?!\p{{L}})
  | [^\w\s\\"?$`]
    """,
    regex.VERBOSE,
)
SUBSTANCE = regex.compile(r"[0-9]|\\[A-Za-z]|\p{No}")  # what a formula that words follow must hold
DANGLING = " \t\r\n,.;:=+-*/<>^_|&([{\\"  # at the end of a formula that goes on in words
SENTENCE = " \t\r\n.,;:"
ARTICLE = regex.compile(r"\s[aAI]\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula in a text: `outer` with its marks, `inner` without."""

    outer: Span
    inner: Span

    def of(self, text: str) -> str:
        """The formula."""
        return text[self.inner.start : self.inner.end]

    def place(self, text: str) -> Span:
        """Where the formula can be read again: with its marks, where others stand within it."""
        return self.outer if formulas(self.of(text)) else self.inner


def formulas(text: str) -> list[Formula]:
    r"""The formulas of a text, in order: the boxed ones alone, where there are any, else those between marks.

    >>> [each.inner for each in formulas(r"It costs $5 to $6, so $x = 7$.")]
    [Span(start=23, end=28)]
    """
    return boxed(text) or list(marked(text))


def marked(text: str) -> Iterator[Formula]:
    r"""What stands between `$`, `$$`, `\(`, `\[` or an environment's begin and end."""
    marks = [(kind_of(mark), mark.span()) for mark in islice(MARK.finditer(text), MAX_MARKS + 1)]
    missing: set[str] = set()  # closers that do not come any more
    if len(marks) > MAX_MARKS:
        return
    place = 0
    while place < len(marks):
        kind, (start, inner_start) = marks[place]
        place += 1
        closer = CLOSER.get(kind)
        if closer is None or closer in missing:
            continue
        end = next((later for later in range(place, len(marks)) if marks[later][0] in (closer, ends_early(kind))), None)
        if end is None:
            missing.add(closer)
            continue
        found, (inner_end, outer_end) = marks[end]
        if found != closer:
            continue
        inner = text[inner_start:inner_end]
        if kind == "$" and not is_between_dollars(inner, text[outer_end : outer_end + 1]):
            continue
        place = end + 1
        if inner.strip():
            yield Formula(outer=Span(start=start, end=outer_end), inner=Span(start=inner_start, end=inner_end))


def kind_of(mark: regex.Match[str]) -> str:
    """What a mark is: itself, or `begin`, `end`, or a blank line."""
    return mark["word"] or (mark[0] if mark[0].strip() else "\n\n")


def ends_early(kind: str) -> str:
    """What a formula that began so does not go over."""
    return "\n\n" if kind == "$" else ""


def is_between_dollars(inner: str, after: str) -> bool:
    """Whether what stands between two signs of a dollar is a formula, and not text between two sums of money."""
    is_even = inner[:1].isspace() == inner[-1:].isspace()
    return is_even and not after.isdigit() and is_formula(inner)


def boxed(text: str) -> list[Formula]:
    r"""What stands in `\boxed{}` or `\fbox{}`, braces balanced; of boxes in boxes, the outermost."""
    found: list[Formula] = []
    if "boxed" not in text and "fbox" not in text:
        return found
    opened: list[tuple[int, int] | None] = []  # a box by its start and that of its content; None for other braces
    for brace in BOX.finditer(text):
        if brace[0].endswith("{") and brace[0] != r"\{":
            opened.append(brace.span() if len(brace[0]) > 1 else None)
        elif brace[0] == "}" and opened and (box := opened.pop()):
            while found and found[-1].outer.start > box[0]:
                found.pop()
            if text[box[1] : brace.start()].strip():
                outer, inner = Span(start=box[0], end=brace.end()), Span(start=box[1], end=brace.start())
                found.append(Formula(outer=outer, inner=inner))
    return found


def leading_formula(text: str) -> Span | None:
    """The formula that a text without marks begins with; all of it where no word follows; None where there is none.

    >>> leading_formula("3x + 1, since x is even"), leading_formula("I cannot say")
    (Span(start=0, end=6), None)
    """
    end = formula_end(text)
    if end == len(text):
        run = text.rstrip(SENTENCE)
    else:
        run = text[:end].rstrip(DANGLING)
        run = run[:-1].rstrip(DANGLING) if ARTICLE.match(run[-2:]) else run
        run = run if SUBSTANCE.search(run) else ""
    start = len(run) - len(run.lstrip())
    return Span(start=start, end=len(run)) if start < len(run) else None


def is_formula(text: str) -> bool:
    """Whether all of a text without marks is a formula."""
    return not text.isspace() and text != "" and formula_end(text) == len(text)


def formula_end(text: str) -> int:
    """How far a text may be a formula; 0 where that is too far for one."""
    end = 0
    while end < len(text) and (piece := PIECE.match(text, end)):
        end = piece.end()
        if end > MAX_FORMULA:
            return 0
    return end
