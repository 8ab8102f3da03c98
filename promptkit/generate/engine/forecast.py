"""What a run will compute, from its requests alone: what is shared, what is read, what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from promptkit.generate.engine.branches import Branches
from promptkit.generate.engine.demand import Demand
from promptkit.generate.engine.tree import Node
from promptkit.generate.request import Request
from promptkit.generate.speed import Speed

__all__ = ["Expected", "Forecast", "Shared"]

NUM_LARGEST = 5  # shared stretches that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A stretch of tokens that rows have in common: how many rows, and how many stretches stand above it."""

    num_rows: int
    level: int
    start: int
    token_ids: tuple[int, ...]

    @classmethod
    def of(cls, node: Node, level: int) -> Self:
        """What a node of the tree shares."""
        return cls(num_rows=node.num_rows, level=level, start=node.start, token_ids=node.token_ids)

    @property
    def num_saved(self) -> int:
        """The tokens that are not computed again."""
        return len(self.token_ids) * (self.num_rows - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Seconds, at the measured speed. `decode_s` is for rows that all write to their limit: most end before."""

    prefill_s: float | None
    decode_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What requests, all of text or all of options, will take.

    `num_alone` counts the tokens that are read where each request, and each option, is computed for itself;
    `num_computed` those that are read with what is shared computed once. `largest` are the stretches that save most.
    """

    num_requests: int = 0
    num_prompt_tokens: int = 0
    num_alone: int = 0
    num_computed: int = 0
    max_new_tokens: int = 0
    num_stretches: int = 0
    num_levels: int = 0
    largest: tuple[Shared, ...] = ()

    @classmethod
    def of(cls, requests: Sequence[Request]) -> Self:
        """The forecast of these requests; of none it is all zero."""
        if not requests:
            return cls()
        demand = Demand.of(requests)
        tree = demand.tree
        levels: dict[Node | None, int] = {None: 0}
        for node in tree.nodes:
            levels[node] = levels[node.parent] + 1
        stretches = [Shared.of(node, levels[node]) for node in tree.nodes if node.num_rows > 1]
        num_alone, num_computed = tree.num_tokens, tree.num_computed
        if demand.is_scored:
            num_alone = sum(len(ids) for each in requests for ids in each.option_token_ids)
            num_computed = sum(len(node.token_ids) for node in tree.nodes)
            num_computed += sum(len(Branches.of(each, tree.shared(row))) for row, each in enumerate(requests))
        return cls(
            num_requests=len(requests),
            num_prompt_tokens=sum(len(each.token_ids) for each in requests),
            num_alone=num_alone,
            num_computed=num_computed,
            max_new_tokens=0 if demand.is_scored else sum(each.max_tokens for each in requests),
            num_stretches=len(stretches),
            num_levels=max((each.level for each in stretches), default=0),
            largest=tuple(sorted(stretches, key=lambda each: -each.num_saved)[:NUM_LARGEST]),
        )

    @property
    def sharing(self) -> float:
        """How many times more tokens would be read without sharing; 1 where nothing is read."""
        return self.num_alone / self.num_computed if self.num_computed else 1.0

    def expected(self, speed: Speed, more_new_tokens: int = 0) -> Expected:
        """The time that it takes at this speed; with tokens that later requests write, if there are any."""

        def seconds(tokens: int, rate: float | None) -> float | None:
            if not tokens:
                return 0.0
            return tokens / rate if rate else None

        return Expected(
            prefill_s=seconds(self.num_computed, speed.prefill),
            decode_s=seconds(self.max_new_tokens + more_new_tokens, speed.decode),
        )
