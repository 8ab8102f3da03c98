"""A picture of seconds against a number: an SVG, made of text alone, with one line a side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 560, 48, 344  # the frame of the lines
COLOURS = {"promptkit": "#1f6feb", "lm-eval": "#c2571a", "vllm": "#3a7d44"}
NUM_TICKS = 5

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The numbers that were measured, from left to right, and what they are of.

    From 0 on, each as far to the right as it is large; with `is_log` from the first on, each doubling as wide as another.
    """

    name: str
    numbers: Sequence[int]
    is_log: bool = False

    def place(self, number: int) -> float:
        """Where a number lies in the picture.

        >>> [Axis(name="rows", numbers=[16, 32, 64], is_log=True).place(number) for number in (16, 32, 64)]
        [64.0, 312.0, 560.0]
        """
        share = number / (self.numbers[-1] or 1)
        if self.is_log:
            width = math.log(self.numbers[-1] / self.numbers[0])
            share = math.log(number / self.numbers[0]) / width if width else 0.5
        return LEFT + (RIGHT - LEFT) * share


def picture(lines: Mapping[str, Points], title: str, x_name: str, *, is_log: bool = False) -> str:
    """An SVG of one line a side, each with its name at its end."""
    numbers = sorted({x for points in lines.values() for x, _ in points})
    axis = Axis(name=x_name, numbers=numbers, is_log=is_log)
    highest = tidy(max(y for points in lines.values() for _, y in points))
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="12" fill="#333"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        text(LEFT, 24, title, 'font-size="14" font-weight="600"'),
        text((LEFT + RIGHT) / 2, HEIGHT - 14, axis.name, 'text-anchor="middle"'),
        *height_ticks(highest),
        *number_ticks(axis),
    ]
    free = 0.0  # where the next name may stand, below those before it
    for side, points in sorted(lines.items(), key=lambda line: -line[1][-1][1]):
        places = [(axis.place(x), height(y, highest)) for x, y in points]
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


def number_ticks(axis: Axis) -> list[str]:
    """The numbers that were measured, under the lines; none so near to the next that they touch."""
    parts, free = [], 0.0
    for number in axis.numbers:
        x = axis.place(number)
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
