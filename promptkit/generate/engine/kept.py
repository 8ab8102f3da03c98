"""What was computed of earlier requests, kept for later ones that begin alike: the transcripts that stages go on from.

A request is matched by its tokens alone. What it has in common with any transcript is copied, or read where it lies, and
the rest is computed. Where the room is full, transcripts go that no request begins with for the longest time, and never
any that the present call began with; what then finds no room is not kept, and is computed again.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from promptkit.generate.engine.stretch import Slots, Stretch
from promptkit.generate.engine.transfer import Piece, fill_slot, fill_stretch, taken_out
from promptkit.generate.engine.tree import MIN_STRETCH, Node, num_common

__all__ = ["Kept"]


@dataclass(slots=True, eq=False, kw_only=True)
class Transcript:
    """Tokens that were computed, the last stretch of the chain that holds them, and the call that last had use of them."""

    token_ids: tuple[int, ...]
    leaf: Stretch
    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The transcript that has most in common with a row's tokens: the first `length` of them."""

    transcript: Transcript
    length: int

    def pieces(self, begin: int, end: int) -> list[Piece]:
        """Where the tokens at the positions [begin, end) lie, as far as they are found."""
        spans = [
            Piece(
                stretch=each,
                begin=max(begin, each.start) - each.start,
                end=min(end, each.end, self.length) - each.start,
            )
            for each in self.transcript.leaf.chain()
        ]
        return [each for each in spans if each.end > each.begin]


class Kept:
    """Transcripts in the order of their tokens; `room` is how many bytes they may take, None for as many as they like."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.num_bytes = 0
        self._transcripts: list[Transcript] = []
        self._holders: dict[Stretch, int] = {}  # how many transcripts hold a stretch
        self._call = 0

    def __len__(self) -> int:
        return len(self._transcripts)

    def begin(self, rows: Iterable[Sequence[int]]) -> None:
        """Begins a call with these rows: what they have use of stays till it ends."""
        self._call += 1
        if self._transcripts:
            for row in rows:
                self.find(row)

    def find(self, token_ids: Sequence[int]) -> Found | None:
        """The transcript that has most in common with the tokens; None where none has anything."""
        row = tuple(token_ids)
        place = bisect.bisect(self._transcripts, row, key=lambda each: each.token_ids)
        near = self._transcripts[max(0, place - 1) : place + 1]  # in this order one of the neighbours has most
        lengths = [num_common(each.token_ids, row) for each in near]
        if not any(lengths):
            return None
        length = max(lengths)
        found = near[lengths.index(length)]
        found.call = self._call
        return Found(transcript=found, length=length)

    def num_known(self, token_ids: Sequence[int]) -> int:
        """How many of the first tokens are kept."""
        found = self.find(token_ids) if self._transcripts else None
        return found.length if found else 0

    def stretch(self, node: Node, parent: Stretch | None) -> Stretch:
        """The stretch of a node: kept, in part kept, or not computed yet."""
        found = self.find([token for each in node.chain() for token in each.token_ids]) if self._transcripts else None
        pieces = found.pieces(node.start, node.end) if found else []
        if len(pieces) == 1 and len(pieces[0]) == len(node.token_ids) and pieces[0].stretch.can_lend(pieces[0].begin):
            return pieces[0].stretch.lent(node, parent, pieces[0].begin)
        made = Stretch(node, parent)
        if pieces:
            fill_stretch(made, pieces)
        return made

    def fill(self, slots: Slots, slot: int, token_ids: Sequence[int], start: int) -> int:
        """How many of a row's tokens from the position `start` on are kept, its last one never; the slot then has them.

        A few alone are not worth it.
        """
        found = self.find(token_ids) if self._transcripts else None
        pieces = found.pieces(start, len(token_ids) - 1) if found else []
        num = sum(map(len, pieces))
        if num < MIN_STRETCH and 2 * num < len(token_ids) - start:  # rows that begin with nothing kept enter faster
            return 0
        fill_slot(slots, slot, pieces)
        return num

    def add(self, token_ids: Sequence[int], below: Stretch | None) -> None:
        """Keeps a chain of computed stretches, which are the tokens', if there is room for it."""
        if below is not None:
            self._add(Transcript(token_ids=tuple(token_ids[: below.end]), leaf=below, call=self._call))

    def add_row(self, token_ids: Sequence[int], below: Stretch | None, slots: Slots, slot: int) -> None:
        """Keeps a row's chain, and a copy of what its slot has of the tokens after it, if there is room for them."""
        start = below.end if below else 0
        if self.num_known(token_ids) == len(token_ids):
            return
        copied = Node(parent=below.node if below else None, start=start, token_ids=tuple(token_ids[start:]), num_rows=1)
        try:
            if copied.token_ids and self._make_room(token_ids, below, slots.num_bytes(len(copied.token_ids))):
                leaf = taken_out(slots, slot, copied, below)
                self._add(Transcript(token_ids=tuple(token_ids), leaf=leaf, call=self._call))
                return
        except (MemoryError, OSError):  # the system gives no more
            self.room = self.num_bytes
        self.add(token_ids, below)

    def shrink(self, room: int | None) -> None:
        """Sets the room, and lets go what has no place in it."""
        self.room = room
        while self._transcripts and room is not None and self.num_bytes > room:
            self._drop(min(self._transcripts, key=lambda each: each.call))

    def let_go(self) -> None:
        """Lets everything go."""
        self._transcripts.clear()
        self._holders.clear()
        self.num_bytes = 0

    def _add(self, added: Transcript) -> None:
        """Keeps a transcript in place of the one that it goes on from, if it is new and there is room."""
        found = self.find(added.token_ids)
        if found is not None and found.length == len(added.token_ids):
            return
        if not self._make_room(added.token_ids, added.leaf):
            return
        ended = self._ended(added.token_ids)
        if ended is not None:
            self._drop(ended)
        for each in lenders(added.leaf):
            self.num_bytes += 0 if each in self._holders else each.num_bytes
            self._holders[each] = self._holders.get(each, 0) + 1
        bisect.insort(self._transcripts, added, key=lambda each: each.token_ids)

    def _ended(self, token_ids: Sequence[int]) -> Transcript | None:
        """The transcript that these tokens go on from, and need not be kept beside them."""
        found = self.find(token_ids)
        return found.transcript if found and found.length == len(found.transcript.token_ids) else None

    def _make_room(self, token_ids: Sequence[int], leaf: Stretch | None, num_bytes: int = 0) -> bool:
        """Whether there is room for a chain of stretches and so many bytes; transcripts without use may go for it."""
        if self.room is None:
            return True
        held, ended = lenders(leaf), self._ended(token_ids)
        given = [each for each in lenders(ended.leaf if ended else None) if self._holders[each] == 1]
        wanted = num_bytes + sum(each.num_bytes for each in held if each not in self._holders)
        wanted -= sum(each.num_bytes for each in given if each not in held)
        old = sorted((each for each in self._transcripts if each.call < self._call), key=lambda each: each.call)
        for each in old:
            if self.num_bytes + wanted <= self.room:
                break
            self._drop(each)
        return self.num_bytes + wanted <= self.room

    def _drop(self, transcript: Transcript) -> None:
        """Lets a transcript go, and the stretches that no other holds."""
        self._transcripts.remove(transcript)
        for each in lenders(transcript.leaf):
            self._holders[each] -= 1
            if not self._holders[each]:
                del self._holders[each]
                self.num_bytes -= each.num_bytes


def lenders(leaf: Stretch | None) -> dict[Stretch, None]:
    """The stretches whose memory a chain lies in."""
    return dict.fromkeys(each.lender or each for each in (leaf.chain() if leaf else ()))
