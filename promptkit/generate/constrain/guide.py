"""Rows under a constraint: where each of them stands in it, and the masks for what it may take next.

The grammars are followed by llguidance, for all rows at once and in a thread of its own, while the model computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Protocol

import numpy as np
from llguidance import LLExecutor, LLMatcher, LLTokenizer

from promptkit.errors import GenerationError
from promptkit.generate.constrain.constraint import Constraint
from promptkit.generate.constrain.mask import Mask, Words
from promptkit.generate.think.thinker import Thinker
from promptkit.generate.tokenizer import Tokenizer

__all__ = ["Guesser", "Guide", "Guides", "Wanted"]

# Tokens that are nothing but these are looked at together, so that the mask of a plain sentence takes a third of the time
SLICES = (r"[^\n.]{1,10}", r"[A-Za-z ]{1,10}")
MAX_KEPT = 512  # grammars that are kept ready


class Guesser(Protocol):
    """What guesses a row's next tokens."""

    def guess(self, most: int) -> list[int]:
        """At most so many tokens."""


class Guide:
    """Where one row stands in its constraint."""

    def __init__(self, label: str, constraint: Constraint, matcher: LLMatcher, tokenizer: Tokenizer) -> None:
        self.matcher = matcher
        self.has_begun = not constraint.after
        self._label = label
        self._tokenizer = tokenizer
        self._has_text = False  # under the constraint; a blank text has no answer, and so is no end
        self._after = constraint.after
        self._window = 4 * len(constraint.after) + 4  # a character takes at most four tokens
        self._recent: list[int] = []
        self.is_followed = True  # False once what was written may only be the thinking's opening tag
        self.opening: int | None = None  # a token that may come as well, since it would open the row's thinking

    @cached_property
    def _tag(self) -> int | None:
        """The token that is the text with which the constraint begins, where it is one: its text may not be decoded."""
        tokens = self._tokenizer.encode(self._after, add_special_tokens=False)
        return tokens[0] if len(tokens) == 1 else None

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow."""
        return self.has_begun and self.matcher.is_stopped()

    def take(self, token: int) -> None:
        """Takes the row's next token, which ends no text. Raises `GenerationError` where the grammar is too much."""
        if not self.has_begun:
            self._look(token)
            return
        self._has_text = self._has_text or self.is_text(token)
        if not self.matcher.consume_token(token):
            raise GenerationError(f"{self._label}: the constraint cannot be followed: {self.matcher.get_error()}")

    def follow(self, thinker: Thinker, token: int | None = None) -> None:
        """Goes with a row's thinking, whose newest token this is: the constraint is for what follows the thinking.

        Until it is known whether the row thinks at all, it may write what the constraint allows, or open its thinking.
        """
        if thinker.is_thinking:
            self.matcher.reset()
            self.has_begun = False
            if thinker.is_done and not self.begin(thinker.rest()):
                thinker.begin_here()
        elif token is not None:
            self._has_text = self._has_text or self.is_text(token)
            self.is_followed = self.is_followed and self.matcher.try_consume_tokens([token]) == 1
        self.opening = thinker.opening

    def begin(self, rest: str) -> bool:
        """Begins the constraint; whether `rest`, which is written already, is the beginning of what it allows."""
        self.has_begun = self.is_followed = True
        tokens = list(self._tokenizer.encode(rest, add_special_tokens=False)) if rest.strip() else []
        self._has_text = bool(tokens)
        if self.matcher.try_consume_tokens(tokens) == len(tokens):
            return True
        self.matcher.reset()
        self._has_text = False
        return False

    def is_text(self, token: int) -> bool:
        """Whether a token is more than white space."""
        return bool(self._tokenizer.decode([token]).strip())

    def _look(self, token: int) -> None:
        """Looks for the text with which the constraint begins; what the same token brings after it counts already."""
        self._recent = [*self._recent[-self._window :], token]
        _, found, rest = self._tokenizer.decode(self._recent).partition(self._after)
        if found or token == self._tag:
            self.begin(rest)

    def guesses(self, guesser: Guesser, most: int) -> list[int]:
        """Tokens that may come next, all of which the constraint allows: those that it leaves no choice about, or else
        what a row's own guesser says. None that would begin the constraint: what follows it is not known before.
        """
        if most <= 0:
            return []
        if not self.has_begun:
            known = guesser.guess(most)
            ends = (place for place, each in enumerate(known) if self._may_begin(each))
            return known[: next(ends, len(known))]
        known = self.matcher.compute_ff_tokens()[:most] or guesser.guess(most)
        return known[: self.matcher.validate_tokens(known)]

    def _may_begin(self, token: int) -> bool:
        return token == self._tag or self._after[-1] in self._tokenizer.decode([token])

    def has_text(self, guesses: Sequence[int]) -> bool:
        """Whether there is text under the constraint once these are taken."""
        return self._has_text or any(map(self.is_text, guesses))


Wanted = tuple[int, Guide, Sequence[int]]  # a line, the row's guide, and the guesses whose lines follow it


class Guides:
    """The constraints of one model's rows. `eos` are the tokens that end a text."""

    def __init__(self, tokenizer: Tokenizer, eos: frozenset[int]) -> None:
        backend = getattr(tokenizer, "backend", None)
        if backend is None:
            raise GenerationError("a constraint needs a model whose tokenizer is known")
        self._tokenizer = tokenizer
        slices = [*LLTokenizer.general_slices(), *SLICES]
        self._vocabulary = LLTokenizer(backend.to_str(), eos_token=sorted(eos) or None, slices=slices)
        self._ends = sorted(self._vocabulary.eos_tokens)
        self._ready: dict[str, LLMatcher] = {}
        self._executor = LLExecutor()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="promptkit-constrain")

    def guide(self, label: str, constraint: Constraint) -> Guide:
        """The guide of a row that has no token yet. Raises `GenerationError` where the grammar is too much."""
        ready = self._ready.get(constraint.lark)
        if ready is None:
            if len(self._ready) >= MAX_KEPT:
                self._ready.clear()
            ready = LLMatcher(self._vocabulary, LLMatcher.grammar_from_lark(constraint.lark))
            if ready.is_error():
                raise GenerationError(f"{label}: the constraint cannot be followed: {ready.get_error()}")
            self._ready[constraint.lark] = ready
        return Guide(label, constraint, ready.deep_copy(), self._tokenizer)

    def begin(self, wanted: Sequence[Wanted]) -> Future[Mapping[int, Mask]]:
        """The masks of these lines, which are computed from now on; until they are there, the guides take no token."""
        return self._thread.submit(self.masks, wanted)

    def masks(self, wanted: Iterable[Wanted]) -> Mapping[int, Mask]:
        """The mask of each line of rows whose constraint has begun."""
        begun = [each for each in wanted if each[1].has_begun]
        num = sum(1 + len(guesses) for _, _, guesses in begun)
        words = np.zeros((num, -(-self._vocabulary.vocab_size // 32)), np.uint32)
        plain: list[tuple[LLMatcher, int]] = []
        guessing: list[tuple[LLMatcher, int, list[int]]] = []
        lines: list[Wanted] = []
        for line, guide, guesses in begun:
            if guesses:
                guessing.append((guide.matcher, len(lines), list(guesses)))
            elif guide.is_followed:
                plain.append((guide.matcher, len(lines)))
            lines += [(line + place, guide, guesses[:place]) for place in range(1 + len(guesses))]
        target = (words.ctypes.data, words.shape[1] * 4, num)
        if plain:
            self._executor.unsafe_compute_mask_ptr(plain, *target)
        if guessing:
            self._executor.unsafe_compute_mask_ptr_with_draft_token(guessing, *target)
        return {
            line: self._mask(words[row], guide.has_text(before), guide.opening)
            for row, (line, guide, before) in enumerate(lines)
        }

    def _mask(self, words: Words, has_text: bool, opening: int | None) -> Mask:
        """The mask that llguidance wrote, in which a text may end that is not blank, and `opening` may come as well."""
        ends = [token for token in self._ends if Mask(words=words, end=None).allows(token)]
        if not has_text:
            for token in ends:
                words[token >> 5] &= np.uint32(~(1 << (token & 31)) & 0xFFFFFFFF)
        if opening is not None:
            words[opening >> 5] |= np.uint32(1 << (opening & 31))
        return Mask(words=words, end=ends[0] if ends and has_text else None)
