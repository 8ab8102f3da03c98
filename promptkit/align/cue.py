"""Cues: words that announce an answer, and whether they are meant: not doubted, denied, supposed or asked."""

from __future__ import annotations

from collections.abc import Iterator

import regex

__all__ = ["cues", "is_header", "is_meant"]

# Words that announce an answer. What makes of them something else (a guess, a wrong one, a question) is looked for
# before and after.
SORT_OF = (
    r"(?:(?:final|correct|right|best|true|overall|actual|numerical|numeric|exact|closest|appropriate|accurate)\s++)*+"
)
NOUN = r"(?:answer|ans(?=[.]?\s*+[:=])|(?<=final\s)result|(?<=(?:correct|right|best|appropriate|accurate|closest)\s)(?:option|choice|response|statement|one))"
MARKS = r"[*_`\"'\u201d)]*+"
OF = r"(?:\s++(?:choice|option|letter)(?!\w))?(?:\s++(?:to|for|of|here|in|from)\b[^.\n:?]{0,150}?)?(?:\s++\([^()\n]{0,60}\))?"
VERB = r"(?:\s++(?:is|are|was|becomes?|equals|will\s++be|would\s++be|should\s++be|must\s++be|has\s++to\s++be|comes\s++(?:out\s++)?to)(?!\w)|\s*+(?:=|:|\uff1a|\u2192))"
ADVERB = r"(?:\s++(?:therefore|thus|then|hence|simply|just|indeed|clearly|also|still|approximately|about|exactly|definitely|most\s++likely|likely)(?!\w))?"
CHOICE_VERB = (
    r"I(?:'ll|\s++will|\s++would)?\s++(?:choose|select|pick|go\s++with|answer)(?:\s++(?:option|answer|choice))?(?!\w)"
)
OTHER_TONGUES = (
    r"(?:la\s++)?respuesta(?:\s++(?:final|correcta))?(?:\s++es|\s*+:)"
    r"|(?:la\s++)?r[\u00e9e]ponse(?:\s++(?:finale|correcte))?(?:\s++est|\s*+:)"
    r"|(?:die\s++)?(?:endg\u00fcltige\s++|richtige\s++)?antwort(?:\s++(?:ist|lautet)|\s*+:)"
    r"|(?:a\s++)?resposta(?:\s++(?:final|correta))?(?:\s++\u00e9|\s*+:)|(?:la\s++)?risposta(?:\s++(?:finale|corretta))?(?:\s++\u00e8|\s*+:)"
    r"|(?:\u7b54\u6848|\u7d50\u679c|\u7ed3\u679c)(?:\u662f|\u4e3a|\u70ba|\s*+[:\uff1a])|\u7b54\s*+[:\uff1a]|\u7b54\u3048(?:\u306f|\s*+[:\uff1a])"
    r"|\u043e\u0442\u0432\u0435\u0442\s*+(?::|\u2014|-)"
)
CUE = regex.compile(
    rf"""(?i)(?:
        (?P<line>^[ \t>#*_\-\u2022]*+(?:[0-9]{{1,2}}[.)][ \t]*+)?[*_]*+)?+
        (?P<lead>(?:(?:so|thus|hence|therefore|and|finally)\s*+,?\s++)?(?:(?P<article>the|my|our|this|your)\s++)?)
        (?P<noun>(?<!\w){SORT_OF}{NOUN}){MARKS}{OF}{MARKS}(?P<verb>{VERB}){MARKS}{ADVERB}
      | (?P<line>^[ \t>#*_]*+)(?P<noun>(?:final\s++)?(?:answer|result|verdict)){MARKS}[ \t]*+(?=\n|\Z)
      | (?P<line>^[ \t>#*_]*+)(?P<noun>(?:final\s++)?(?:answer|result|verdict)){MARKS}[ \t]++[-\u2013\u2014](?=[ \t*_])
      | (?<!\w){CHOICE_VERB}
      | (?:{OTHER_TONGUES})
    )""",
    regex.VERBOSE | regex.MULTILINE,
)
# One of these is in every cue, and looked for first: it is much faster.
KEYWORD = regex.compile(
    "answer|ans\\b|(?:correct|right|best) one|final result|option|choice|response|statement|choose|select|pick|go with|respuesta|r[\u00e9e]ponse|antwort|resposta|risposta"
    "|\u7b54|\u7d50\u679c|\u7ed3\u679c|\u043e\u0442\u0432\u0435\u0442",
    regex.IGNORECASE,
)
MAX_KEYWORDS = 100  # the last ones; a text with more of them repeats itself
MAX_BEFORE, MAX_AFTER = 80, 260  # characters of a cue beside its keyword
DOUBT_BEFORE = regex.compile(
    r"(?i)\b(?:if|whether|suppose|assum\w++|might|may|could|perhaps|maybe|think|thinks|thought|believe[sd]?|guess\w*+|claim\w*+"
    r"|says?|said|wrong(?:ly)?|incorrect(?:ly)?|not|previous|other|initial|their|his|her|student'?s?|unless|check|verify"
    r"|is|does|what|why|how|before|until|find|finding|get|give|provide|determine|need|write|put|format)\b[^.!?\n]{0,40}\Z"
)
NEVER_BEFORE = regex.compile(
    r"(?i)\b(?:if|whether|suppose|assuming|may|might|could|perhaps|maybe|wrong|incorrect|unless|what"
    r"|(?:they|he|she|you|one|some\w*+|people|students?)\s++(?:\w++\s++)?(?:think|say|claim|believe|guess)s?)\b[^.!?\n,]{0,40}\Z"
)
DENIAL_AFTER = regex.compile(
    r"(?i)\s*+(?:not(?!\s+(?:only|just))\b|n't\b|neither\b|wrong\b|incorrect\b|correct[.!]|right[.!])"
)


def cues(text: str) -> Iterator[regex.Match[str]]:
    """Where words announce an answer, in order."""
    end = 0
    for keyword in list(KEYWORD.finditer(text))[-MAX_KEYWORDS:]:
        if keyword.start() >= end:
            window = max(end, keyword.start() - MAX_BEFORE), min(len(text), keyword.end() + MAX_AFTER)
            match = CUE.search(text, *window)
            if match:
                end = match.end()
                yield match


def is_header(match: regex.Match[str]) -> bool:
    """Whether the words are a bare `Answer:` at the beginning of a line."""
    return (
        match["noun"] is not None
        and match["line"] is not None
        and not match["article"]
        and match["noun"].split()[0].casefold() == "answer"
    )


def is_meant(text: str, match: regex.Match[str]) -> bool:
    """Whether the words announce the answer that the text gives."""
    start = match.start("noun")
    if text[start - 1 : start] == '"' and text[match.end("noun") : match.end("noun") + 1] == '"':
        return False  # the name of a JSON field, which is read as such
    before = text[max(0, start - 60) : match.start("lead") if match["lead"] else start].rpartition("\n")[2]
    is_bare = not match["line"] and not match["article"] and not (match["lead"] or "").strip()
    doubts = DOUBT_BEFORE if is_bare else NEVER_BEFORE
    return not doubts.search(before) and not DENIAL_AFTER.match(text, match.end())
