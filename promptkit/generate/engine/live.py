"""A row in progress: its slot, what of it is kept there, and what it guesses to write next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.generate.engine.draft import Drafter
from promptkit.generate.engine.layout import Part
from promptkit.generate.engine.stretch import Stretch
from promptkit.generate.row import Row

__all__ = ["Live"]


@dataclass(slots=True, kw_only=True)
class Live:
    """A row in its slot: `length` tokens of it are kept there, the first of them at the position `start`."""

    row: Row
    slot: int
    below: Stretch | None
    start: int
    length: int = 0
    drafter: Drafter | None = None
    following: int = -1  # the token that is taken, and not yet computed
    guesses: tuple[int, ...] = ()  # what may come after it
    num_right: int = 0  # of the last step's guesses
    is_entering: bool = True

    @property
    def own_prompt(self) -> Sequence[int]:
        """The tokens of its prompt that no other row shares."""
        return self.row.request.token_ids[self.start :]

    @property
    def computed(self) -> tuple[int, ...]:
        """Its first tokens, whose keys and values are kept: not the last one that it took."""
        tokens = (*self.row.request.token_ids, *self.row.text.token_ids)
        return tokens[: self.start + self.length]

    def keep(self) -> None:
        """Counts what the last step computed as kept: its token and the guesses that were right."""
        if not self.is_entering:
            self.length += 1 + self.num_right
        self.is_entering = False
        self.guesses = ()

    def part(self, token_ids: Sequence[int]) -> Part:
        """These next tokens of it, as a part of a pass."""
        places = range(self.length, self.length + len(token_ids))
        return Part(
            slot=self.slot,
            below=self.below,
            token_ids=token_ids,
            positions=[self.start + place for place in places],
            places=places,
            ranges=[((0, place + 1, self.start),) for place in places],
        )
