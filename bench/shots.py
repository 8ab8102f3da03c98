"""Seconds an item against the number of demonstrations, promptkit and lm-evaluation-harness, on GSM8K.

    python bench/shots.py [--rows 64] [--counts 0,1,4,8,16,32] [--rounds 1] [--json FILE] [--svg FILE]

The work is that of `bench/few_shot.py`, without the start. A few-shot prompt is the same for all rows but for its end,
so this shows what an engine makes of it. How much a model writes also depends on the demonstrations (without any it
hardly ever ends by itself), so the table has the tokens beside the seconds. lm-eval's batch size is looked for at the
largest number of demonstrations; name one with --lm-eval-batch-size to save that time.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.few_shot import SIZES, few_shot_work, findings
from bench.picture import picture
from bench.work import Round, add_json, arguments, counts, measured, ratios, setting_for


def seconds_an_item(rounds: Sequence[Round], side: str) -> float:
    """The median over the rounds, without the start."""
    return statistics.median(results[side].run_s / len(results[side].outputs) for results in rounds)


def measure(asked: argparse.Namespace) -> dict[int, list[Round]]:
    """The rounds at each number of demonstrations."""
    works = {shots: few_shot_work(asked.rows, shots, asked.dtype, asked.max_new_tokens) for shots in asked.counts}
    setting = setting_for(asked, works[max(works)], SIZES)
    taken: dict[int, list[Round]] = {}
    for shots, work in works.items():
        taken[shots] = measured(work, asked.sides, setting, asked.rounds)
        found = findings(taken[shots][-1], work)
        add_json(asked.json, asked, taken[shots], {"shots": shots, "found": found})
        print_line(shots, taken[shots], found)
    return taken


def print_line(shots: int, rounds: Sequence[Round], found: Mapping[str, Mapping[str, float]]) -> None:
    """Prints what was measured at one number of demonstrations."""
    for side in rounds[0]:
        print(
            f"{shots:5}  {side:10} {seconds_an_item(rounds, side):8.3f} s   {found[side]['new_tokens']:6} new tokens   "
            f"ratio to promptkit {ratios(rounds, side, lambda result: result.run_s)}",
            flush=True,
        )


def main() -> None:
    """Measures every number of demonstrations, prints a table, and draws it."""
    parser = arguments(__doc__, rows=64, sides=("promptkit", "lm-eval"), rounds=1)
    parser.add_argument("--counts", type=counts, default=(0, 1, 4, 8, 16, 32), help="a list with commas")
    parser.add_argument("--max-new-tokens", type=int, default=256)
    parser.add_argument("--svg", type=Path, metavar="FILE", help="where a picture is written")
    asked = parser.parse_args()
    print(f"{asked.rows} rows of GSM8K, {asked.dtype}, {asked.rounds} rounds: seconds an item, without the start")
    taken = measure(asked)
    if asked.svg:
        lines = {
            side: [(shots, seconds_an_item(rounds, side)) for shots, rounds in taken.items()] for side in asked.sides
        }
        title = f"Seconds an item, GSM8K, {asked.rows} rows, {asked.dtype}"
        asked.svg.write_text(picture(lines, title, "demonstrations"), encoding="utf-8")


if __name__ == "__main__":
    main()
