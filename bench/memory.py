"""Planned and measured memory: what `promptkit plan` says, and the peak of `promptkit run`, each in a fresh process.

    python bench/memory.py [--pipeline arithmetic] [--rows 16,64,128] [--dtype bfloat16] [--model NAME] [--data DIR]

Every row has a slot of its own, and may write 96 tokens or what the pipeline says. The store is empty. The ratio is the
measured peak of resident memory over the planned one; it should lie within 15 % of 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOLERANCE = 0.15


def planned(words: Sequence[str]) -> int:
    """The bytes that `plan` expects to be resident at the peak."""
    command = [sys.executable, "-m", "promptkit", "plan", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return int(json.loads(done.stdout)["memory"]["total"])


def measured(words: Sequence[str], out: Path) -> tuple[int, dict[str, Any]]:
    """The bytes that `run` had resident at its peak, and the summary that it printed."""
    command = [sys.executable, "-m", "promptkit", "run", *words, "--quiet", "--json", "--out", str(out)]
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, stdout=printed)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            sys.exit(f"{' '.join(command)} failed")
        printed.seek(0)
        return usage.ru_maxrss * 1024, json.load(printed)


def is_near(peak: int, plan: int) -> bool:
    """Whether a measured peak is what was planned.

    >>> is_near(110, 100), is_near(84, 100)
    (True, False)
    """
    return abs(peak / plan - 1) <= TOLERANCE


def main() -> None:
    """Prints a line for each number of rows, and fails where plan and peak are too far apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="arithmetic")
    parser.add_argument("--rows", default="16,64,128")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--data")
    asked = parser.parse_args()
    print(f"{'rows':>5} {'planned MB':>11} {'measured MB':>12} {'ratio':>6}")
    is_true = True
    for rows in asked.rows.split(","):
        with tempfile.TemporaryDirectory() as folder:
            store = str(Path(folder) / "store.sqlite")
            words = [asked.pipeline, "--limit", rows, "--slots", rows, "--store", store]
            words += ["--dtype", asked.dtype, "--model", asked.model, *(["--data", asked.data] if asked.data else [])]
            plan = planned(words)
            peak, _ = measured(words, Path(folder) / "runs")
        is_true &= is_near(peak, plan)
        print(f"{rows:>5} {plan / 1e6:11,.0f} {peak / 1e6:12,.0f} {peak / plan:6.3f}", flush=True)
    sys.exit(0 if is_true else 1)


if __name__ == "__main__":
    main()
