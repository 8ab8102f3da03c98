"""Where a text that states no answer suggests one: places that are read only for want of better ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import regex

from promptkit.align.fence import blocks
from promptkit.align.sentences import is_complete, sentences, stripped
from promptkit.align.stated import Place

__all__ = ["SUGGESTED", "without_courtesy"]

MAX_WORDS = {"alone": 12, "few": 5, "item": 3, "last_line": 5}
CONCLUDING = regex.compile(
    r"(?i)[*_\s\"'(\-\u2022]*+(?:so|therefore|thus|hence|consequently|accordingly|finally|altogether|overall|ultimately|that means"
    r"|this means|which means|in (?:total|all|conclusion|summary|the end)|to (?:conclude|sum up|summarize)|as a result|conclusion"
    r"|based on (?:this|these|the above|that)|it follows|we (?:conclude|get|find)|result|solution|\u2234|\u56e0\u6b64|\u6240\u4ee5)\b"
)
DENIED = regex.compile(
    r"(?i)\b(?:answer|it|that|this|option) (?:(?:is|was|can) ?not|isn['\u2019]t|wasn['\u2019]t|can['\u2019]t)\b"
)
BOLD = regex.compile(r"\*\*(?P<inside>[^*\n]{1,80})\*\*")
TITLE = regex.compile(r"(?i)[^\n]*:\s*\Z|(?:step|part|case|note|option|problem|question)\b")
ITEM = regex.compile(r"[ \t]*+(?:[-*\u2022+]\s|[0-9]++[.)]\s|[A-Za-z][.)]\s+\S+\s+\S)")
OPTION = regex.compile(r"[ \t*]*+\(?+[A-Za-z0-9]{1,2}[.):]")
UNFINISHED = regex.compile(r"(?:[-+/=\u00d7\u00f7,(:\\&|<>^]|\s\*)(?<!</[a-z]{1,9}>)\s*\Z")
DISPLAYED = regex.compile(
    r"(?:\\\[\s*+(?P<inside>[^\n]+?)\s*\\\]|\$\$\s*+(?P<inside>[^\n$]+?)\s*\$\$)\.?\Z", regex.REVERSE
)
# What models say around an answer to be polite, which is no part of it.
GREETING = regex.compile(
    r"(?i)(?:sure(?: thing)?|certainly|absolutely|of course|okay|ok|all ?right|(?:great|good) question)!\s++(?=\S)"
)
COURTESY = regex.compile(
    r"(?i)(?<=[.!?*)\]}$`\u2705]|\n)\s++(?:(?:please )?(?:let me know (?:if|whether|how)|feel free to)|(?:i )?hope (?:this|that|it) (?:helps|is)"
    r"|(?:would you like|do you (?:want|need|have)|if you(?:'d| would)? (?:like|have|need|want))\b|is there anything else)[^\n]*+\s*+\Z"
)
MAX_COURTESY, MAX_DISPLAYED = 400, 400  # characters
MAX_OPENING = 1000  # characters in which a first sentence ends
MAX_BACK = 3  # sentences from the end in which a conclusion is looked for


def alone(text: str, start: int) -> Iterator[Place]:
    """The whole text, where it is one short line, and no more than a sentence."""
    greeting = GREETING.match(text)
    span = stripped(text, greeting.end() if greeting else 0, len(text))
    words = text[span.start : span.end]
    if start or not words or "\n" in words or len(words.split()) > MAX_WORDS["alone"] or ends_open(words):
        return
    is_list = all(len(item.split()) <= MAX_WORDS["item"] for item in words.split(","))
    is_whole = len(words.split()) <= MAX_WORDS["few"] or is_complete(words) or is_list
    if is_whole and len(sentences(words)) == 1 and not (words.endswith("?") or DENIED.search(words)):
        yield Place(sort="alone", span=span)


def block(text: str, start: int) -> Iterator[Place]:
    """The one line in a fence or a displayed formula that ends the text; or in its only fence, wherever that stands."""
    if displayed := DISPLAYED.search(text, max(start, len(text) - MAX_DISPLAYED)):
        yield Place(sort="block", span=stripped(text, *displayed.span("inside")))
    every = list(blocks(text)) if "```" in text or "~~~" in text else []
    if every and (len(every) == 1 or text[every[-1].code.end :].strip().strip("`~") == ""):
        span = stripped(text, every[-1].code.start, every[-1].code.end)
        if every[-1].is_closed and span.start >= start and "\n" not in text[span.start : span.end]:
            yield Place(sort="block", span=span, is_fence=True)


def without_courtesy(text: str) -> str:
    """The text without a last sentence that offers more help."""
    match = COURTESY.search(text, max(0, len(text) - MAX_COURTESY))
    return text[: match.start()].rstrip(" \n-") if match else text


def opening(text: str, start: int) -> Iterator[Place]:
    """The first sentence, where it is no item of a list, whatever is stated after it."""
    del start
    lines = [line for line in text[:MAX_OPENING].splitlines() if line.strip()][:2]
    is_item = len(lines) > 1 and all(OPTION.match(line) for line in lines)
    for span in sentences(text, 0, min(len(text), MAX_OPENING))[:1]:
        if not (is_item or TITLE.match(text, span.start, span.end)):
            yield Place(sort="opening", span=span)


def last_line(text: str, start: int) -> Iterator[Place]:
    """The last line, where it is a few words and no item of a list."""
    end = len(text.rstrip())
    begin = text.rfind("\n", start, end) + 1
    if begin <= start and start > 0:
        return
    span = stripped(text, max(begin, start), end)
    words = text[span.start : span.end]
    is_short = 0 < len(words.split()) <= MAX_WORDS["last_line"]
    is_item = ITEM.match(text, begin) or (OPTION.match(words) and OPTION.match(line_before(text, begin)))
    is_other = TITLE.match(words) or DENIED.search(words) or ends_open(words) or words.endswith(("?", "```", "~~~"))
    if is_short and not (is_item or is_other) and len(sentences(words)) == 1:
        yield Place(sort="last_line", span=span)


def line_before(text: str, begin: int) -> str:
    """The line before the one that begins at a place."""
    return text[text.rfind("\n", 0, max(0, begin - 1)) + 1 : max(0, begin - 1)]


def ends_open(words: str) -> bool:
    """Whether a line breaks off in the middle of a calculation, or of anything else that goes on."""
    return len(words) > len("B:") and UNFINISHED.search(words) is not None


def concluded(text: str, start: int) -> Iterator[Place]:
    """The last sentence that concludes, of the last few."""
    for span in reversed(sentences(text, max(start, len(text) - 4000))[-MAX_BACK:]):
        words = text[span.start : span.end]
        if CONCLUDING.match(words) and not (words.rstrip("*_\"' ").endswith("?") or DENIED.search(words)):
            yield Place(sort="concluded", span=span)


def bold(text: str, start: int) -> Iterator[Place]:
    """The last bold words of the last paragraph, where they are no title."""
    begin = max(start, text.rfind("\n\n", 0, len(text.rstrip())) + 1)
    matches = [match for match in BOLD.finditer(text, begin) if not TITLE.match(match["inside"])]
    if matches:
        yield Place(sort="bold", span=stripped(text, *matches[-1].span("inside")))


def last_sentence(text: str, start: int) -> Iterator[Place]:
    """The last sentence, where it is none that asks."""
    for span in sentences(text, max(start, len(text) - 4000))[-1:]:
        words = text[span.start : span.end]
        if not (words.endswith("?") or TITLE.match(words)):
            yield Place(sort="last_sentence", span=span)


def computed(text: str, start: int) -> Iterator[Place]:
    """The last sentence, as a place for what was computed before it."""
    for place in last_sentence(text, start):
        yield replace(place, sort="computed")


SUGGESTED: dict[str, Callable[[str, int], Iterator[Place]]] = {
    "opening": opening,
    "alone": alone,
    "block": block,
    "last_line": last_line,
    "concluded": concluded,
    "bold": bold,
    "computed": computed,
    "last_sentence": last_sentence,
}
