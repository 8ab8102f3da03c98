"""The plain local generator against transformers' own `generate`, one row at a time, on the same work.

    python bench/generate.py [--rows 32] [--dtype float32] [--slots N] [--rounds 3]

The work is the shipped pipeline `arithmetic` on the default model: few-shot prompts, greedy, up to 96 new tokens, ended
by a line's end. Both sides use the same loaded model in turn, round by round. Prints seconds, the ratio with its
spread, and how many rows have the same tokens.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from promptkit.generate import Completion, Loading, Request
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Selection, load, make_plan


class AtLineEnd(StoppingCriteria):  # type: ignore[misc]
    """Ends a row at the token that brings a line's end, as the pipeline's stop string does."""

    def __init__(self, generator: LocalGenerator, prompt_length: int) -> None:
        self.generator = generator
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
        """Whether the one row has its line's end."""
        text = self.generator.tokenizer.decode(input_ids[0, self.prompt_length :].tolist())
        return torch.tensor(["\n" in text])


def one_by_one(generator: LocalGenerator, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    """The new tokens of each request, by transformers alone."""
    rows = []
    for request in requests:
        ids = torch.tensor([request.token_ids])
        with torch.inference_mode():
            out = generator.reference.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=request.sampling.max_new_tokens,
                do_sample=False,
                pad_token_id=generator.facts.eos_token_ids[0],
                stopping_criteria=StoppingCriteriaList([AtLineEnd(generator, ids.shape[1])]),
            )
        rows.append(tuple(out[0, ids.shape[1] :].tolist()))
    return rows


def batched(generator: LocalGenerator, requests: Sequence[Request]) -> list[tuple[int, ...]]:
    """The new tokens of each request, by promptkit."""
    done: dict[int, Completion] = dict(generator.generate(requests))
    return [done[index].token_ids for index in range(len(requests))]


def main() -> None:
    """Measures both sides, round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--slots", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    pipeline = load("arithmetic")
    generator = LocalGenerator("smollm2-135m", Loading(dtype=asked.dtype, slots=asked.slots))
    plan = make_plan(pipeline, Selection(limit=asked.rows), generator)
    requests = [job.request for job in plan.jobs]
    batched(generator, requests[:2])  # loads the model
    ratios, ours, theirs, same = [], [], [], 0
    for _ in range(asked.rounds):
        started = time.perf_counter()
        mine = batched(generator, requests)
        middle = time.perf_counter()
        reference = one_by_one(generator, requests)
        ended = time.perf_counter()
        ours.append(middle - started)
        theirs.append(ended - middle)
        ratios.append(theirs[-1] / ours[-1])
        same = sum(a == b for a, b in zip(mine, reference, strict=True))
    tokens = sum(map(len, mine))
    print(f"{asked.rows} rows, {asked.dtype}, {tokens} new tokens, {asked.rounds} rounds")
    print(f"promptkit          {statistics.median(ours):.1f} s")
    print(f"one by one         {statistics.median(theirs):.1f} s")
    print(f"ratio              {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"rows with the same tokens: {same} of {asked.rows}")


if __name__ == "__main__":
    main()
