"""What prompts are made of, in tokens: instruction, demonstrations, query, cue, and what a chat template adds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.generate import Tokenizer
from promptkit.prompt import Prompt

__all__ = ["SegmentTokens", "count_segments"]

SPECIAL = "special tokens"  # that the tokenizer puts around plain text
AT_ONCE = 256  # prompts whose places are held at one time


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTokens:
    """The tokens of all segments of one kind, over all prompts; `share` is that of the prompts' tokens."""

    kind: str
    num_tokens: int
    mean: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {
            "kind": self.kind,
            "num_tokens": self.num_tokens,
            "mean": round(self.mean, 3),
            "share": round(self.share, 4),
        }


def count_segments(prompts: Sequence[Prompt], tokenizer: Tokenizer) -> tuple[SegmentTokens, ...]:
    """The tokens of each kind of segment, in the order in which the kinds first stand.

    A token counts to the segment in which it begins, so that the kinds add up to the prompts.
    """
    counts: dict[str, int] = {}
    for start in range(0, len(prompts), AT_ONCE):
        some = prompts[start : start + AT_ONCE]
        places = tokenizer.starts_all([each.text for each in some], add_special_tokens=not some[0].is_chat)
        for prompt, starts in zip(some, places, strict=True):
            for kind, number in counted(prompt, starts):
                counts[kind] = counts.get(kind, 0) + number
    total = sum(counts.values())
    return tuple(
        SegmentTokens(kind=kind, num_tokens=number, mean=number / len(prompts), share=number / total)
        for kind, number in counts.items()
        if number
    )


def counted(prompt: Prompt, starts: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Each segment's kind, and how many tokens begin in it; a place below 0 is no place in the text."""
    inside = sorted(place for place in starts if place >= 0)
    yield SPECIAL, len(starts) - len(inside)
    cursor = 0
    for number, segment in enumerate(prompt.segments):
        is_last = number == len(prompt.segments) - 1
        end = len(inside) if is_last else bisect_left(inside, segment.span.end)
        yield segment.piece.kind, end - cursor
        cursor = end
