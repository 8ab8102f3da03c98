"""The process that `algebra` asks: reads questions from standard input, a JSON list a line, and answers true or false.

No text is no question, and is answered with true; one is asked for whether it can be read, two for whether they mean
the same.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import sys
from typing import Any

import regex

MAX_MEMORY = 4 << 30  # bytes; a formula that wants more fails, and the machine goes on

# How formulas are written without LaTeX, and what LaTeX has for it.
PLAIN = {
    "\u2212": "-", "\u2013": "-", "\u00d7": r"\times ", "\u00f7": r"\div ", "\u00b7": r"\cdot ", "\u22c5": r"\cdot ",
    "**": "^", "*": r"\cdot ", "\u03c0": r"\pi ", "\u221e": r"\infty ", "\u2264": r"\leq ", "\u2265": r"\geq ",
    "<=": r"\leq ", ">=": r"\geq ", "!=": r"\neq ", "\u2260": r"\neq ", "\u00b1": r"\pm ", "\u222a": r"\cup ",
    "\u2229": r"\cap ", "\u2208": r"\in ", "\u00b0": r"^\circ ", "\u03b8": r"\theta ", "\u00bd": r"\frac{1}{2}",
    "\u00bc": r"\frac{1}{4}", "\u00be": r"\frac{3}{4}", "\u00b2": "^{2}", "\u00b3": "^{3}", "\u221a": r"\sqrt",
    r"\$": "", r"\tfrac": r"\frac", r"\dfrac": r"\frac", r"\to ": r"\to ",
}  # fmt: skip
SIGN = regex.compile("|".join(regex.escape(sign) for sign in sorted(PLAIN, key=len, reverse=True)))
NAME = regex.compile(
    r"(?<![\\A-Za-z])((?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|log|ln|exp|pi|theta|alpha|beta|gcd|lcm)(?![A-Za-z])"
)
INFINITY = regex.compile(r"(?<![\\A-Za-z])inf(?:inity|ty)?(?![A-Za-z])")
ROOT = regex.compile(r"\\?(?<![A-Za-z])sqrt\s*+(?:\(([^()]*+)\)|([0-9A-Za-z]++))")
POWER = regex.compile(r"\^\s*+([-+]?[0-9]++)")


def in_latex(formula: str) -> str:
    r"""The formula in LaTeX: `2^10 * sqrt(3)` is `2^{10}\cdot \sqrt{3}`."""
    formula = SIGN.sub(lambda match: PLAIN[match[0]], formula)
    formula = INFINITY.sub(r"\\infty ", NAME.sub(r"\\\1 ", formula))
    formula = ROOT.sub(lambda match: rf"\sqrt{{{match[1] or match[2] or ''}}}", formula)
    return POWER.sub(r"^{\1}", formula).replace("$", "")


@functools.lru_cache(maxsize=10_000)
def meaning(formula: str) -> Any:
    """What math-verify reads in a formula; None where that is nothing. Of `3 + 4 = 7`, it is 7."""
    from math_verify import LatexExtractionConfig, parse  # noqa: PLC0415 - half a second to import
    from math_verify.grader import is_equation, take_first_relation, take_last_relation  # noqa: PLC0415

    read = parse(
        f"${in_latex(formula)}$",
        [LatexExtractionConfig()],
        fallback_mode="no_fallback",
        extraction_mode="first_match",
        parsing_timeout=None,
    )
    if not read:
        return None
    if is_equation(read[0]) and not take_first_relation(read[0]).lhs.free_symbols:
        return take_last_relation(read[0]).rhs
    return read[0]


def is_same(one: Any, other: Any) -> bool:
    """Whether two meanings are one, whichever of them is thought right.

    math-verify reads an answer in the light of the right one, so that `x + y = 5` is 5 where 5 is right. That holds
    one way only, and so is not taken.
    """
    from math_verify import verify  # noqa: PLC0415
    from math_verify.grader import is_equation  # noqa: PLC0415

    if is_equation(one) != is_equation(other) and (is_of_a_sum(one) or is_of_a_sum(other)):
        return False
    if is_name(one) or is_name(other):
        return is_same_value(one, other)
    pairs = ((one, other), (other, one))
    return all(verify(a, b, allow_set_relation_comp=True, timeout_seconds=None) for a, b in pairs)


def is_name(meaning: Any) -> bool:
    """Whether a meaning is a name alone, which math-verify compares by its letter only: `2x/2` would not be `x`."""
    from sympy import Symbol  # type: ignore[import-untyped]  # noqa: PLC0415 - math-verify has imported it

    return isinstance(meaning, Symbol)


def is_same_value(one: Any, other: Any) -> bool:
    """Whether two terms are equal for all values of their names."""
    from sympy import Expr, simplify  # noqa: PLC0415 - math-verify has imported it

    return isinstance(one, Expr) and isinstance(other, Expr) and bool(simplify(one - other) == 0)


def is_of_a_sum(meaning: Any) -> bool:
    """Whether an equation says something of a sum: `x + y = 5`, which gives no name a value."""
    from math_verify.grader import is_equation, take_first_relation  # noqa: PLC0415

    return bool(is_equation(meaning) and take_first_relation(meaning).lhs.is_Add)


def answer(question: list[str]) -> bool:
    """The answer to a question. Whatever goes wrong on the way, there is no meaning."""
    try:
        meanings = [meaning(formula) for formula in question]
        return None not in meanings and (len(meanings) < 2 or is_same(*meanings))
    except Exception:  # noqa: BLE001 - libraries that read what models wrote
        return False


def limit_memory() -> None:
    """Lets the process have so much memory and no more, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))


def main() -> None:
    """Answers until the one who asks is gone. What libraries print goes nowhere."""
    limit_memory()
    logging.disable(logging.CRITICAL)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        import math_verify  # noqa: F401, PLC0415 - before the first question, which has a limit

        for line in sys.stdin:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
            answers.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
