"""Constrained decoding against free decoding on the default model: whether all of it parses, and what a token costs.

    python bench/constrained.py [--rows 200] [--rounds 3] [--dtype auto] [--slots N]

The prompts are those of the shipped pipeline `arithmetic`. Under each of a grammar, a JSON Schema and a pattern, every
completion is read by the align step of that kind. Free decoding then does the same work over the same prompts: each row
writes as many tokens as it did under the constraint, so that as many rows are in progress at any time. Both sides in
turn, round by round; the cost is the time of decoding (`decode_s`) over the new tokens. Nothing is cut for being slow:
a completion that comes to its limit is counted.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from promptkit.align import Answer, Chain, GrammarStep, Json, Regex
from promptkit.generate import Completion, Constrain, Constraint, Loading, Request
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Selection, load, make_plan

GRAMMAR = r"""
start: thought~1..2 "The answer is" answer unit? "."
thought: /[A-Z][^\n.]{1,60}\./
answer: /[0-9]{1,5}/
unit: /[a-z]{2,12}/
%ignore " "
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "minLength": 20, "maxLength": 120},
        "answer": {"type": "integer", "minimum": 0, "maximum": 99_999},
        "sure": {"enum": ["yes", "no"]},
    },
    "required": ["thought", "answer", "sure"],
    "additionalProperties": False,
}
PATTERN = r"[A-Z][^\n]{20,120}\. The answer is (?P<answer>[0-9]{1,5})\."
MAX_NEW_TOKENS = 192


def fixed(constrain: dict[str, object]) -> Constraint:
    """The constraint that a file would declare so."""
    constraint = Constrain.model_validate(constrain).fixed
    assert constraint is not None
    return constraint


def reads(chain: Chain) -> Callable[[str], bool]:
    """Whether a chain finds an answer in a text."""
    return lambda text: isinstance(chain.align(text), Answer)


def timed(generator: LocalGenerator, requests: Sequence[Request]) -> tuple[dict[int, Completion], float]:
    """The completions, and the milliseconds that a new token took to decode."""
    before = generator.work
    made = dict(generator.generate(requests))
    after = generator.work
    return made, 1000 * (after.decode_s - before.decode_s) / (after.num_new_tokens - before.num_new_tokens)


def compared(
    generator: LocalGenerator,
    requests: Sequence[Request],
    constraint: Constraint,
    parses: Callable[[str], bool],
    rounds: int,
) -> str:
    """A row of the table."""
    asked = [replace(each, constraint=constraint) for each in requests]
    made, _ = timed(generator, asked)  # once before the clock: masks and loops are made ready
    free = [
        replace(each, sampling=replace(each.sampling, max_new_tokens=len(made[index].token_ids)))
        for index, each in enumerate(requests)
    ]
    bound_ms, free_ms = [], []
    for _ in range(rounds):
        made, cost = timed(generator, asked)
        bound_ms.append(cost)
        free_ms.append(timed(generator, free)[1])
    ratios = sorted(bound / other for bound, other in zip(bound_ms, free_ms, strict=True))
    num_parsed = sum(parses(each.text) for each in made.values())
    num_cut = sum(each.ended == "length" for each in made.values())
    num_tokens = sum(each.num_new_tokens for each in made.values())
    return (
        f"{num_parsed} of {len(made)} | {num_cut} | {num_tokens:,} | {statistics.median(bound_ms):.2f} ms | "
        f"{statistics.median(free_ms):.2f} ms | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--slots", type=int, default=None)
    asked = parser.parse_args()
    generator = LocalGenerator("smollm2-135m", Loading(dtype=asked.dtype, slots=asked.slots))
    plan = make_plan(load("arithmetic"), Selection(), generator)
    jobs = [plan.jobs[number % len(plan.jobs)].request for number in range(asked.rows)]
    requests = [replace(each, sampling=replace(each.sampling, max_new_tokens=MAX_NEW_TOKENS, stop=())) for each in jobs]
    timed(generator, requests[:2])
    print("| constraint | parse | cut | tokens | a token | a token, free | ratio |\n|---|---|---|---|---|---|---|")
    for name, constraint, parses in [
        ("grammar", fixed({"grammar": GRAMMAR}), reads(Chain((GrammarStep(text=GRAMMAR),)))),
        ("JSON schema", fixed({"json": SCHEMA}), reads(Chain((Json.model_validate({"schema": SCHEMA}),)))),
        ("pattern", fixed({"regex": PATTERN}), reads(Chain((Regex(pattern=PATTERN),)))),
    ]:
        print(f"| {name} | {compared(generator, requests, constraint, parses, asked.rounds)} |", flush=True)


if __name__ == "__main__":
    main()
