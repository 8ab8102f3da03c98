"""What the tokens of one forward pass attend to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from promptkit.generate.engine.stretch import LANES, Slots, Stretch

if TYPE_CHECKING:
    from promptkit.generate.engine.card.card import Card

__all__ = ["Fresh", "Grow", "Ints", "Over", "Own", "Part", "Pass", "offsets", "seen_ranges"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The packed tokens [first, last) attend to the first `length` tokens of a stretch, all of which come before."""

    stretch: Stretch
    length: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grow:
    """The packed tokens [first, last) are those of a stretch from `begin` on."""

    stretch: Stretch
    begin: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tokens of one slot in a pass, to be packed after one another.

    `places` says where in the slot each is kept; `ranges` what each attends to there: (from, to, position of `from`),
    in rising order, the last one ending with the token itself.
    """

    slot: int
    below: Stretch | None
    token_ids: Sequence[int]
    positions: Sequence[int]
    places: Sequence[int]
    ranges: Sequence[Sequence[tuple[int, int, int]]]


class Own:
    """The slots' side of a pass, as the arrays that the compiled loops read. Its tokens begin at `first`."""

    def __init__(self, slots: Slots, parts: Sequence[Part], first: int) -> None:
        counts = [len(part.token_ids) for part in parts]
        flat = [each for part in parts for ranges in part.ranges for each in ranges]
        per_token = [len(ranges) for part in parts for ranges in part.ranges]
        self.storage = slots
        self.first = first
        self.slots = np.array([part.slot for part in parts], np.int64)
        self.starts = offsets(counts)
        self.places = np.array([place for part in parts for place in part.places], np.int64)
        self.positions = np.array([position for part in parts for position in part.positions], np.int64)
        self.range_starts = offsets(per_token)
        self.spans = np.array(flat, np.int64).reshape(-1, 3)
        self.max_tokens = max(counts, default=0)
        self._ranges: dict[int | None, Ints] = {}

    def ranges(self, window: int | None) -> Ints:
        """What each token attends to (N, 2), no further back than a window of so many tokens."""
        if window not in self._ranges:
            self._ranges[window] = seen_ranges(self.spans, self.range_starts, self.positions, window)
        return self._ranges[window]


def seen_ranges(spans: Ints, range_starts: Ints, positions: Ints, window: int | None) -> Ints:
    """The places [from, to) (N, 2) of spans (from, to, position of `from`) that their tokens see through a window."""
    ranges = spans[:, :2].copy()
    if window is not None:
        token = np.repeat(np.arange(len(positions)), np.diff(range_starts))
        oldest = positions[token] - window + 1 - spans[:, 2] + ranges[:, 0]
        ranges[:, 0] = np.clip(oldest, ranges[:, 0], ranges[:, 1])
    return np.ascontiguousarray(ranges)


class Fresh:
    """Parts whose slots were empty: all that they attend to in them comes with this very pass, so they need not read it.

    They are padded to one length and attended to in one product.
    """

    def __init__(self, slots: Slots, parts: Sequence[Part], first: int, device: torch.device) -> None:
        self._counts = np.array([len(part.token_ids) for part in parts])
        self.storage = slots
        self.first = first
        self.length = -(-int(self._counts.max()) // LANES) * LANES
        self.slots = np.array([part.slot for part in parts], np.int64)
        self.starts = offsets(self._counts.tolist())
        self._parts = parts
        self._device = device
        self._masks: dict[tuple[int | None, int, torch.dtype], torch.Tensor] = {}

    @cached_property
    def token_of(self) -> torch.Tensor:
        """The token (J n) that stands at each place of the padded rows: padding repeats a row's last token."""
        columns = np.arange(self.length)
        token = self.starts[:-1, None] + np.minimum(columns[None, :], self._counts[:, None] - 1)
        return torch.from_numpy(token.reshape(-1)).to(self._device)

    @cached_property
    def place_of(self) -> torch.Tensor:
        """The place (T,) of each token among the padded rows."""
        here = np.concatenate([row * self.length + np.arange(count) for row, count in enumerate(self._counts)])
        return torch.from_numpy(here).to(self._device)

    @cached_property
    def own(self) -> Own:
        """The same parts as the compiled loops read them."""
        return Own(self.storage, self._parts, self.first)

    def mask(self, window: int | None, group: int, dtype: torch.dtype) -> torch.Tensor:
        """What is added to the scores (J, 1, n G, n): 0 where a token sees another, else -inf."""
        key = (window, group, dtype)
        if key not in self._masks:
            seen = np.zeros((len(self._parts), self.length, self.length), bool)
            for row, part in enumerate(self._parts):
                for token, (position, ranges) in enumerate(zip(part.positions, part.ranges, strict=True)):
                    for start, end, begins_at in ranges:
                        oldest = 0 if window is None else max(0, position - window + 1 - begins_at)
                        seen[row, token, start + min(oldest, end - start) : end] = True
                seen[row, len(part.token_ids) :, 0] = True
            shown = torch.from_numpy(seen).to(self._device)
            mask = torch.zeros(shown.shape, dtype=dtype, device=shown.device).masked_fill_(~shown, -torch.inf)
            self._masks[key] = mask.repeat_interleave(group, dim=1)[:, None]
        return self._masks[key]


def offsets(counts: Iterable[int]) -> Ints:
    """Where each of several runs begins in a sequence of them all, and where the last ends.

    >>> offsets([2, 3]).tolist()
    [0, 2, 5]
    """
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.fromiter(counts, np.int64))])


@dataclass(kw_only=True)
class Pass:
    """The tokens of one forward pass, packed without padding: those of stretches, of empty slots, of others."""

    device: torch.device
    card: Card | None = None  # what computes its attention, where it is not computed by torch's products and loops
    token_ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    grow: list[Grow] = field(default_factory=list)
    over: list[Over] = field(default_factory=list)
    parts: list[tuple[Slots, Part, int]] = field(default_factory=list)  # of slots, and where each begins
    fresh: Fresh | None = None
    own: Own | None = None
    is_step: bool = False  # of decoding: a token of each live row, and its guesses, whose logits are all asked for
    wanted: list[int] = field(default_factory=list)  # the packed tokens whose logits are asked for
    lent: dict[Any, Any] = field(default_factory=dict)  # room to work in, which outlives the pass
    kept: dict[Any, Any] = field(default_factory=dict)  # what its layers make once and use again, by whoever makes it

    def __len__(self) -> int:
        return len(self.token_ids)

    def add_stretch(self, stretch: Stretch, num: int) -> None:
        """Adds the next `num` tokens of a stretch."""
        first, begin = len(self), stretch.num_done
        last = first + num
        self.token_ids += stretch.node.token_ids[begin : begin + num]
        self.positions += range(stretch.start + begin, stretch.start + begin + num)
        self.grow.append(Grow(stretch=stretch, begin=begin, first=first, last=last))
        for above in stretch.chain()[:-1]:
            self.over.append(Over(stretch=above, length=len(above), first=first, last=last))
        if begin:
            self.over.append(Over(stretch=stretch, length=begin, first=first, last=last))

    def add_fresh(self, slots: Slots, parts: Sequence[Part]) -> None:
        """Adds the first tokens of empty slots, whose places are 0, 1, ...; see `add_parts`."""
        if parts and self.card is None:
            self.fresh = Fresh(slots, parts, len(self), self.device)
        self._pack(slots, parts)

    def add_parts(self, slots: Slots, parts: Sequence[Part]) -> None:
        """Adds the tokens of slots. Parts below the same stretch should stand together: they then attend as one."""
        if parts and self.card is None:
            self.own = Own(slots, parts, len(self))
        self._pack(slots, parts)

    def _pack(self, slots: Slots, parts: Sequence[Part]) -> None:
        open_overs: dict[Stretch, tuple[int, int]] = {}
        for part in parts:
            start = len(self)
            self.parts.append((slots, part, start))
            self.token_ids += part.token_ids
            self.positions += part.positions
            for stretch in part.below.chain() if part.below else ():
                begun, ended = open_overs.get(stretch, (start, start))
                if ended != start:
                    self._close(stretch, begun, ended)
                    begun = start
                open_overs[stretch] = (begun, len(self))
        for stretch, (begun, ended) in open_overs.items():
            self._close(stretch, begun, ended)

    def _close(self, stretch: Stretch, first: int, last: int) -> None:
        self.over.append(Over(stretch=stretch, length=len(stretch), first=first, last=last))

    @cached_property
    def position_ids(self) -> torch.Tensor:
        """The tokens' positions (T,), int64."""
        return torch.tensor(self.positions, device=self.device)

    def window_mask(self, over: Over, window: int | None) -> torch.Tensor | None:
        """Which of the stretch's tokens (t, n) each of the tokens sees through the window; None for all."""
        if window is None:
            return None
        newest = max(self.positions[over.first : over.last])
        if over.stretch.start > newest - window:
            return None
        seen = self.position_ids[over.first : over.last, None] - window
        kept = torch.arange(over.stretch.start, over.stretch.start + over.length, device=self.device)
        return kept[None, :] > seen
