"""One context and the options after it, as a small tree of tokens: what options begin with is computed once, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from promptkit.generate.engine.tree import Tree, grow_tree, num_common
from promptkit.generate.request import Completion, OptionScore, Request

if TYPE_CHECKING:
    from promptkit.generate.engine.layout import Part
    from promptkit.generate.engine.stretch import Stretch

__all__ = ["LONG_CONTEXT", "Asked", "Branches", "grow_contexts", "shared_length"]

LONG_CONTEXT = 256  # tokens of one context alone that are worth large products, where nothing is decoded after it

Ranges = tuple[tuple[int, int, int], ...]


@dataclass(slots=True, kw_only=True)
class Branches:
    """The options of a request, token by token, from the position `start` on: those before it are shared with others.

    `place_of[option]` says where each of the option's tokens is kept; `ranges` what each kept token attends to.
    """

    start: int
    token_ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    ranges: list[Ranges] = field(default_factory=list)
    place_of: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request, start: int) -> Branches:
        """The tree of all that the model must read to score the request's options: each without its last token."""
        inputs = [ids[:-1] for ids in request.option_token_ids]
        made = cls(start=start)
        by_text = sorted(range(len(inputs)), key=lambda number: inputs[number])
        pending: list[tuple[int, int, int, Ranges, list[int]]] = [(0, len(by_text), start, (), [])]
        while pending:
            first, last, depth, above, places = pending.pop()
            group = by_text[first:last]
            agreed = min(num_common(inputs[group[0]], inputs[group[-1]]), *(len(inputs[each]) for each in group))
            own = made.add(inputs[group[0]][depth:agreed], depth, above)
            here = [*places, *own]
            ranges = joined(above, (own.start, own.stop, depth)) if own else above
            for begin, end in parts_at(inputs, by_text, first, last, agreed):
                option = by_text[begin]
                if end - begin == 1 and len(inputs[option]) == agreed:
                    made.place_of[option] = here
                else:
                    pending.append((begin, end, agreed, ranges, here))
        return made

    def add(self, token_ids: Sequence[int], position: int, above: Ranges) -> range:
        """Adds tokens that follow one another, below `above`; their places."""
        begin = len(self.token_ids)
        self.token_ids += token_ids
        self.positions += range(position, position + len(token_ids))
        for number in range(len(token_ids)):
            self.ranges.append(joined(above, (begin, begin + number + 1, position)))
        return range(begin, begin + len(token_ids))

    def __len__(self) -> int:
        return len(self.token_ids)

    def part(self, slot: int, below: Stretch | None) -> Part:
        """All of it, as a part of a pass."""
        from promptkit.generate.engine.layout import Part  # noqa: PLC0415 - imports torch, and a forecast needs none

        return Part(
            slot=slot,
            below=below,
            token_ids=self.token_ids,
            positions=self.positions,
            places=range(len(self)),
            ranges=self.ranges,
        )


def joined(above: Ranges, own: tuple[int, int, int]) -> Ranges:
    """The ranges with one more, which goes on where the last one ends if it can."""
    if above and above[-1][1] == own[0] and own[2] - above[-1][2] == own[0] - above[-1][0]:
        return (*above[:-1], (above[-1][0], own[1], above[-1][2]))
    return (*above, own)


def parts_at(
    inputs: Sequence[Sequence[int]], by_text: Sequence[int], first: int, last: int, depth: int
) -> list[tuple[int, int]]:
    """Runs [begin, end) of sorted inputs that go on alike after `depth` tokens; each that ends there stands alone."""
    parts: list[tuple[int, int]] = []
    begin = first
    for place in range(first, last):
        here = inputs[by_text[place]]
        after = inputs[by_text[place + 1]] if place + 1 < last else ()
        if len(here) <= depth or len(after) <= depth or here[depth] != after[depth]:
            parts.append((begin, place + 1))
            begin = place + 1
    return parts


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request's options on their way through a pass."""

    index: int
    request: Request
    start: int  # the first token that is scored
    branches: Branches

    def wanted(self) -> dict[int, list[int]]:
        """The kept tokens whose logits are asked for, each with the tokens that may follow it."""
        following: dict[int, list[int]] = {}
        for option, ids in enumerate(self.request.option_token_ids):
            for position in range(self.start, len(ids)):
                place = self.branches.place_of[option][position - 1 - self.branches.start]
                tokens = following.setdefault(place, [])
                if ids[position] not in tokens:
                    tokens.append(ids[position])
        return following

    def completion(self, shares: dict[tuple[int, int], float]) -> Completion:
        """The completion, from the log-likelihood of each token after each kept one."""
        scores = []
        for option, (text, ids) in enumerate(zip(self.request.options, self.request.option_token_ids, strict=True)):
            places = self.branches.place_of[option]
            value = sum(
                shares[places[position - 1 - self.branches.start], ids[position]]
                for position in range(self.start, len(ids))
            )
            scores.append(OptionScore(text=text, log_likelihood=value, num_tokens=len(ids) - self.start))
        best = max(scores, key=lambda each: each.log_likelihood)
        return Completion(text=best.text, ended="scored", options=tuple(scores))


def grow_contexts(
    requests: Sequence[Request], *, is_shared: bool = True, num_known: Callable[[Sequence[int]], int] | None = None
) -> tuple[Tree, list[int]]:
    """The tree of what stands before the options of requests, and the position at which each one's options begin.

    `num_known` says how many of a row's first tokens are kept from earlier requests. Those, and all of what is to be kept,
    are in stretches.
    """
    begins = [shared_length([request.token_ids, *request.option_token_ids]) for request in requests]
    contexts = [request.option_token_ids[0][:begin] for begin, request in zip(begins, requests, strict=True)]
    apart = [len(each) if request.keeps else 0 for each, request in zip(contexts, requests, strict=True)]
    if num_known is not None:
        apart = [max(num, num_known(each)) for num, each in zip(apart, contexts, strict=True)]
    tree = grow_tree(contexts, is_shared=is_shared, long_remainder=LONG_CONTEXT, apart=apart if any(apart) else ())
    return tree, begins


def shared_length(rows: Sequence[Sequence[int]]) -> int:
    """How many tokens all rows begin with in common, at the most one less than the shortest of the options has."""
    longest = min(len(rows[0]), *(len(row) - 1 for row in rows[1:]))
    for place in range(longest):
        if len({row[place] for row in rows}) > 1:
            return place
    return longest
