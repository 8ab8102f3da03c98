"""How many completions a second `extract` reads, beside a loop written by hand and lm-evaluation-harness's own filter.

    python bench/extract.py [FILE.jsonl --field chain] [--rows 100000] [--workers N] [--rounds 7] [--peers FOLDER]

Every side reads lines of JSON, finds the answer with the same pattern, and writes lines of JSON. promptkit does so with
a chain of a regex and a number, in one process (`one core`) and as the command with its workers, start-up included.
The loop is `json`, `re` and `float`, no more; `lm-eval` is its RegexFilter in the environment in FOLDER, whose script
times itself. All are measured round by round; a ratio is that of the same round, given as median with its spread.

Without a FILE the rows are made here: solutions of arithmetic word problems, eight sentences each, from a seed.

Then the hostile part: ten thousand rows, among them a completion of a million characters and one on which the pattern
goes through all ways to fail, against the same rows without these two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from promptkit.data import Names, open_samples
from promptkit.run import Extractor, load

HERE = Path(__file__).resolve().parent
PATTERN = r"A: (?P<answer>[^\n]+)"
CHAIN = f"align:\n  - regex: {{pattern: '{PATTERN}', take: last}}\n  - number\n"
HOSTILE_CHAIN = "align:\n  - regex: {pattern: 'answer (?P<answer>(?:x|xx)+)!|is (?P<answer>\\d+)', timeout_s: 1}\n"
NUM_HOSTILE = 10_000
PEOPLE = ("Ann", "Ben", "Chen", "Dana", "Eli", "Farah", "Gus", "Hana")
THINGS = ("apples", "marbles", "pages", "stickers", "eggs", "coins", "litres of milk", "boxes of tea")

Side = Callable[[Path, str], float]


def solution(chance: random.Random) -> str:
    """A chain of eight sentences with the numbers of an arithmetic word problem, and its answer."""
    person, thing = chance.choice(PEOPLE), chance.choice(THINGS)
    total = chance.randrange(2, 60)
    lines = [f"{person} starts with {total} {thing}."]
    for _ in range(6):
        more = chance.randrange(2, 40)
        lines.append(f"Then {person} gets {more} more, so there are {total} + {more} = {total + more} {thing}.")
        total += more
    return "\n".join([*lines, f"{person} has {total} {thing} in the end.", f"A: {total:,}"])


def write_rows(path: Path, num_rows: int) -> None:
    """Writes made rows."""
    chance = random.Random(7)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(num_rows):
            row = {"id": f"made-{number}", "task": "made", "chain": solution(chance), "gold": "0"}
            stream.write(json.dumps(row) + "\n")


def one_core(pipeline: Path, path: Path, field: str) -> float:
    """Seconds of promptkit in this process: lines of JSON in, lines of JSON out."""
    extractor = Extractor(chain=load(pipeline).chain)
    started = time.perf_counter()
    with path.with_suffix(".out").open("w", encoding="utf-8") as stream:
        for batch in open_samples(str(path), Names(completion=field), is_plain=True).batches():
            stream.write(extractor.written(batch).text)
    return time.perf_counter() - started


def command(pipeline: Path, path: Path, field: str, workers: int) -> float:
    """Seconds of the whole command."""
    words = ["extract", str(pipeline), "--from", str(path), "--field", field, "--out", str(path.with_suffix(".out"))]
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "promptkit", *words, "--workers", str(workers), "--quiet"],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def by_hand(path: Path, field: str) -> float:
    """Seconds of a loop as one writes it for one data set: the last match, its commas taken out, as a float."""
    pattern = re.compile(PATTERN)
    started = time.perf_counter()
    with path.open(encoding="utf-8") as source, path.with_suffix(".out").open("w", encoding="utf-8") as stream:
        for line in source:
            row = json.loads(line)
            found = pattern.findall(row[field])
            try:
                answer = float(found[-1].replace(",", "")) if found else None
            except ValueError:
                answer = None
            stream.write(json.dumps({"id": row["id"], "answer": answer}) + "\n")
    return time.perf_counter() - started


def lm_eval(python: Path, path: Path, field: str) -> float:
    """Seconds that lm-eval's filter took, by its own clock."""
    words = [
        str(python),
        str(HERE / "peers" / "lm_eval_filter.py"),
        str(path),
        field,
        PATTERN.replace("?P<answer>", ""),
    ]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(done.stdout)


def show_rates(sides: Mapping[str, Side], path: Path, field: str, num_rounds: int) -> None:
    """Prints each side's rate, and its ratio to that of one core."""
    with path.open("rb") as stream:
        num_rows = sum(1 for _ in stream)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(num_rounds + 1):
        for name, side in sides.items():
            took = side(path, field)
            if number:  # the first round warms up
                seconds[name].append(took)
    print(f"{path.name}, {num_rows:,} rows, {num_rounds} rounds")
    for name, took_s in seconds.items():
        ratios = [core / took for core, took in zip(seconds["one core"], took_s, strict=True)]
        rate, best = num_rows / statistics.median(took_s), num_rows / min(took_s)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"  {name:18} {rate:9,.0f} a second, best {best:9,.0f}, times one core {spread}")


def show_hostile(folder: Path) -> None:
    """Prints what two hostile rows among ten thousand cost."""
    pipeline = folder / "hostile.yaml"
    pipeline.write_text(HOSTILE_CHAIN, encoding="utf-8")
    rows = [{"id": number, "completion": f"The answer is {number}."} for number in range(NUM_HOSTILE)]
    tame, hostile = folder / "tame.jsonl", folder / "hostile.jsonl"
    tame.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    rows[3000]["completion"] = "the answer is not yet known, " * 35_000
    rows[6000]["completion"] = "answer " + "x" * 60 + "z!"
    hostile.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    costs = [one_core(pipeline, hostile, "completion") - one_core(pipeline, tame, "completion") for _ in range(5)]
    made = [json.loads(line) for line in hostile.with_suffix(".out").read_text(encoding="utf-8").splitlines()]
    if made[6000]["reason"] != "timed out after 1 s":
        raise SystemExit("the hostile row is not hostile: the numbers would mean nothing")
    print(f"hostile: {len(made):,} of {NUM_HOSTILE:,} rows written; {made[6000]['reason']}")
    print(
        f"  beyond the time-out of 1 s: {statistics.median(costs) - 1:.3f} s ({min(costs) - 1:.3f} to {max(costs) - 1:.3f})"
    )


def main() -> None:
    """Measures all sides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="rows to read, else made ones")
    parser.add_argument("--field", default="chain")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", type=Path, help="a folder with the environment `lmeval`")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="promptkit-bench-") as name:
        folder = Path(name)
        pipeline = folder / "chain.yaml"
        pipeline.write_text(CHAIN, encoding="utf-8")
        path = folder / (asked.file.name if asked.file else "made.jsonl")
        if asked.file:
            path.write_bytes(asked.file.read_bytes())
        else:
            write_rows(path, asked.rows)
        sides: dict[str, Side] = {
            "one core": lambda path, field: one_core(pipeline, path, field),
            f"{asked.workers} workers": lambda path, field: command(pipeline, path, field, asked.workers),
            "by hand": by_hand,
        }
        if asked.peers:
            python = asked.peers / "lmeval" / "bin" / "python"
            sides["lm-eval"] = lambda path, field: lm_eval(python, path, field)
        show_rates(sides, path, asked.field, asked.rounds)
        show_hostile(folder)


if __name__ == "__main__":
    main()
