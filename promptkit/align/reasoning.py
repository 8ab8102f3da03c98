"""`reasoning`: the answer of a reasoning model, apart from its thinking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import regex
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.align.outcome import Capture, Found, Missing
from promptkit.align.step import ItemStep
from promptkit.text import Span

__all__ = ["Reasoning"]

THINKING = "thinking"
NEVER = "the thinking never closes"
KNOWN_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    (
        "\N{WHITE LEFT-POINTING TRIANGLE}think\N{WHITE RIGHT-POINTING TRIANGLE}",
        "\N{WHITE LEFT-POINTING TRIANGLE}/think\N{WHITE RIGHT-POINTING TRIANGLE}",
    ),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
# What only stands around an answer: a model's frame, not a part of what it says.
FRAME_BEGINS = ("<|begin_of_solution|>", "<|START_RESPONSE|>", "<response>", "<output>")
FRAME_ENDS: tuple[str, ...] = (
    "<|end_of_solution|>",
    "<|END_RESPONSE|>",
    "</response>",
    "</output>",
    "<|return|>",
    "<|im_end|>",
)
FRAME_ENDS += ("<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "</s>", "<|end|>", "<eos>", "<end_of_turn>")
# gpt-oss without its special tokens: the names of its channels run into the text
BARE_CHANNELS = ("analysis", "assistantfinal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Where a tag stands, and whether it opens or closes the thinking."""

    start: int
    end: int
    opens: bool


class Reasoning(ItemStep):
    """Parts the answer from the thinking before it, by the model's own tags; the thinking is captured as `thinking`.

    The answer is what follows the last tag that closes, so thinking that was opened in the prompt, several pieces of
    thinking and nested ones are all left out. Thinking that never closes has no answer: what stands in it was not said.
    A text without tags is all answer. Where `generate.thinking` is declared, what it says of the tags goes before `tags`.
    """

    kind = "reasoning"
    main: ClassVar[str | None] = "tags"

    tags: tuple[tuple[str, str], ...] = Field(
        default=KNOWN_TAGS,
        min_length=1,
        description="pairs of what opens and what closes the thinking; those of the known reasoning models if not given",
    )

    @field_validator("tags")
    @classmethod
    def _are_texts(cls, tags: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if not all(opening and closing for opening, closing in tags):
            raise PydanticCustomError("tags", "a tag must not be empty")
        return tags

    @cached_property
    def closing(self) -> frozenset[str]:
        """The tags that close, in small letters."""
        return frozenset(closing.casefold() for _, closing in self.tags)

    @cached_property
    def pattern(self) -> regex.Pattern[str]:
        """Any tag."""
        every = sorted({tag for pair in self.tags for tag in pair}, key=len, reverse=True)
        return regex.compile("|".join(map(regex.escape, every)), regex.IGNORECASE)

    def read(self, found: Found) -> Found | Missing:
        """The text after the thinking; all of it where there is none."""
        known = found.context.thinking
        if known is not None and known.is_open:
            return Missing(reason=NEVER, is_cut=True)
        if known is not None and found.is_verbatim and found.span.start <= known.end:
            return self.apart(found, known.end - found.span.start)
        tags = self.tags_in(found.value)
        return self.outside(found, tags) if tags else self.without_tags(found)

    def apart(self, found: Found, start: int) -> Found | Missing:
        """The text from where the answer is known to begin; more thinking that stands in it is left out as well."""
        text: str = found.value
        answer = found.part(start, len(text))
        if not answer.value.strip():
            return Missing(reason="nothing follows the thinking")
        if tags := self.tags_in(answer.value):
            return self.outside(answer, tags)
        inside = self.tags_in(text[:start])
        stretch = (
            inside[0].end if inside and inside[0].opens else 0,
            inside[-1].start if inside and not inside[-1].opens else start,
        )
        capture = Capture(value=text[slice(*stretch)], span=found.part(*stretch).span)
        return unframed(answer, 0, len(answer.value)).capturing({THINKING: capture})

    def outside(self, found: Found, tags: Sequence[Tag]) -> Found | Missing:
        """What stands after the last of the tags, or where nothing does, what stands before and between them."""
        text: str = found.value
        if tags[-1].opens:
            return Missing(reason=NEVER, is_cut=True)
        thinking, start = (tags[0].end if tags[0].opens else 0, tags[-1].start), tags[-1].end
        if not text[start:].strip():
            before = last_between(text, tags)
            if before is None:
                return Missing(reason="nothing follows the thinking")
            return unframed(found, *before)
        capture = Capture(value=text[slice(*thinking)], span=found.part(*thinking).span)
        return unframed(found, start, len(text)).capturing({THINKING: capture})

    def tags_in(self, text: str) -> Sequence[Tag]:
        """Every tag of a text, in order."""
        return [
            Tag(start=match.start(), end=match.end(), opens=match[0].casefold() not in self.closing)
            for match in self.pattern.finditer(text)
        ]

    def without_tags(self, found: Found) -> Found | Missing:
        """A text in which no tag stands: all answer, unless its thinking was opened before it."""
        text: str = found.value
        in_prompt = self.tags_in(found.context.prompt[-200:])
        if in_prompt and in_prompt[-1].opens and not found.context.prompt[-200:][in_prompt[-1].end :].strip():
            return Missing(reason="the thinking, opened in the prompt, never closes", is_cut=True)
        begins, ends = BARE_CHANNELS
        if text.lstrip().startswith(begins) and ends in text:
            return unframed(found, text.rindex(ends) + len(ends), len(text))
        return unframed(found, 0, len(text))


def last_between(text: str, tags: Sequence[Tag]) -> tuple[int, int] | None:
    """The last stretch with any text outside the thinking: before it, or between two pieces of it."""
    outside = [(0, tags[0].start)] if tags[0].opens else []
    outside += [(a.end, b.start) for a, b in pairwise(tags) if not a.opens and b.opens]
    said = [stretch for stretch in outside if text[slice(*stretch)].strip()]
    return said[-1] if said else None


def unframed(found: Found, start: int, end: int) -> Found:
    """The stretch without what a model's frame puts around an answer."""
    text: str = found.value
    stretch = Span(start=start, end=end)
    while True:
        inner = text[stretch.start : stretch.end]
        bare_start = inner.lstrip()
        first = next((tag for tag in FRAME_BEGINS if bare_start.startswith(tag)), "")
        bare_end = inner.rstrip()
        last = next((tag for tag in FRAME_ENDS if bare_end.endswith(tag)), "")
        if not (first or last) or len(bare_end) < len(first) + len(last):
            return found.part(stretch.start, stretch.end)
        start = stretch.start + (len(inner) - len(bare_start) + len(first) if first else 0)
        end = stretch.start + len(bare_end) - len(last) if last else stretch.end
        stretch = Span(start=start, end=max(start, end))
