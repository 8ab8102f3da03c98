"""Seconds an item and memory against the number of rows: promptkit alone, on GSM8K.

    python bench/rows.py [--rows 16,32,64,128,256,512,1024] [--rounds 1] [--json FILE] [--svg FILE]

The work is that of `bench/few_shot.py`, each number of rows in a fresh process with an empty store, round by round. The
seconds are the run's without the loading of the model: planning, store and files included. Tokens are those that were
written. Memory is what `promptkit plan` says before, against the run's peak of resident memory, as `bench/memory.py`
takes it. Over several rounds all of it stands as the median, the seconds with their spread.

More rows than slots take turns; so beyond the number of slots the seconds an item should go on falling, as the share of
the demonstrations and of the last rows' end falls, and memory should not grow. The exit code is 1 where any peak is more
than 15 % off its plan.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.few_shot import add_work, few_shot_work
from bench.memory import is_near, measured, planned
from bench.picture import picture
from bench.work import add_line, counts, plain_arguments, say, slots_words, spread, write_pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one run took: seconds without its start, tokens written, and bytes of memory, planned and at the peak."""

    num_rows: int
    run_s: float
    new_tokens: int
    planned_bytes: int
    peak_bytes: int

    @property
    def seconds_an_item(self) -> float:
        """Without the start."""
        return self.run_s / self.num_rows

    @property
    def is_as_planned(self) -> bool:
        """Whether its memory is what was planned."""
        return is_near(self.peak_bytes, self.planned_bytes)


def take(num_rows: int, asked: argparse.Namespace) -> Taken:
    """Plans and runs so many rows, each in a fresh process."""
    work = few_shot_work(num_rows, asked.shots, asked.dtype, asked.max_new_tokens)
    with tempfile.TemporaryDirectory(prefix="promptkit-bench-") as name:
        folder = Path(name)
        write_pipeline(work, folder)
        words = [str(folder / "pipeline.yaml"), "--store", str(folder / "store.sqlite"), "--dtype", asked.dtype]
        words += slots_words(asked.slots)
        plan = planned(words)
        peak, summary = measured(words, folder / "out")
    timing = summary["timing"]
    return Taken(
        num_rows=num_rows,
        run_s=timing["total_s"] - timing["load_s"],
        new_tokens=timing["new_tokens"],
        planned_bytes=plan,
        peak_bytes=peak,
    )


def measure(asked: argparse.Namespace) -> dict[int, list[Taken]]:
    """What each number of rows took in each round; every other round goes from the most rows down.

    A first run is not counted: loops that are not compiled yet are compiled then, and files come from the disk.
    """
    take(asked.rows[0], asked)
    taken: dict[int, list[Taken]] = {num_rows: [] for num_rows in asked.rows}
    for number in range(asked.rounds):
        for num_rows in asked.rows if number % 2 == 0 else reversed(asked.rows):
            one = take(num_rows, asked)
            taken[num_rows].append(one)
            add_line(asked.json, asked, {"round": number + 1, "taken": asdict(one)})
            say(f"round {number + 1}, {num_rows} rows: {one.run_s:.1f} s without start, {one.peak_bytes / 1e6:,.0f} MB")
    return taken


def line(runs: Sequence[Taken]) -> str:
    """What the runs of one number of rows took."""
    plan, peak = (
        statistics.median(sizes)
        for sizes in zip(*((each.planned_bytes, each.peak_bytes) for each in runs), strict=True)
    )
    off = "" if all(each.is_as_planned for each in runs) else "  too far off"
    return (
        f"{runs[0].num_rows:>5}   {spread([each.seconds_an_item for each in runs], '.4f'):27} "
        f"{statistics.median(each.new_tokens for each in runs):10,.0f} {plan / 1e6:11,.0f} {peak / 1e6:12,.0f} "
        f"{peak / plan:6.3f}{off}"
    )


def drawn(taken: Mapping[int, Sequence[Taken]], asked: argparse.Namespace) -> str:
    """The picture of seconds an item."""
    points = [(num_rows, statistics.median(each.seconds_an_item for each in runs)) for num_rows, runs in taken.items()]
    return picture(
        {"promptkit": points}, f"Seconds an item, GSM8K, {asked.shots} shots, {asked.dtype}", "rows", is_log=True
    )


def main() -> None:
    """Measures every number of rows, prints a table, draws it, and fails where memory is not as planned."""
    parser = plain_arguments(__doc__)
    add_work(parser)
    parser.add_argument("--rows", type=counts, default=(16, 32, 64, 128, 256, 512, 1024), help="a list with commas")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--svg", type=Path, metavar="FILE", help="where a picture is written")
    asked = parser.parse_args()
    taken = measure(asked)
    print(
        f"GSM8K, {asked.shots} shots, {asked.dtype}, up to {asked.max_new_tokens} new tokens, {asked.rounds} rounds\n"
        f"{'rows':>5}   {'seconds an item':27} {'new tokens':>10} {'planned MB':>11} {'measured MB':>12} {'ratio':>6}"
    )
    print(*map(line, taken.values()), sep="\n")
    if asked.svg:
        asked.svg.write_text(drawn(taken, asked), encoding="utf-8")
    sys.exit(0 if all(each.is_as_planned for runs in taken.values() for each in runs) else 1)


if __name__ == "__main__":
    main()
