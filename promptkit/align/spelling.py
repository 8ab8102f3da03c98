r"""How a formula is spelled: one spelling for what LaTeX sets alike, `\dfrac12` and `\frac{1}{2}`.

Only spellings are made one; what a formula means is `algebra`'s business.
"""

from __future__ import annotations

import regex

__all__ = ["bare", "spelled"]

SPACES = regex.compile(
    r"~|(?<!\\)\\(?:[,!;: ]|(?:quad|qquad|thinspace|displaystyle|textstyle|limits|nolimits)(?![A-Za-z]))"
)
SIZES = regex.compile(r"(?<!\\)\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*+\.?")
SAME = {"dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "le": "leq", "ge": "geq", "ne": "neq"}
SAME |= {"lbrace": "{", "rbrace": "}", "rarr": "to", "rightarrow": "to", "varnothing": "emptyset"}
COMMAND = regex.compile(rf"(?<!\\)\\(?P<name>{'|'.join(SAME)})(?![A-Za-z])")
TEXT = regex.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox|operatorname)\s*+\{(?P<inner>[^{}]*+)\}"
)
GLUED = regex.compile(r"(\\[A-Za-z]++)\s++(?=[A-Za-z])|\s++")
BRACED = regex.compile(r"([\^_])\{(\w)\}")
THOUSANDS = regex.compile(r"(?<=[0-9])\{,\}(?=[0-9])")
ARGUMENTS = (  # what takes one character as its argument takes it in braces
    (regex.compile(r"\\frac\s*+([0-9])"), r"\\frac{\1}"),
    (regex.compile(r"(\\frac\{[^{}]{1,200}+\})\s*+([0-9A-Za-z])"), r"\1{\2}"),
    (regex.compile(r"\\sqrt\s*+([0-9])"), r"\\sqrt{\1}"),
)
ENDS = " \t\r\n,;:"


def spelled(text: str) -> str:
    r"""The formula in one spelling: without spaces and sizes, arguments in braces, no point at its end.

    >>> spelled(r" \left( \dfrac12,\; x^{2} \right). ")
    '(\\frac{1}{2},x^2)'
    """
    text = text.strip(ENDS)
    text = text if text.endswith("..") else text.removesuffix(".").rstrip(ENDS)
    text = SIZES.sub("", SPACES.sub(" ", text))
    text = COMMAND.sub(lambda match: "\\" + SAME[match["name"]], text)
    text = THOUSANDS.sub(",", text)
    for pattern, replacement in ARGUMENTS:
        text = pattern.sub(replacement, text)
    return BRACED.sub(r"\1\2", tight(text))


def tight(text: str) -> str:
    r"""The formula without white space, but where it ends a command, and in `\text`, where one space stands for all."""
    parts, done = [], 0
    for match in TEXT.finditer(text):
        parts += [GLUED.sub(keep, text[done : match.start()]), " ".join(match[0].split())]
        done = match.end()
    return "".join([*parts, GLUED.sub(keep, text[done:])]).strip()


def keep(match: regex.Match[str]) -> str:
    """A command with the space that ends it; nothing for other white space."""
    return f"{match[1]} " if match[1] else ""


def bare(text: str) -> str:
    r"""The formula without what only says how letters look: `\text{ even }` is `even`.

    >>> bare(r"\textbf{(C)}")
    '(C)'
    """
    return TEXT.sub(lambda match: match["inner"].strip(), text)
