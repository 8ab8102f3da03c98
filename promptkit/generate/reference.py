"""Plain batched generation and scoring through transformers' own forward pass: right before fast.

This is what any faster engine must equal. Rows are padded on the left, positions count from each row's own first
token, and a row that has ended leaves the batch with its keys and values.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from transformers import DynamicCache

from promptkit.generate.engine.branches import shared_length
from promptkit.generate.head import float32_head
from promptkit.generate.meter import Meter
from promptkit.generate.request import Completion, OptionScore, Request
from promptkit.generate.row import Row
from promptkit.generate.sampling import NO_MASKS, next_tokens
from promptkit.generate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from promptkit.generate.constrain.guide import Guides

__all__ = ["BATCH_SIZE", "Reference"]

BATCH_SIZE = 16


class Reference:
    """A loaded model, its tokenizer and the tokens that end a text."""

    def __init__(
        self, model: Any, tokenizer: Tokenizer, eos: frozenset[int], meter: Meter, *, batch_size: int = BATCH_SIZE
    ) -> None:
        self.batch_size = batch_size
        self.model = model
        self.tokenizer = tokenizer
        self.eos = eos
        self.meter = meter

    @cached_property
    def guides(self) -> Guides:
        """What constraints are followed with."""
        from promptkit.generate.constrain.guide import Guides  # noqa: PLC0415 - brings llguidance

        return Guides(self.tokenizer, self.eos)

    def complete(self, requests: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The requests' completions as they finish, each with its index, the longest prompts first."""
        for batch in self.batches(requests):
            yield from self.complete_batch(batch)

    def score(self, requests: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The log-likelihood of each option of each request, with its index."""
        for batch in self.batches(requests):
            yield from self.score_batch(batch)

    def batches(self, requests: Sequence[tuple[int, Request]]) -> Iterator[Sequence[tuple[int, Request]]]:
        """The requests, so many at a time, the longest prompts first."""
        ordered = sorted(requests, key=lambda each: -len(each[1].token_ids))
        for first in range(0, len(ordered), self.batch_size):
            yield ordered[first : first + self.batch_size]

    def take_less(self) -> bool:
        """Halves what is computed at once, and tells whether that was possible."""
        self.batch_size, before = max(1, self.batch_size // 2), self.batch_size
        return self.batch_size < before

    @property
    def num_at_once(self) -> int:
        """How many rows are computed at once."""
        return self.batch_size

    @torch.inference_mode()
    def complete_batch(self, batch: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The batch's completions as they finish, each with its request's index."""
        rows = [Row.start(index, request, self.tokenizer, lambda: self.guides) for index, request in batch]
        started = time.perf_counter()
        cache = DynamicCache(config=self.model.config)
        ids, mask = pad_left([row.request.token_ids for row in rows], self.model.device)
        logits = self.forward(ids, mask, cache)
        self.meter.prefill_s += time.perf_counter() - started
        self.meter.computed_prompt_tokens += int(mask.sum())
        while rows:
            started = time.perf_counter()
            guided = [(place, row.guide, ()) for place, row in enumerate(rows) if row.guide]
            masks = self.guides.masks(guided) if guided else NO_MASKS
            drawn = next_tokens(logits, [row.request.sampling for row in rows], [row.draw for row in rows], masks)
            tokens = [row.taken(token) for row, token in zip(rows, drawn, strict=True)]
            for row, line, token in zip(rows, logits, tokens, strict=True):
                if row.request.wants_likelihood:
                    row.weigh(line, token)
            endings = [row.finished(token, self.eos) for row, token in zip(rows, tokens, strict=True)]
            going_on = [place for place, ended in enumerate(endings) if ended is None]
            self.meter.num_new_tokens += len(rows)
            self.meter.num_live = len(going_on)
            done = [(row.index, row.completion(ended)) for row, ended in zip(rows, endings, strict=True) if ended]
            if going_on:
                rows = [rows[place] for place in going_on]
                if done:
                    kept = torch.tensor(going_on, device=mask.device)
                    cache.batch_select_indices(kept)
                    mask = mask[kept]
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
                ids = torch.tensor([[tokens[place]] for place in going_on], device=mask.device)
                logits = self.forward(ids, mask, cache)
            else:
                rows = []
            self.meter.decode_s += time.perf_counter() - started
            yield from done

    @torch.inference_mode()
    def logits_after(self, prompt: Sequence[int], new: Sequence[int]) -> torch.Tensor:
        """Logits (V,), float32, after the prompt and these new tokens, taken one by one as `complete` takes its own."""
        cache = DynamicCache(config=self.model.config)
        ids, mask = pad_left([prompt], self.model.device)
        logits = self.forward(ids, mask, cache)
        for token in new:
            mask = torch.cat([mask, mask.new_ones(1, 1)], dim=1)
            logits = self.forward(torch.tensor([[token]], device=mask.device), mask, cache)
        return logits[0]

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        """Logits (B, V), float32, after the last of the tokens `ids` (B, T); `mask` (B, all tokens so far)."""
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits

    @torch.inference_mode()
    def score_batch(self, batch: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The log-likelihood of each option of each request, with the request's index.

        Prompt and option are tokenised together. Where the join makes one token of the prompt's end and an option's
        beginning, all options are scored from the first token at which any of them departs from the prompt's own
        tokens, so that every score is the probability of the rest given the same beginning. Inputs that are equal
        (all of a prompt's, where its options are one token) are computed once.
        """
        started = time.perf_counter()
        starts = [shared_length([each.token_ids, *each.option_token_ids]) for _, each in batch]
        tails: dict[tuple[int, ...], int] = {}  # each input, and how many positions at its end are asked for
        for start, (_, request) in zip(starts, batch, strict=True):
            for ids in request.option_token_ids:
                tails[ids[:-1]] = max(tails.get(ids[:-1], 0), len(ids) - start)
        inputs = sorted(tails, key=len)
        shares: dict[tuple[int, ...], torch.Tensor] = {}
        for first in range(0, len(inputs), len(batch)):
            some = inputs[first : first + len(batch)]
            computed = self.tail_shares(some, max(tails[ids] for ids in some))
            shares.update(zip(some, computed, strict=True))
        self.meter.prefill_s += time.perf_counter() - started
        for start, (index, request) in zip(starts, batch, strict=True):
            yield index, scored(request, start, shares)

    def tail_shares(self, batch: Sequence[tuple[int, ...]], tail: int) -> torch.Tensor:
        """Log-probabilities (B, tail, V), float32, of the token after each of the last `tail` of every row."""
        ids, mask = pad_left(batch, self.model.device)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        with float32_head(self.model):
            out = self.model(
                input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=tail
            )
        self.meter.computed_prompt_tokens += int(mask.sum())
        shares: torch.Tensor = out.logits.float().log_softmax(dim=-1)
        return shares


def scored(request: Request, start: int, shares: Mapping[tuple[int, ...], torch.Tensor]) -> Completion:
    """The completion that holds the score of every option; its text is the option of highest log-likelihood."""
    scores = [
        option_score(text, ids, start, shares[ids[:-1]])
        for text, ids in zip(request.options, request.option_token_ids, strict=True)
    ]
    best = max(scores, key=lambda each: each.log_likelihood)
    return Completion(text=best.text, ended="scored", options=tuple(scores))


def option_score(text: str, ids: tuple[int, ...], start: int, shares: torch.Tensor) -> OptionScore:
    """The score of one option, whose own tokens begin at `start`, from `shares` (tail, V) at the row's end."""
    own = torch.tensor(ids[start:], device=shares.device)
    at_end = shares[-len(own) :]
    value = float(at_end.gather(1, own[:, None]).double().sum())
    return OptionScore(text=text, log_likelihood=value, num_tokens=len(own))


def pad_left(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask (B, T), int64, of rows padded on the left with token 0, which the mask hides."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, longest - len(row) :] = torch.tensor(row, dtype=torch.long)
        mask[place, longest - len(row) :] = 1
    return ids.to(device), mask.to(device)
