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
from xml.sax.saxutils import escape

from bench.few_shot import SIZES, few_shot_work, findings
from bench.work import Round, add_json, arguments, measured, ratios, setting_for

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 560, 48, 344  # the frame of the lines
COLOURS = {"promptkit": "#1f6feb", "lm-eval": "#c2571a", "vllm": "#3a7d44"}
NUM_TICKS = 5

Points = Sequence[tuple[int, float]]


def counts(text: str) -> tuple[int, ...]:
    """Numbers of demonstrations in a list with commas."""
    return tuple(sorted(int(each) for each in text.split(",")))


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


def picture(lines: Mapping[str, Points], title: str) -> str:
    """An SVG of one line a side, each with its name at its end."""
    last = max(x for points in lines.values() for x, _ in points) or 1
    highest = tidy(max(y for points in lines.values() for _, y in points))
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="12" fill="#333"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(LEFT, 24, title, 'font-size="14" font-weight="600"'),
        text((LEFT + RIGHT) / 2, HEIGHT - 14, "demonstrations", 'text-anchor="middle"'),
        *height_ticks(highest),
        *shot_ticks(sorted({x for points in lines.values() for x, _ in points}), last),
    ]
    free = 0.0  # where the next name may stand, below those before it
    for side, points in sorted(lines.items(), key=lambda line: -line[1][-1][1]):
        places = [(LEFT + (RIGHT - LEFT) * x / last, height(y, highest)) for x, y in points]
        at = max(places[-1][1] + 4, free)
        parts += line_of(side, places, at)
        free = at + 15
    return "\n".join([*parts, "</svg>\n"])


def tidy(value: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten, not below the value.

    >>> tidy(0.37)
    0.5
    """
    power = 10.0 ** len(str(int(value))) if value >= 1 else 1.0
    steps = [power * step / 10.0**exponent for exponent in range(6) for step in (1, 2, 2.5, 5, 10)]
    return min(step for step in steps if step >= value)


def height(value: float, highest: float) -> float:
    """Where a number of seconds lies in the picture."""
    return BOTTOM - (BOTTOM - TOP) * value / highest


def height_ticks(highest: float) -> list[str]:
    """Thin lines across, each with its seconds."""
    parts = []
    for number in range(NUM_TICKS + 1):
        value = highest * number / NUM_TICKS
        y = height(value, highest)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{"#888" if number == 0 else "#e4e4e4"}"/>')
        parts.append(text(LEFT - 8, y + 4, f"{value:.3g} s", 'text-anchor="end"'))
    return parts


def shot_ticks(shots: Sequence[int], last: int) -> list[str]:
    """The numbers of demonstrations that were measured, under the lines; none so near to the next that they touch."""
    parts, free = [], 0.0
    for number in shots:
        x = LEFT + (RIGHT - LEFT) * number / last
        if x >= free:
            parts.append(text(x, BOTTOM + 18, str(number), 'text-anchor="middle"'))
            free = x + 14
    return parts


def line_of(side: str, places: Sequence[tuple[float, float]], name_y: float) -> list[str]:
    """A side's line, its points, and its name, at that height."""
    colour = COLOURS[side]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    name = text(places[-1][0] + 10, name_y, side, f'fill="{colour}" font-weight="600"')
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots, name]


def text(x: float, y: float, words: str, style: str) -> str:
    """Words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


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
        asked.svg.write_text(picture(lines, title), encoding="utf-8")


if __name__ == "__main__":
    main()
