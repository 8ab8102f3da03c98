"""How long the light verbs take from the shell, in pairs with the libraries that they cannot do without.

    python bench/startup.py

Prints, for each verb, the median wall time over the runs, and its ratio to importing pydantic, jinja2, PyYAML, regex
and typer alone: that much is not ours to save.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

NUM_RUNS = 15
FLOOR = [sys.executable, "-c", "import jinja2.sandbox, regex, typer, yaml; from pydantic import BaseModel"]
VERBS = {
    "check": [sys.executable, "-m", "promptkit", "check", "sentiment"],
    "show": [sys.executable, "-m", "promptkit", "show", "sentiment"],
    "card": [sys.executable, "-m", "promptkit", "card", "sentiment"],
    "schema": [sys.executable, "-m", "promptkit", "schema"],
}


def seconds(command: list[str]) -> float:
    """The wall time of one run."""
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measures the floor and the verbs in turn, so that both see the same noise."""
    for command in (FLOOR, *VERBS.values()):
        seconds(command)  # warm the disk
    floors: list[float] = []
    times: dict[str, list[float]] = {verb: [] for verb in VERBS}
    for _ in range(NUM_RUNS):
        floors.append(seconds(FLOOR))
        for verb, command in VERBS.items():
            times[verb].append(seconds(command))
    print(f"floor (libraries alone): {statistics.median(floors):.3f} s, over {NUM_RUNS} runs")
    for verb, taken in times.items():
        ratios = sorted(mine / floor for mine, floor in zip(taken, floors, strict=True))
        quarter = len(ratios) // 4
        print(
            f"{verb:7} {statistics.median(taken):.3f} s ({min(taken):.3f} to {max(taken):.3f}), "
            f"{statistics.median(ratios):.2f} times the floor (quartiles {ratios[quarter]:.2f} to {ratios[-quarter - 1]:.2f})"
        )


if __name__ == "__main__":
    main()
