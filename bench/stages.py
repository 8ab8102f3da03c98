"""The second stage of zero-shot chain of thought, with what was computed of the first, and without: promptkit alone.

    python bench/stages.py [--rows 64] [--rounds 3] [--dtype auto] [--slots N]

The pipeline is `gsm8k-two-stages` with chains of 128 tokens. Both sides run the same two stages on one loaded model, in turn;
between the stages "again" lets go of the keys and values that the first left behind, so that the second reads every
transcript from its beginning. What is timed is the second call of the model. Texts must agree, but for ties in reduced
precision: how many do is printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.work import SHARED
from promptkit.generate import Loading
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Selection, load
from promptkit.run.course import start
from promptkit.run.plan import Job, Plan
from promptkit.run.record import Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The second call of the model: seconds of it and of the processor, prompt tokens computed, of how many, and the texts."""

    wall_s: float
    cpu_s: float
    computed: int
    prompt: int
    texts: tuple[str, ...]


def made_of(generator: LocalGenerator, jobs: Sequence[Job]) -> list[Made]:
    """What the model makes of each job."""
    completions = dict(generator.generate([job.request for job in jobs]))
    return [Made(completion=completions[place]) for place in range(len(jobs))]


def second_call(generator: LocalGenerator, num_rows: int, *, lets_go: bool) -> Second:
    """The second stage over so many rows; with `lets_go` nothing is left of the first."""
    pipeline = load("gsm8k-two-stages", overrides=["stages.reason.generate.max_new_tokens=128"])
    selection = Selection(limit=num_rows, data_folder=SHARED / "tasks")
    course = start(pipeline, selection, generator)
    made = made_of(generator, next(course).jobs)
    plan: Plan = course.send(made)
    if lets_go:
        generator.let_go()
    before, wall, cpu = generator.work, time.perf_counter(), time.process_time()
    made = made_of(generator, plan.jobs)
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    generator.let_go()
    return Second(
        wall_s=wall_s,
        cpu_s=cpu_s,
        computed=generator.work.computed_prompt_tokens - before.computed_prompt_tokens,
        prompt=sum(len(job.request.token_ids) for job in plan.jobs),
        texts=tuple(each.completion.text for each in made),
    )


def main() -> None:
    """Measures both sides, round by round."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--slots", type=int, default=None)
    asked = parser.parse_args()
    generator = LocalGenerator("smollm2-135m", Loading(dtype=asked.dtype, slots=asked.slots))
    second_call(generator, asked.rows, lets_go=False)  # loops are compiled on first use
    rounds = []
    for number in range(asked.rounds):
        sides = (False, True) if number % 2 == 0 else (True, False)
        results = {lets_go: second_call(generator, asked.rows, lets_go=lets_go) for lets_go in sides}
        rounds.append((results[False], results[True]))
    for name, place in (("kept", 0), ("again", 1)):
        side = [each[place] for each in rounds]
        print(
            f"{name:6} {side[0].computed:,} of {side[0].prompt:,} prompt tokens computed, "
            f"{statistics.median(each.wall_s for each in side):.2f} s, "
            f"{statistics.median(each.cpu_s for each in side):.2f} s of the processor"
        )
    ratios = sorted(again.wall_s / kept.wall_s for kept, again in rounds)
    agree = sum(one == other for one, other in zip(rounds[0][0].texts, rounds[0][1].texts, strict=True))
    print(f"again takes {statistics.median(ratios):.2f} times as long ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(f"{agree} of {len(rounds[0][0].texts)} texts agree, {generator.dtype}")


if __name__ == "__main__":
    main()
