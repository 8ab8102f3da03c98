"""`conclusion`: the stretch of a text that says its answer, read by a chain of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import regex
from pydantic import Field

from promptkit.align.chain import Chain
from promptkit.align.ledger import Ledger, below
from promptkit.align.outcome import Found, Missing
from promptkit.align.sentences import has_full_stop, is_complete, is_inside
from promptkit.align.stated import Place, Stretch, stated_places
from promptkit.align.step import AlignStep, Steps
from promptkit.align.suggested import SUGGESTED, without_courtesy
from promptkit.spec.declaration import shorten

__all__ = ["Conclusion", "Sort"]

Sort = Literal["stated", "alone", "block", "opening", "last_line", "concluded", "bold", "computed", "last_sentence"]
EVERY_SORT: tuple[Sort, ...] = ("stated", "alone", "block", "last_line", "concluded", "bold")

MAX_PLACES = 12  # that are read; a text that states its answer more often repeats itself
MIN_SENTENCE = 3  # words; fewer are a phrase
MAX_HEADED = 12  # words of an answer after a bare `Answer:`
NEED_NO_END = ("alone", "block", "opening", "last_line")  # sorts of places that may stand in a text without a full stop
TAKEN_BACK = regex.compile(
    r"(?i)\b(?:that(?:'s|\u2019s| is| was| seems| can't be)|this is|i (?:was|am)|it's) (?:not (?:right|correct|true|possible)|wrong|incorrect)"
    r"|\b(?:i|i've|we) (?:have )?made (?:a|an|some) (?:mistake|error)|\bscratch that\b|\blet me (?:re-?do|start over|try again|reconsider|re-?calculate|re-?compute|correct)"
)
EXPLAINED = regex.compile(
    r"(?i)\s*+[*_#\s(\[]*+(?:explanation|reason|reasoning|justification|because|note|solution|steps|proof|working|details|rationale)\b"
)
COMPUTED = regex.compile(r"[=\u2248](?P<inside>[^=\u2248\n]{1,40})|^(?P<inside>[^\n]{1,40})$", regex.M)
MAX_LOOK_BACK = 2000  # characters before a last sentence
MARKS = regex.compile(
    r"[^\w\n]{0,12}(?:(?i:option|choice|answer)[^\w\n]{1,6})?(?:[A-Za-z][ ]?=[^\w\n]{0,6})?(?:(?:US|CA|AU|USD|EUR|Rs)[^\w\n]{0,3})?"
)


class Conclusion(AlignStep):
    r"""Finds where a text says its answer, and reads it there with a chain of one's own.

    Stated answers come first, the last of them before the others: `<answer>` tags, `\boxed{}`, `#### x`, a JSON field
    `answer`, words such as "the answer is" (not where they doubt, deny, ask or suppose). Only where nothing is stated,
    weaker places are read, in the order of `by`: a text that is nothing but its answer, one line in a fence or a
    displayed formula, its opening words, a last line of a few words, a last sentence that concludes ("So ...", "Therefore ..."), bold words near the end, a last sentence
    with what was computed before it (after `=`, or on a line of its own), any last sentence. A text that breaks off has
    no conclusion, and one that takes its answer back has lost it.
    """

    kind = "conclusion"
    main: ClassVar[str | None] = "read"

    read: Steps = Field(
        default=(), description="the chain that reads an answer in a place; the place's text if not given"
    )
    by: tuple[Sort, ...] = Field(
        default=EVERY_SORT,
        min_length=1,
        description="the sorts of places, in the order in which they are tried: stated, alone, block, opening, last_line, "
        "concluded, bold, computed, last_sentence",
    )
    stretch: Stretch = Field(
        default="sentence",
        description="how far an announced answer reaches: its sentence, its line, or the rest of the text",
    )

    @property
    def reader(self) -> Chain:
        """The chain that reads a place."""
        return Chain(self.read)

    def __call__(self, found: Found) -> Found | Missing:
        """What the chain reads in the first place in which it finds anything."""
        if not isinstance(found.value, str):
            return Missing(reason=f"{self.kind} reads text, not {shorten(found.value)}")
        text: str = found.value
        ledger: Ledger = ()
        misses: list[Missing] = []
        stated = stated_places(text, self.stretch)[:MAX_PLACES]
        for place in self.places(text, stated, is_cut=found.context.ended == "length"):
            result = self.read_place(found, place)
            ledger += result.ledger
            if isinstance(result, Found) or result.is_ambiguous or result.is_cut:
                return replace(result, ledger=ledger)
            misses.append(result)
        reason = "; ".join(dict.fromkeys(f"{miss.step.removeprefix(':')}: {miss.reason}" for miss in misses))
        return Missing(reason=reason or "nothing says what the answer is", ledger=ledger)

    def read_place(self, found: Found, place: Place) -> Found | Missing:
        """What the chain reads in one place. The step's name has the sort: `conclusion:announced`."""
        result = self.reader(found.part(place.span.start, place.span.end))
        ledger: Ledger = below(f":{place.sort}", result.ledger)
        result = replace(result, step=f":{place.sort}{result.step}", ledger=ledger)
        if isinstance(result, Missing):
            return result
        objection = self.objection(found, place, result)
        if objection is not None:
            return replace(objection, step=f":{place.sort}", ledger=ledger)
        return result

    def objection(self, found: Found, place: Place, result: Found) -> Missing | None:
        """Why what was read in a place is not the text's answer all the same; None where it is."""
        part = found.part(place.span.start, place.span.end)
        if place.is_header and not stands_alone(found.value, place, result, part):
            return Missing(reason="introduces more than an answer")
        if (place.sort == "opening" or place.is_fence) and not begins_with(result, part):
            return Missing(reason="does not open with an answer")
        if place.sort in ("alone", "last_line") and not is_phrase(result, part):
            return Missing(reason="breaks off")
        if place.sort == "computed" and not self.was_computed(found, place, result):
            return Missing(reason="was not computed before")
        is_last = part.is_verbatim and result.span.end == found.span.end
        if is_last and found.context.ended == "length" and place.sort not in ("tag", "boxed"):
            return Missing(reason="the answer may be cut", is_cut=True)
        return None

    def was_computed(self, found: Found, place: Place, result: Found) -> bool:
        """Whether the text before the place comes to the same value, after an equals sign or on a line of its own."""
        start = max(0, place.span.start - MAX_LOOK_BACK)
        matches = list(COMPUTED.finditer(found.value, start, place.span.start))[-MAX_PLACES:]
        results = [self.reader(found.part(*match.span("inside"))) for match in matches]
        return any(isinstance(each, Found) and each.value == result.value for each in results)

    def places(self, text: str, stated: Sequence[Place], *, is_cut: bool) -> Iterator[Place]:
        """The places that are read, in order. Of a text that was cut, only what it states is its answer."""
        last = stated[0].span if stated else None
        taken_back = last is not None and TAKEN_BACK.search(text, last.end) is not None
        start, text = last.end if last else 0, without_courtesy(text)
        is_cut = is_cut or is_inside(text)
        for sort in self.by:
            if sort == "stated":
                yield from () if taken_back else stated
            elif is_cut:
                continue
            elif is_complete(text) or sort in NEED_NO_END:
                yield from SUGGESTED[sort](text, start)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The target as the chain that reads writes it."""
        return self.reader.align_target(target, fields)


def stands_alone(text: str, place: Place, result: Found, part: Found) -> bool:
    """Whether what a bare `Answer:` introduces is an answer: it begins with one, or nothing but an explanation follows."""
    words = len(text[place.span.start : place.span.end].split())
    rest = text[place.span.end :]
    is_short = words <= MAX_HEADED
    follows_nothing = not rest.strip() or EXPLAINED.match(rest) is not None
    return (is_short and begins_with(result, part)) or follows_nothing


def begins_with(result: Found, part: Found) -> bool:
    """Whether the answer stands at the very beginning of the place, but for marks, currencies and `x =`."""
    return not part.is_verbatim or MARKS.fullmatch(part.value[: result.span.start - part.span.start]) is not None


def is_phrase(result: Found, part: Found) -> bool:
    """Whether a line without a full stop is an answer and not the beginning of a sentence: `42 apples`, `Total: 42`."""
    words: str = part.value
    if not part.is_verbatim or has_full_stop(words) or len(words.split()) < MIN_SENTENCE or begins_with(result, part):
        return True
    before = words[: result.span.start - part.span.start].rstrip(" \t*_`$\\([{\"'")
    return before.endswith((":", "=", "\u2248", "\u2192"))
