"""How many completions a second the align chain reads, one process, over files of real reasoning chains.

    python bench/extract.py FILE.jsonl ... [--field chain]

The chain is that of the shipped pipeline `gsm8k-cot`: a regex, then a number. Prints each file's rows, seconds and
rate, reading included; the median of five rounds with its spread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from promptkit.run import extract, load

NUM_ROUNDS = 5


def main() -> None:
    """Measures each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--field", default="chain")
    asked = parser.parse_args()
    chain = load("gsm8k-cot").chain
    for path in asked.files:
        times, rows = [], 0
        for _ in range(NUM_ROUNDS):
            started = time.perf_counter()
            rows = sum(1 for _ in extract(chain, path, asked.field))
            times.append(time.perf_counter() - started)
        rate = rows / statistics.median(times)
        print(
            f"{path.name:36} {rows:5} rows in {statistics.median(times):.2f} s "
            f"({min(times):.2f} to {max(times):.2f}), {rate:,.0f} a second"
        )


if __name__ == "__main__":
    main()
