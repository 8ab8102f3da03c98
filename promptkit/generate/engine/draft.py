"""Guesses at what a row writes next, taken from what was written before: cheap to check, exact by construction.

One pass computes a row's next token and the guesses after it; as many guesses count as the model itself would have
written. While few rows are live a pass costs what reading the weights costs, and rows that repeat themselves, which are
those that run to the limit, then advance several tokens a pass. Prompt lookup: Saxena 2023; Yang et al. 2023, section 3,
"Inference with Reference"; the check is that of Leviathan et al. 2023, section 2.3, for greedy decoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Drafter", "Seen"]

GRAM = 3  # tokens that must agree before a guess is made
MOST = 24  # guesses at once
PAUSE = 16  # steps without guesses after several that failed, at the most


class Seen:
    """Token ids, and where each run of `GRAM` of them was last followed by something."""

    def __init__(self, token_ids: Iterable[int] = (), before: Seen | None = None) -> None:
        self.token_ids: list[int] = []
        self._before = before
        self._last: dict[tuple[int, ...], int] = {}
        self.add(token_ids)

    def add(self, token_ids: Iterable[int]) -> None:
        """Takes more tokens."""
        for token in token_ids:
            if len(self.token_ids) >= GRAM:
                self._last[tuple(self.token_ids[-GRAM:])] = len(self.token_ids)
            self.token_ids.append(token)

    def after(self, gram: Sequence[int]) -> tuple[Seen, int] | None:
        """Where this run was last followed by something, here or in what came before."""
        place = self._last.get(tuple(gram))
        if place is not None:
            return self, place
        return self._before.after(gram) if self._before else None


class Drafter:
    """The guesses for one row: `seen` is what its tokens are looked up in, and what they are added to.

    >>> drafter = Drafter(Seen([5, 6, 7, 8, 9, 5, 6, 7]))
    >>> drafter.guess(2)
    [8, 9]
    """

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self._most = 2
        self._failures = 0
        self._pause = 0

    def guess(self, most: int) -> list[int]:
        """At most so many tokens that may come next; none where nothing is known, or where guesses failed of late."""
        if self._pause:
            self._pause -= 1
            return []
        found = self.seen.after(self.seen.token_ids[-GRAM:])
        if found is None:
            return []
        source, place = found
        known = source.token_ids[place : place + min(most, self._most)]
        if source is self.seen and known:
            while len(known) < min(most, self._most):  # what repeats itself goes on doing so
                known.append(known[len(known) - (len(source.token_ids) - place)])
        return known

    def learn(self, num_guessed: int, num_right: int) -> None:
        """Tells how many of the guesses were right: good ones lead to longer ones, bad ones to a pause."""
        if num_guessed and num_right == num_guessed:
            self._most = min(MOST, 2 * self._most)
            self._failures = 0
        elif num_guessed:
            self._most = max(1, num_right)
            self._failures = 0 if num_right else self._failures + 1
            self._pause = min(PAUSE, 2**self._failures - 1) if self._failures > 1 else 0
