r"""Listings: how people and models write lists, and where the items stand.

Brackets, marked lines, items separated on one line, one item a line. All of it is found in walks over the text whose
time grows with its length.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from promptkit.align.fence import only_block
from promptkit.align.item import MAX_LINE, Item, cleaned, num_words, trimmed, unwrapped, without_marks
from promptkit.align.line import line_spans
from promptkit.text import Span

__all__ = ["items_of", "split_at"]

MAX_WORDS_ALONE = 5  # of a text in which nothing says that it is a list
MAX_WORDS_BARE = 8  # of each item, where no words lead to the list
MAX_WORDS_JOINED = 3  # of two items with nothing but `and` between them
MAX_ITEMS = 10_000  # of a list; what has more is none
MAX_PIECES = 4 * MAX_ITEMS  # of a line: separators, quotes, brackets

MARK = regex.compile(
    r"(?P<indent>[ \t]*+)(?:>[ \t]*+)?+(?:\*\*|__)?+"
    r"(?P<mark>[-*+\u2022\u2023\u25e6\u25aa\u2013\u2014\u00b7]|\(?(?P<number>[0-9]{1,4})(?:[.:](?=\D)|\))|\(?[a-zA-Z]\))"
    r"(?:\*\*|__)?+[ \t]++(?=\S)"
)
INLINE = regex.compile(r"(?<!\S)(?:\*\*)?+\(?(?P<number>[0-9]{1,3})[.)](?:\*\*)?+[ \t]++")
COLON = regex.compile(r"[:\uff1a](?:\*\*|__)?+(?=\s|$)")
LEAD = regex.compile(
    r"^.*\b(?:answers?|lists?|order|ordering|results?|words|items|names|numbers|elements|sequence|output|these|they|those"
    r"|following|ones)\b[^:;,]{0,60}?\b(?:is|are|be|becomes?|gives|as follows|includes?)\b[ \t]*+(?=\S)",
    regex.IGNORECASE,
)
SUBJECT = regex.compile(
    r"^(?:(?:so|thus|hence|therefore|then|and|ok|okay),? )?(?:the|these|those|they|my|our|its|their|in|here)\b.*"
    r"\b(?:is|are|was|were|be|includes?)\b[ \t]++(?=\S)",
    regex.IGNORECASE,
)

# What is passed over as a whole, then what may separate items.
PIECE = regex.compile(
    r"""(?P<whole>"[^"\n]*+"|\u201c[^\u201d\n]*+\u201d|`[^`\n]*+`|(?<![\w])'[^'\n]*+'(?!\w)
      | \([^()\n]*+\) | \[[^\[\]\n]*+\] | \{[^{}\n]*+\}
      | (?<![\d,.])[1-9][0-9]{0,2}(?:,[0-9]{3})++(?![\d]|,\d) )
    | (?P<separator>[;,|\uff0c\u3001\uff1b]|\u2192|[ \t]-+>[ \t]|[ \t][\u2022\u00b7][ \t])
    | (?P<joint>[ \t](?:and|or|&)[ \t])""",
    regex.VERBOSE | regex.IGNORECASE,
)
KINDS = {"\uff0c": ",", "\u3001": ",", "\uff1b": ";"}
ORDER = (";", ",", "|", "\u2192", "->", "\u2022", "\u00b7")
JOINED = regex.compile(r"(?:and|or|&)[ \t]++", regex.IGNORECASE)


def items_of(text: str) -> list[Item] | None:
    """The items of the list that a text is, or holds; None where it is none."""
    lines, fence = list(line_spans(text)), only_block(text)
    if fence is not None:
        lines = [line for line in lines if fence.code.start <= line.start and line.end <= fence.code.end]
    lines = [without_marks(text, lines[0])] if len(lines) == 1 else lines
    if not lines or len(lines) > MAX_ITEMS:
        return None
    whole = unwrapped(text, Span(start=lines[0].start, end=lines[-1].end))
    if text[whole.start : whole.end] in {"[]", "()", "{}"}:
        return []
    items = bracketed(text, whole) or numbered(text, lines) or marked(text, lines) or written(text, lines)
    return items if items and all(item.span.end - item.span.start <= MAX_LINE for item in items) else None


def split_at(text: str, separator: str) -> list[Item]:
    """The items between separators; a separator of white space is any white space."""
    if text.count(separator) > MAX_ITEMS:
        return []
    if separator.isspace() and "\n" not in separator:
        return cleaned(text, [Span(start=word.start(), end=word.end()) for word in regex.finditer(r"\S++", text)])
    spans, start = [], 0
    while (end := text.find(separator, start)) >= 0:
        spans.append(Span(start=start, end=end))
        start = end + len(separator)
    return cleaned(text, [*spans, Span(start=start, end=len(text))])


def bracketed(text: str, whole: Span) -> list[Item]:
    """The items of a list in brackets: the whole text, or the last in square brackets that ends its line."""
    inner = inside(text, whole)
    if inner is None:
        last = last_bracket(text)
        if last is None or not stands_as_list(text, last):
            return []
        inner = Span(start=last.start + 1, end=last.end - 1)
    return cleaned(text, separated(text, inner, commas_only=True), is_quoted=True)


def inside(text: str, whole: Span) -> Span | None:
    """What stands inside the brackets around the whole text, if there are any and it is no single item."""
    for left, right in (("[", "]"), ("(", ")"), ("{", "}"), ("\\{", "\\}")):
        inner = Span(start=whole.start + len(left), end=whole.end - len(right))
        if inner.start <= inner.end and text.startswith(left, whole.start) and text.endswith(right, 0, whole.end):
            body = text[inner.start : inner.end]
            if left[-1] not in body and (left == "[" or "," in body or ";" in body):
                return inner
    return None


def last_bracket(text: str) -> Span | None:
    """The outermost pair of square brackets that closes last."""
    last, opened = None, []
    for match in regex.finditer(r"[\[\]]", text):
        if match[0] == "[":
            opened.append(match.start())
        elif opened:
            start = opened.pop()
            if not opened:
                last = Span(start=start, end=match.end())
    return last


def stands_as_list(text: str, span: Span) -> bool:
    """Whether square brackets in a text are a list: no subscript, no remark, and the end of their line."""
    body, before = text[span.start + 1 : span.end - 1], text[max(0, span.start - 1) : span.start]
    after = text[span.end : span.end + 100].split("\n", 1)[0]
    is_several = "," in body or ";" in body or body.strip()[:1] in {'"', "'"}
    return is_several and not (before.isalnum() or before in {"]", ")"}) and not after.strip(" \t\r.!*_`$)\"'\\")


def marked(text: str, lines: Sequence[Span]) -> list[Item]:
    """The items of the last block of lines with bullets or numbers, unless a list on one line follows it."""
    block, end = last_block(text, lines)
    if len(block) < 2 and len(block) < len(lines):
        return []
    rest = [line for line in lines if line.start > end]
    if rest and (after := led(text, rest)):
        return after
    return cleaned(text, block, are_lines=True)


def last_block(text: str, lines: Sequence[Span]) -> tuple[list[Span], int]:
    """The items of the last block of marked lines, and where the block ends."""
    block: list[Span] = []
    best: tuple[list[Span], int] = ([], 0)
    indent, sort, number = "", "", 0
    for line in lines:
        mark = MARK.match(text, line.start, line.end)
        if mark and block and len(mark["indent"]) > len(indent):
            continue  # a part of the item above
        if mark:
            this = int(mark["number"] or 0)
            if not block or sort_of(mark) != sort or (this and this not in {number + 1, number}):
                block = []
            indent, sort, number = mark["indent"], sort_of(mark), this
            block.append(Span(start=mark.end(), end=line.end))
            best = (block, line.end) if len(block) > 1 or len(best[0]) < 2 else best
        elif not text[line.start : line.end].startswith((indent + " ", indent + "\t")):
            block = []
    return best


def sort_of(mark: regex.Match[str]) -> str:
    """How a line is marked."""
    return "1" if mark["number"] else "a" if mark["mark"].strip("()").isalpha() else str(mark["mark"])


def numbered(text: str, lines: Sequence[Span]) -> list[Item]:
    """The items of a line that counts them: 1. red 2. green 3. blue."""
    for line in reversed(lines):
        marks = list(INLINE.finditer(text, line.start, line.end))
        start = next((index for index, mark in enumerate(marks) if mark["number"] == "1"), None)
        if start is None:
            continue
        marks = [mark for number, mark in enumerate(marks[start:], 1) if int(mark["number"]) == number]
        if len(marks) > 1:
            ends = [*(mark.start() for mark in marks[1:]), line.end]
            spans = [Span(start=mark.end(), end=end) for mark, end in zip(marks, ends, strict=True)]
            return cleaned(text, [without_joint(text, span) for span in spans])
    return []


def written(text: str, lines: Sequence[Span]) -> list[Item]:
    """The items of a list without brackets and marks: after a colon, on one line, or one a line."""
    if items := led(text, lines):
        return items
    if len(lines) == 1:
        return bare(text, lines[0])
    if all(num_words(text, line) <= MAX_WORDS_ALONE for line in lines) and not any(
        len(separated(text, line)) > 1 for line in lines[:-1]
    ):
        return cleaned(text, lines, are_lines=True)
    items = bare(text, lines[-1])
    return items if len(items) > 1 else []


def led(text: str, lines: Sequence[Span]) -> list[Item]:
    """The items behind the last colon that leads to a list, in its line or in the lines below it."""
    for number in range(len(lines) - 1, -1, -1):
        line = trimmed(text, lines[number])
        colons = list(COLON.finditer(text, line.start, min(line.end, line.start + MAX_LINE)))
        if not colons:
            continue
        if colons[-1].end() == line.end:
            return below(text, lines[number + 1 :])
        if not names_values(text, line, colons):
            rest = Span(start=colons[-1].end(), end=line.end)
            spans = separated(text, rest)
            if items := in_one_bracket(text, spans):
                return items
            return cleaned(text, spans) if len(spans) > 1 or num_words(text, rest) <= MAX_WORDS_ALONE else []
    return []


def names_values(text: str, line: Span, colons: Sequence[regex.Match[str]]) -> bool:
    """Whether colons stand in the items themselves: 'name: Ann, age: 5'."""
    starts = [colon.end() for colon in colons[:-1]]
    ends = [colon.start() for colon in colons[1:]]
    return (
        any(len(separated(text, Span(start=start, end=end))) > 1 for start, end in zip(starts, ends, strict=True))
        or line.end - line.start > MAX_LINE
    )


def below(text: str, lines: Sequence[Span]) -> list[Item]:
    """The items in the lines below a colon: the first line, if it holds several, else one a line."""
    if not lines:
        return []
    spans = separated(text, lines[0])
    if len(spans) > 1 and text[lines[0].start : lines[0].end].rstrip()[-1:] not in {",", ";"}:
        return cleaned(text, spans)
    block = [lines[0]]
    for line in lines[1:]:
        if num_words(text, line) > MAX_WORDS_BARE:
            break
        block.append(line)
    return cleaned(text, block, are_lines=True) if num_words(text, lines[0]) <= MAX_WORDS_BARE else []


def bare(text: str, line: Span) -> list[Item]:
    """The items of a line to which no colon leads; a few words alone are a list of one."""
    spans = separated(text, line)
    first = Span(start=spans[0].start, end=min(spans[0].end, spans[0].start + MAX_LINE))
    lead = LEAD.search(text, first.start, first.end)
    if lead is None and num_words(text, first) > 3 + max((num_words(text, span) for span in spans[1:]), default=99):
        lead = SUBJECT.search(text, first.start, first.end)
    if lead is not None:
        spans = [Span(start=lead.end(), end=spans[0].end), *spans[1:]]
    items = in_one_bracket(text, spans) or cleaned(text, spans)
    limit = MAX_WORDS_BARE if len(items) > 1 else MAX_WORDS_ALONE
    if len(spans) == 2 and is_joint(text[spans[0].end : spans[1].start]):
        limit = MAX_WORDS_JOINED
    return items if all(num_words(text, item.span) <= limit for item in items) else []


def in_one_bracket(text: str, spans: Sequence[Span]) -> list[Item]:
    """The items of a list in brackets, where that is all that a line holds behind what leads to it."""
    if len(spans) > 1:
        return []
    inner = inside(text, unwrapped(text, spans[0]))
    return [] if inner is None else cleaned(text, separated(text, inner, commas_only=True), is_quoted=True)


def is_joint(text: str) -> bool:
    """Whether nothing but `and` or `or` separates two items."""
    return JOINED.fullmatch(text.strip() + " ") is not None


def separated(text: str, span: Span, *, commas_only: bool = False) -> list[Span]:
    """The stretches between the separators of a line, those of the strongest kind; one where there are none."""
    found: dict[str, list[Span]] = {}
    joints: list[Span] = []
    for num_pieces, match in enumerate(PIECE.finditer(text, span.start, span.end)):
        if num_pieces > MAX_PIECES:
            return [span]
        place = Span(start=match.start(), end=match.end())
        if match["separator"]:
            kind = match["separator"].strip().replace("--", "-")
            found.setdefault(KINDS.get(kind, kind), []).append(place)
        elif match["joint"]:
            joints.append(place)
    kinds = (",", ";") if commas_only else ORDER
    kind = next((each for each in kinds if each in found), "")
    spans = between(span, found.get(kind, []))
    if commas_only:
        return spans
    last = trimmed(text, spans[-1])
    if JOINED.match(text, last.start, last.end) or kind not in {",", ""}:
        return [*spans[:-1], without_joint(text, last)]
    inner = [joint for joint in joints if joint.start >= last.start]
    if not inner or (kind == "" and len(inner) > 1):
        return spans
    return [*spans[:-1], *between(spans[-1], inner[-1:])]


def between(span: Span, separators: Sequence[Span]) -> list[Span]:
    """The stretches of a span that separators leave."""
    starts = [span.start, *(each.end for each in separators)]
    ends = [*(each.start for each in separators), span.end]
    return [Span(start=start, end=end) for start, end in zip(starts, ends, strict=True)]


def without_joint(text: str, span: Span) -> Span:
    """The span without a first `and`, and without a last one, or a comma, before the next item."""
    span = trimmed(text, span)
    joint = JOINED.match(text, span.start, span.end)
    start, end = joint.end() if joint else span.start, span.end
    piece = regex.sub(r"[,;]?(?:\s(?:and|or|&))?$", "", text[start:end].rstrip(), flags=regex.IGNORECASE)
    return Span(start=start, end=start + len(piece))
