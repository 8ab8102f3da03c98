r"""Notation: the one pattern of how numbers are written, and of what looks like a number and is none.

It goes through a text from left to right, and each character is looked at once or twice: a numeral is taken whole or
not at all, so that nothing is read out of the middle of a date, a version or a word. No token goes over a line's end.

The pattern is one for `re`, which is several times as fast as `regex` here; nothing in it repeats what repeats, so that
it needs no time-out. Groups that may stand in several places have a number after their names.
"""

from __future__ import annotations

import functools
import re

__all__ = ["LETTER", "MONTH", "SEPARATORS", "leading_digits", "token_pattern"]

# Unicode by its escapes, as a reader cannot tell these characters apart:
# 2212 minus, 2013 en dash, 2014 em dash, 2019 apostrophe, 00a0 2007 2009 202f the spaces that hold digits together.
SIGN = r"[-+\u2212\u2013]"
SEPARATOR = r"(?:,\\!|,|\{,\}|\\[,;:]|\\[ ](?=[0-9]{3})|['\u2019_]|[\u00a0\u2007\u2009\u202f])"
DIGITS = rf"[0-9]++(?:{SEPARATOR}[0-9]++)*+"
# Letters of alphabets: scripts without spaces (CJK) have their numbers inside of what \w would take for one word.
LETTER = r"A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u1fff"
NO_WORD = rf"(?![0-9_{LETTER}])"
PLAIN = rf"(?:{DIGITS}(?:\.[0-9]++)?+|(?<![0-9_.{LETTER}])\.[0-9]++)(?:[eE][-+\u2212]?[0-9]++{NO_WORD})?+"
SYMBOL = r"(?:\\?\$|[\u00a3\u20ac\u00a5\u20b9\u20a9])"
CURRENCY = (
    rf"(?:(?<![0-9_{LETTER}])(?:US|CA|AU|NZ|HK|C|A)?{SYMBOL}"
    rf"|(?<![0-9_{LETTER}])(?:USD|EUR|GBP|JPY|CNY|INR|CHF|Rs\.?))"
)
# What follows a sign of a dollar that opens a formula: nothing but mathematics, to the sign that closes it.
MATHS = r"(?:[A-Za-z]?(?:[^$\n\\A-Za-z]|\\[A-Za-z]+|\\[^A-Za-z\n])){0,60}+[A-Za-z]?\$(?![ ]?[0-9])"
VULGAR = r"[\u00bc-\u00be\u2150-\u215e]"
GAP = r"(?:[ \u00a0\u202f~]|\\[ ,;:!])"  # a space, as LaTeX writes it too
MACRO = r"(?:\\(?:text|textrm|textbf|mathrm|mbox)\{(?:[ ~]|\\[ ,;:])?)"

MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)(?![a-z])\.?"
)
ORDINAL = r"(?:st|nd|rd|th|\^\{?(?:\\(?:text|mathrm|textrm)\{)?(?:st|nd|rd|th)\}{0,2})(?![A-Za-z])"
YEAR = r"(?:,?[ ][0-9]{4}(?![\w.]))"

# What is made of digits and is no number: dates, times and ratios, versions, telephone numbers, ordinals.
JOINED = r"""(?:
    [0-9]++(?:(?:/[0-9]++){2,}+|(?::[0-9]++)++|(?:\.[0-9]++){2,}+|(?:-[0-9]++){2,}+)
  | [0-9]{3}-[0-9]{4}(?![\w.,])
)"""
COMPOUND = rf"""(?:
    {JOINED}
  | [0-9]++ (?:,[0-9]{{3}})*+ {ORDINAL} (?:[ ](?:of[ ])?{MONTH}{YEAR}?)?
  | [0-9]{{1,2}} [ ] {MONTH}{YEAR}?
)"""
PASSED = rf"""(?:
    {COMPOUND}
  | (?=[JFMASOND]) {MONTH}[ ][0-9]{{1,2}}(?:st|nd|rd|th)?(?![\w%/]|\.[0-9]|,[0-9]) {YEAR}?
  | (?=[SPQEC]) (?:Step|STEP|Problem|Question|Example|Equation|Case)[ ]\#?[0-9]++(?=[:.)*])
  | \n [ \t]{{0,8}}(?:\*\*)?[0-9]{{1,3}}[.)](?:\*\*)?[ ]++(?=\S)
  | \( [0-9]{{3}} \) [ ]?[0-9]{{3}}-[0-9]{{4}}(?![\w.,])
  | [\^] \{{? [-+\u2212]? [0-9]++ \}}?
)"""

TIMES = r"(?:[\u00d7x*\u00b7]|\\times(?![a-z])|\\cdot(?![a-z]))"
RAISED = r"[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]++"
POWER = rf"""(?:
    (?:\^|\*\*)\{{?[ ]?(?P<power>[-+\u2212]?[0-9]++)[ ]?\}}?(?!\.?[0-9]){NO_WORD}
  | (?P<raised>[\u207a\u207b]?{RAISED})
)"""
SCALE = rf"(?i:hundred|thousand|million|billion|trillion|lakh|crore)s?+{NO_WORD}"
SCALED = rf"""(?:
    (?:{GAP}|-)?+ {MACRO}?+ (?P<scale>{SCALE}(?:[ ]{SCALE})*) \}}?
  | [ ]?(?P<suffix>(?:bn|[Bb]ln|mn|mln|tn|trn|[kKmMbBT]){NO_WORD} (?![\^\u00b2\u00b3])
    (?=(?P<rest>/[{LETTER}]++(?:\^\{{?-?[0-9]\}}?|[\u00b2\u00b3])?+)?) (?![^$\n]{{0,40}}\$(?!{GAP}?[0-9])))
)"""

# Two numbers that are one quantity: 5 feet 2 inches, 2 hours and 30 minutes, 6' 2".
SMALLER = {
    "years?": "months?|weeks?|days?",
    "months?": "weeks?|days?",
    "weeks?": "days?",
    "days?": "hours?|hrs?",
    "hours?|hrs?|h": "minutes?|mins?|m",
    "minutes?|mins?": "seconds?|secs?|s",
    "feet|foot|ft": "inch(?:es)?|in",
    "pounds?|lbs?": "ounces?|oz",
    "dollars?": "cents?",
}
PAIRS = "|".join(rf"(?:{unit})\.?,?[ ]?(?:and[ ])?[0-9.]++[ ]?(?:{part}){NO_WORD}" for unit, part in SMALLER.items())
FEET = r"['\u2019\u2032][ ]?[0-9]{1,2}(?:[\"\u201d\u2033]|''|\u2032\u2032)"

# What, after a number, makes another number of it, which is not read: powers, roots, products, words, stray groups.
EXPONENT = rf"(?:(?:\^(?!\{{?[ ]?\\circ|\{{?[ ]?\\prime)|\*\*(?=[0-9]))\{{?-?[0-9.]*+\}}?|{RAISED})"
CONTINUED = rf"""(?:
    {EXPONENT} | (?:,[0-9]++(?:\.[0-9]++)?+)++
  | [ ]?(?:\u221a|\u03c0|\\sqrt|\\pi{NO_WORD}|\\[cdt]?frac(?![a-z])) [{{(]?+ [0-9.]*+
  | [ ]?{TIMES}[ ]?10{EXPONENT}
  | [ ]?{SCALE}
  | \.?\\(?:overline|bar|dot)(?![a-z]) \{{?[0-9]*+\}}?
  | (?:{GAP}|-)?(?i:(?:tenth|hundredth|(?:thousand|million|billion)th)s?){NO_WORD}
  | {GAP}?(?i:{PAIRS}) | {FEET}
)"""

ARGUMENT = r"[ ]?\{(?:[^{}\n]|\{[^{}\n]*+\})*+\}"
UNREAD = rf"""(?:
    (?:\u00b1|\\pm(?![a-z])|\+/-)[ ]?{SYMBOL}?{PLAIN}
  | (?<![0-9_./,{LETTER}])[0-9]{{1,3}}(?:[ ][0-9]{{3}})++(?![0-9_./:%,{LETTER}-])
)"""
EXPRESSION = rf"(?:\\sqrt(?![a-z])|\u221a|\\[cdt]?frac(?![a-z]))(?:\[[0-9]+\])?+(?:{ARGUMENT}){{0,2}}+[0-9.]*+"


def fraction(number: int) -> str:
    """A fraction in LaTeX, with braces or without."""
    above, below = rf"\{{[ ]?(?P<above{number}>{SIGN})?(?P<top{number}>{PLAIN})[ ]?\}}", PLAIN
    return rf"{above}[ ]?(?:\{{[ ]?(?P<bottom{number}>{below})[ ]?\}}|(?P<digit{number}>[0-9]))"


FRACTION = rf"""\\[cdt]?frac[ ]?(?:
    {fraction(1)} | (?P<top2>[0-9])[ ]?(?:(?P<digit2>[0-9])|\{{[ ]?(?P<bottom2>{PLAIN})[ ]?\}})
)"""

# A word after a number that begins the sentence's rest is no unit of it.
STOP = (
    r"(?:a|an|and|are|as|at|because|being|but|by|for|from|had|has|have|if|in|into|is|it|left|more|of|on|or|per|since|so"
    rf"|than|that|the|then|there|thus|times|to|total|was|were|when|which|while|will|with|x|plus|minus|ths?)(?![{LETTER}])"
)
CLOCK = r"(?i:o['\u2019]clock|[ap]\.m(?:\.|(?!\w)))"
UNIT = rf"""(?:
    (?P<degrees>(?:\^\{{?[ ]?\\circ\}}?|[ ]?\u00b0[ ]?)(?:{MACRO}?[CFK]\}}?{NO_WORD})?)
  | (?:{GAP}|-)?+ {MACRO}?+
    (?P<unit>{CLOCK}|(?!(?i:{STOP}))[{LETTER}]++(?:/[{LETTER}]++)?+(?:\^\{{?-?[0-9]\}}?|[\u00b2\u00b3])?+)
    (?:\}}\^\{{?-?[0-9]\}}?)?{NO_WORD} (?P<owner>(?=['\u2019][{LETTER}]))?
)"""

# The other end of a range that the numeral before it begins; of two numbers around a minus only where no equals sign or
# operator makes a sum of them.
RANGE = rf"""(?:
    (?:[ ]?[-\u2013\u2014~\u2212][ ]?|[ ]++(?i:to)[ ]++){CURRENCY}?(?P<to>{PLAIN})
    (?!{GAP}?(?:[=+^\u00f7\u2248\u00d7\u00b7]|\*(?!\*)|[/x\u2212-][ ]?[0-9]|\\times|\\cdot|\\div|\\approx))
  | [ ]++(?i:and)[ ]++{CURRENCY}?(?P<and>{PLAIN})
)"""

WORD = (
    rf"[0-9_{LETTER}]*+(?:(?<=_)\{{[^{{}}\n]{{0,20}}\}})?+(?:(?<=[0-9])\.[0-9]++)*+(?:[_^]\{{?[-\u2212]?[0-9]++\}}?)*+"
)
TOKEN = rf"""
    (?=[0-9\\.$+^\n(\u2212\u2013\u00a3\u20ac\u20b9\u20a9\u00a5\u00b1\u221a\u00bc-\u00be\u2150-\u215e{LETTER}-]) (?:
    [a-mo-z]{WORD}
  | {PASSED}
  | (?P<unread>{UNREAD})
  | (?P<between>(?<=[Bb]etween[ ]))?
    (?P<numeral>
      (?:(?<![0-9_)\]}}%$\u00a3\u20ac\u00a5{LETTER}])(?P<sign>{SIGN})|(?<![0-9_{LETTER}])(?P<negative>[Nn]egative[ ]))?
      (?:(?P<currency>{CURRENCY})(?=(?P<maths>{MATHS})?)[ \u00a0]?+(?P<sign2>{SIGN})?)?
      (?!{JOINED}|[0-9]++{ORDINAL})
      (?:
        (?:(?P<whole>{DIGITS})[ ]?+)?(?:{FRACTION}|(?P<vulgar>{VULGAR}))
      | (?P<whole3>{DIGITS})[ ](?P<top3>[0-9]++)/(?P<bottom3>[0-9]++)(?![/.]?[0-9])
      | (?P<top4>{PLAIN})/(?P<bottom4>{PLAIN})(?!/[0-9])
      | (?:(?P<mantissa>{PLAIN})[ ]?{TIMES}[ ]?)?(?P<ten>10){POWER}
      | (?P<plain>{PLAIN})
      )
      (?:{SCALED})?
      (?P<percent>[ \u00a0]?+(?:\\?%|(?i:per[ ]?cent){NO_WORD}))?
      (?P<behind>[ \u00a0]?+\u20ac(?![0-9])|{SYMBOL}(?![ ]?[0-9]))?+
    )
    (?:(?P<continued>{CONTINUED})|{UNIT})?
    (?=(?:{RANGE})?)
  | (?P<expression>{EXPRESSION})
  | [{LETTER}]{WORD}
  )
    """

SEPARATORS = re.compile(SEPARATOR)


@functools.cache
def token_pattern() -> re.Pattern[str]:
    """The compiled pattern: compiling takes a good part of a light verb's start, and most of them read no numbers."""
    return re.compile(TOKEN, re.VERBOSE)


@functools.cache
def leading_digits() -> re.Pattern[str]:
    """The pattern of digits with what separates them."""
    return re.compile(DIGITS)
