"""Whether a completion that is being written holds its answer already, whatever text follows."""

from __future__ import annotations

from collections.abc import Sequence

from promptkit.generate.request import Request

__all__ = ["is_answered", "without_begun_stop"]

INCOMPLETE = "\N{REPLACEMENT CHARACTER}"  # what the first bytes of a character are decoded to


def is_answered(request: Request, text: str) -> bool:
    """Whether the request's rule says so of its completion's text so far, in which no stop string is complete.

    What may yet be cut off is not shown to the rule: the text's end may be a stop string's beginning.
    """
    if request.settled is None or not text or text.endswith(INCOMPLETE):
        return False
    return request.settled(without_begun_stop(text, request.sampling.stop))


def without_begun_stop(text: str, stop: Sequence[str]) -> str:
    r"""The text without the longest end of it that a stop string begins with: it stays, whatever follows.

    >>> without_begun_stop("It is 7.\n", ["\n\nQ:"])
    'It is 7.'
    """
    longest = min(len(text), max(map(len, stop), default=1) - 1)
    begun = (size for size in range(longest, 0, -1) if any(each.startswith(text[-size:]) for each in stop))
    return text[: len(text) - next(begun, 0)]
