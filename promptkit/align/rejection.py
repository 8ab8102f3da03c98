"""Which of the options that a text mentions it rejects: not B; A is wrong; C and D can be ruled out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from promptkit.align.mention import Mention
from promptkit.text import Span

__all__ = ["standing"]

LOOK_BACK = 56  # characters before a mention in which a word that rejects it stands
LOOK_AHEAD = 400  # characters after an option at a line's start in which the line may say that it is wrong

SAID = r"(?:incorrect|wrong|false|untrue|invalid|impossible|inaccurate|implausible|improbable|unlikely|irrelevant|unreasonable)"
OUT = r"(?:ruled\s+out|eliminated|excluded|discarded|rejected|dismissed|crossed\s+out|out(?![\w-])|disqualified)"
ADVERB = (
    r"(?:also|all|both|either|clearly|obviously|definitely|certainly|simply|likely|probably|therefore|thus|hence|just|quite"
    r"|completely|totally|immediately|safely|easily|factually|logically|then|now|an?|the)"
)
NOT = r"(?:not|n['\u2019]t)"
BE = r"(?:is|are|was|were|be|been|being|seems?|looks?|sounds?|appears?(?:\s+to\s+be)?|remains?)"
# Of `is not`, what does not reject: it is not only, not wrong.
DOUBLE = r"(?!\s+(?:only|just|merely|wrong|incorrect|false|bad|ruled|eliminated|un\w+|im\w+|necessarily\s+wrong))"
VERDICT = rf"""(?:
    (?:(?:can|could|may|might|must|should|would|will|has|have)\s+(?:{ADVERB}\s+){{0,2}})? {BE} \s+ (?:{ADVERB}\s+){{0,3}}
      (?: {SAID}\b | {OUT}\b | too\s+\w | less\s+(?:likely|plausible|suitable|accurate|appropriate|probable)\b
        | not\b{DOUBLE} )
  | (?:is|are|was|were|ca|could|wo|would|does|do|did|has|have)n['\u2019]t\b{DOUBLE}
  | (?:cannot|can\s+not|does\s+not|do\s+not|did\s+not|would\s+not|could\s+not|will\s+not)\b{DOUBLE}
  | (?:fails?|violates?|contradicts?|makes?\s+no\s+sense)\b
)"""
AFTER = re.compile(
    rf"""[\s)\]}}*_"'`$\\]{{0,8}}(?:
        (?:,\s*)?(?:which\s+|that\s+|this\s+|it\s+)? {VERDICT}
      | [:\u2013\u2014-]\s*[*_]{{0,2}}(?:(?:this|it|that)\s+(?:option\s+|answer\s+|choice\s+)?(?:is|are)\s+(?:{ADVERB}\s+){{0,2}})?
        (?:incorrect|wrong|not\s+(?:correct|true|right|possible|valid))\b
      | \((?:incorrect|wrong|eliminated|ruled\s+out)\)
      | [\u274c\u2717\u2718]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Words that reject what comes after them, and those that may stand in between: not the option B, better than B.
REJECTING = (
    "not cannot neither nor unlike except besides than eliminate eliminates eliminated eliminating exclude excludes excluded "
    "excluding discard discards discarded discarding reject rejects rejected rejecting dismiss dismisses dismissed dismissing"
)
RULING_OUT = "rule rules ruled ruling cross crosses crossed crossing"
FILLING = (
    "the a an option options choice choices answer answers letter letters be is being necessarily likely simply just equal "
    "to match matches support supports fit fits both either correct right best with consistent choose pick select"
)
REJECTS, FILL = frozenset(REJECTING.split()), frozenset(FILLING.split())
REJECTS_IN_TWO = {
    "out": frozenset(RULING_OUT.split()),
    "of": frozenset(("instead",)),
    "to": frozenset(("opposed",)),
    "for": frozenset(("except",)),
}
MARKUP = "*_\"'`([{$\\:"
MAX_FILL = 6
LINE_VERDICT = re.compile(
    rf"""\b{BE}\s+(?:{ADVERB}\s+){{0,2}}(?:incorrect|wrong|{OUT}
        |not\s+(?:correct|right|possible|valid|(?:the|a|an)\s+(?:correct|right|best|valid)))\b
      | [(:\u2013\u2014-]\s*[*_]{{0,2}}(?:incorrect|wrong)\b
      | [\u274c\u2717\u2718]""",
    re.IGNORECASE | re.VERBOSE,
)
LINE_START = re.compile(r"(?:\A|\n)[\s*_>#\u2022(\[\"'-]*(?:(?:option|choice)\s+)?\Z", re.IGNORECASE)

JOINT = re.compile(
    r"""[\s)*_\"']*(?P<comma>,)?\s*(?P<joint>\b(?:and|or|nor)\b|&|/|\+)?\s*
    (?:(?:the\s+)?(?:options?|choices?|answers?)\s+)?[\s*_\"'(]*""",
    re.IGNORECASE | re.VERBOSE,
)
LONGEST_JOINT = 40  # characters
IS_NOT = re.compile(r"(?:not|n['\u2019]t)\Z", re.IGNORECASE)
ONLY_FILL = re.compile(r"\s*(?:(?:the|an?|option|choice|answer)\s+)*\W*", re.IGNORECASE)


def standing(text: str, mentions: Sequence[Mention]) -> Iterator[Mention]:
    """The mentions that the text does not reject, in order; several that it joins (A and C) as one that names all."""
    place = 0
    for group in groups_of(text, mentions):
        place += len(group)
        following = mentions[place].span.start if place < len(mentions) else len(text)
        if not is_rejected(text, group, following):
            yield group[0] if len(group) == 1 else together(group)


def together(group: Sequence[Mention]) -> Mention:
    """Several mentions as one."""
    indices = sorted({index for each in group for index in each.indices})
    span = Span(start=group[0].span.start, end=group[-1].span.end)
    return Mention(span=span, indices=tuple(indices), is_letter=group[0].is_letter)


def groups_of(text: str, mentions: Sequence[Mention]) -> Iterator[Sequence[Mention]]:
    """The mentions, those in one group that words join: A, C and D. Commas alone join nothing."""
    start = last = 0  # of the group; the last mention that a word joined to it
    for place in range(1, len(mentions) + 1):
        joint = joint_of(text, mentions[place - 1], mentions[place]) if place < len(mentions) else ""
        if joint == "word":
            last = place
        elif joint != "comma":
            yield mentions[start : last + 1]
            yield from (mentions[number : number + 1] for number in range(last + 1, place))
            start = last = place


def joint_of(text: str, one: Mention, other: Mention) -> str:
    """What joins two mentions: a `word`, a `comma`, or nothing."""
    start, end = one.span.end, other.span.start
    match = JOINT.fullmatch(text, start, end) if end - start <= LONGEST_JOINT else None
    if match is None or not (one.indices and other.indices):
        return ""
    return "word" if match["joint"] else "comma" if match["comma"] else ""


def is_rejected(text: str, group: Sequence[Mention], following: int) -> bool:
    """Whether the text says of a group of mentions that it is not the answer."""
    start, end = group[0].span.start, group[-1].span.end
    before = text[max(0, start - LOOK_BACK) : start]
    if is_led_to_rejection(before):
        return True
    match = AFTER.match(text, end)
    if match:  # "B is not A" says nothing against B
        return not (
            IS_NOT.search(match[0]) and following < len(text) and ONLY_FILL.fullmatch(text, match.end(), following)
        )
    if not LINE_START.search(before):
        return False
    line_end = text.find("\n", end, end + LOOK_AHEAD)
    stop = min(following, line_end if line_end >= 0 else end + LOOK_AHEAD)
    return LINE_VERDICT.search(text, end, stop) is not None


def is_led_to_rejection(before: str) -> bool:
    """Whether the words before a mention reject it: not, rather than, rule out.

    >>> is_led_to_rejection("It is not the option "), is_led_to_rejection("It is not only ")
    (True, False)
    """
    words = [word.strip(MARKUP) for word in before.lower().replace("\u2019", "'").split()]
    words = [word for word in words if word]
    for number in range(len(words) - 1, max(len(words) - 1 - MAX_FILL, -1), -1):
        word, ahead = words[number], words[number - 1] if number else ""
        if word in REJECTS or word.endswith("n't"):
            return not (word == "than" and ahead == "other")
        if ahead in REJECTS_IN_TWO.get(word, ()):
            return True
        if word not in FILL:
            return False
    return False
