"""How far the engine's steps are from what the machine allows: promptkit alone, on GSM8K, in this process.

    python bench/floor.py [--rows 128] [--dtype bfloat16] [--slots N] [--profile] [--json FILE]

First the machine, by torch, the best of a few: the speed of reading memory (a sum over 512 MB) and of products (4096 x
4096 x 4096, in the dtype of the run). Then the work of `bench/few_shot.py`, the model being loaded and warm, while a
clock stands around the engine's parts; a part's seconds are without those of parts that it calls. A step is a guess, the
step itself and what is made of it (`guess`, `step`, `advance`). Steps are shown by how many rows were live, each mean
beside three bounds:

weights    every weight is read once
own k/v    the keys and values that live rows keep for themselves are read once; those of shared stretches are not counted
products   two operations for each weight and each token of the step, guesses included

The floor of a step is the larger of both readings together and the products, as if one hid behind the other. Where the
processor's cache holds weights or keys from one step to the next, a step may go below it; where the cache is as large as
the sum's memory, what is measured is the cache, and --buffer-mb should be some times larger. "Tokens" are those that a step computes, "written" those that
rows take; the totals compare tokens written a second with what each bound would allow.

--profile runs the work once more and prints where the steps' time goes, by function.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.clock import STEPPING, Clock, Step, watched
from bench.few_shot import add_work, few_shot_work
from bench.work import Work, add_line, plain_arguments, write_pipeline
from promptkit.generate import DEFAULT_MODEL, Loading
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Pipeline, Selection, Settings, load, run_pipeline

NUM_TRIES = 5
NUM_WARM_UP = 4  # rows of a run that is not measured
GROUP = 16  # numbers of live rows that share a line
NUM_FUNCTIONS = 12
BOUNDS = ("weights", "own k/v", "products", "floor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Bytes read and operations done a second, at best."""

    read: float
    products: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a step has to read and to multiply with: weights, and the bytes that one token's keys and values take."""

    num_parameters: int
    weight_bytes: int
    bytes_per_token: int


def machine(buffer_mb: int, side: int, dtype: str) -> Machine:
    """The machine's speeds.

    torch is imported only now, after a run: promptkit sets how it waits for work before it is imported.
    """
    import torch  # noqa: PLC0415

    buffer = torch.ones(buffer_mb * 10**6 // 4)
    factor = torch.ones(side, side, dtype=getattr(torch, dtype))
    return Machine(
        read=4 * len(buffer) / least_seconds(buffer.sum), products=2 * side**3 / least_seconds(lambda: factor @ factor)
    )


def least_seconds(call: Callable[[], object]) -> float:
    """The least of a few calls' seconds."""
    seconds = []
    for _ in range(NUM_TRIES):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def bounds(steps: Sequence[Step], sizes: Sizes, speeds: Machine) -> dict[str, float]:
    """The least seconds that the steps can take, by each bound.

    >>> sizes = Sizes(num_parameters=10, weight_bytes=20, bytes_per_token=2)
    >>> steps = [Step(num_kept=5, num_tokens=1), Step(num_kept=5, num_tokens=4)]
    >>> bounds(steps, sizes, Machine(read=10, products=10))
    {'weights': 4.0, 'own k/v': 2.0, 'products': 10.0, 'floor': 11.0}
    """
    weights = sizes.weight_bytes / speeds.read
    kept = [each.num_kept * sizes.bytes_per_token / speeds.read for each in steps]
    products = [2 * sizes.num_parameters * each.num_tokens / speeds.products for each in steps]
    floors = [max(weights + own, product) for own, product in zip(kept, products, strict=True)]
    return dict(zip(BOUNDS, (weights * len(steps), sum(kept), sum(products), sum(floors)), strict=True))


def table(steps: Sequence[Step], sizes: Sizes, speeds: Machine) -> list[str]:
    """A line for each group of numbers of live rows: means of its steps, in milliseconds, beside the bounds."""
    groups: dict[int, list[Step]] = {}
    for each in sorted(steps, key=lambda step: step.num_live):
        groups.setdefault(each.num_live // GROUP, []).append(each)
    named = {f"{GROUP * place}-{GROUP * place + GROUP - 1}": some for place, some in groups.items()}
    head = ("live rows", "steps", "tokens", "written", "ms", *(f"{name} ms" for name in STEPPING), *BOUNDS)
    return [
        "".join(f"{name:>11}" for name in head),
        *(table_line(name, some, sizes, speeds) for name, some in (*named.items(), ("all", steps))),
    ]


def table_line(name: str, steps: Sequence[Step], sizes: Sizes, speeds: Machine) -> str:
    """The means of some steps."""
    seconds = [
        sum(each.seconds for each in steps),
        *(sum(each.part_s[part] for each in steps) for part in STEPPING),
        *bounds(steps, sizes, speeds).values(),
    ]
    tokens = [sum(each.num_tokens for each in steps), sum(each.num_written for each in steps)]
    means = [*(f"{number / len(steps):.1f}" for number in tokens), *(f"{1e3 * s / len(steps):.2f}" for s in seconds)]
    return "".join(f"{cell:>11}" for cell in (name, f"{len(steps)}", *means))


def totals(steps: Sequence[Step], sizes: Sizes, speeds: Machine) -> list[str]:
    """Tokens written a second in steps, and what each bound would allow."""
    written, seconds = sum(each.num_written for each in steps), sum(each.seconds for each in steps)
    lines = [f"steps: {written:,} tokens written in {seconds:.2f} s, {written / seconds:,.0f} a second"]
    for name, least in bounds(steps, sizes, speeds).items():
        lines.append(f"{name:10} {written / least:12,.0f} a second, {seconds / least:6.2f} times as many")
    return lines


def parts_line(clock: Clock, run_s: float) -> str:
    """The seconds of the engine's parts, and of all else in the run."""
    parts = {**clock.part_s, "elsewhere": run_s - sum(clock.part_s.values())}
    return f"run: {run_s:.2f} s; " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())


class Runner:
    """A pipeline with its model, which is loaded when it first runs; nothing is taken from the store."""

    def __init__(self, work: Work, folder: Path, slots: int | None) -> None:
        write_pipeline(work, folder)
        self.pipeline: Pipeline = load(folder / "pipeline.yaml")
        self.generator = LocalGenerator(DEFAULT_MODEL, Loading(dtype=work.dtype, slots=slots))
        self.store = folder / "store.sqlite"

    @property
    def sizes(self) -> Sizes:
        """Of the model."""
        shape = self.generator.shape
        return Sizes(
            num_parameters=shape.num_parameters, weight_bytes=shape.weights, bytes_per_token=shape.bytes_per_token
        )

    def run(self, limit: int | None = None) -> float:
        """The seconds that a run takes."""
        settings = Settings(selection=Selection(limit=limit), store=self.store, refresh=True)
        started = time.perf_counter()
        run_pipeline(self.pipeline, settings, generator=self.generator, is_written=False)
        return time.perf_counter() - started

    def watched_run(self, profile: cProfile.Profile | None = None) -> tuple[Clock, float]:
        """The clock after a run, and the run's seconds. Exits where the engine does not compute the model."""
        clock = Clock(lambda: self.generator.work.num_new_tokens, profile)
        with watched(clock):
            seconds = self.run()
        if not clock.steps:
            sys.exit("the engine took no step")
        return clock, seconds


def measured(runner: Runner, asked: argparse.Namespace) -> None:
    """Measures the machine and a run, and prints what was found."""
    runner.run(NUM_WARM_UP)
    speeds, sizes = machine(asked.buffer_mb, asked.side, asked.dtype), runner.sizes
    clock, run_s = runner.watched_run()
    print(
        f"the machine reads {speeds.read / 1e9:.1f} GB and does {speeds.products / 1e12:.3f} T operations of {asked.dtype} "
        f"products a second\n{sizes.num_parameters / 1e6:.1f} M weights, {sizes.weight_bytes / 1e6:,.0f} MB; "
        f"{sizes.bytes_per_token:,} bytes of keys and values a token"
    )
    print(*table(clock.steps, sizes, speeds), sep="\n")
    print(*totals(clock.steps, sizes, speeds), parts_line(clock, run_s), sep="\n")
    add_line(asked.json, asked, record(clock, run_s, sizes, speeds))
    if asked.profile:
        profile = cProfile.Profile()
        runner.watched_run(profile)
        pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(NUM_FUNCTIONS)


def record(clock: Clock, run_s: float, sizes: Sizes, speeds: Machine) -> Mapping[str, Any]:
    """What the line of raw results has."""
    return {
        "machine": asdict(speeds),
        "sizes": asdict(sizes),
        "run_s": run_s,
        "part_s": clock.part_s,
        "bounds_s": bounds(clock.steps, sizes, speeds),
        "steps": [asdict(each) for each in clock.steps],
    }


def main() -> None:
    """Measures the machine, then a run."""
    parser = plain_arguments(__doc__)
    add_work(parser)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--buffer-mb", type=int, default=512, help="how much is summed")
    parser.add_argument("--side", type=int, default=4096, help="of the matrices that are multiplied")
    parser.add_argument("--profile", action="store_true", help="run once more, and print time by function")
    asked = parser.parse_args()
    work = few_shot_work(asked.rows, asked.shots, asked.dtype, asked.max_new_tokens)
    print(f"{asked.rows} rows of GSM8K, {asked.shots} shots, {asked.dtype}, up to {asked.max_new_tokens} new tokens")
    with tempfile.TemporaryDirectory(prefix="promptkit-bench-") as folder:
        measured(Runner(work, Path(folder), asked.slots), asked)


if __name__ == "__main__":
    main()
