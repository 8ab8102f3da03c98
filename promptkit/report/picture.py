"""Pictures of sweeps, as Vega-Lite by altair, drawn without a browser. They are readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promptkit.errors import MissingExtra
from promptkit.report.sweep_points import Point, Points

__all__ = ["FORMATS", "draw"]

FORMATS = (".svg", ".png")
WIDTH, HEIGHT = 420, 260
INK, LINE = "#7a7f87", "#7a7f8740"  # half-way between black and white, so that either page gives contrast enough
DODGE = 0.008  # of the axis
COLORS = ("#3b82c4", "#d9722e", "#2f9e6e", "#b05fb5", "#b58a1f", "#d1495b", "#4fa3a5", "#8c7ae6")


def draw(points: Points, file: Path) -> bytes:
    """The picture in the format that the file's name ends with. Raises `MissingExtra` where what draws is not here."""
    try:
        import altair as alt  # noqa: F401, PLC0415 - an extra
        import vl_convert  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra(error.name or "altair", "pictures") from error
    chart = chart_of(points).to_json()
    if file.suffix.lower() == ".png":
        png: bytes = vl_convert.vegalite_to_png(chart, scale=2)
        return png
    svg: str = vl_convert.vegalite_to_svg(chart)
    return svg.encode()


def chart_of(points: Points) -> Any:
    """The chart: a line through the means where x is a number, points, and bars for what they may be off by."""
    import altair as alt  # noqa: PLC0415 - an extra

    is_number = all(isinstance(point.x, float) for point in points.points)
    base = alt.Chart(alt.InlineData(values=values_of(points, is_number=is_number))).encode(
        x=x_of(points, is_number=is_number), color=color_of(points)
    )
    scale = alt.Scale(domain=domain(points.points), nice=False, zero=False)
    y = alt.Y("value:Q", title=points.y, scale=scale)
    ends = base.transform_filter("datum.low != null").encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    if not is_number and points.color:
        ends, base = (each.encode(xOffset="color:N") for each in (ends, base))
    layers = [
        ends.mark_rule(strokeWidth=1.5, opacity=0.6),
        base.mark_point(filled=True, size=46, opacity=1).encode(y=y),
    ]
    if is_number:
        layers.append(base.mark_line(strokeWidth=2).encode(y=y))
    return (
        alt.layer(*layers)
        .properties(width=WIDTH, height=HEIGHT, title=alt.TitleParams(points.title, subtitle=lines(points.caption)))
        .configure(background="transparent", font="Helvetica, Arial, sans-serif")
        .configure_view(stroke=None)
        .configure_title(anchor="start", color=INK, subtitleColor=INK, fontSize=14, subtitleFontSize=11, offset=14)
        .configure_axis(
            labelColor=INK, titleColor=INK, gridColor=LINE, domainColor=LINE, tickColor=LINE, labelFontSize=11,
            titleFontSize=12, titleFontWeight="normal",
        )
        .configure_axisX(grid=False)
        .configure_legend(labelColor=INK, titleColor=INK, labelFontSize=11, titleFontWeight="normal", symbolOpacity=1)
    )  # fmt: skip


def values_of(points: Points, *, is_number: bool) -> list[dict[str, Any]]:
    """The points as rows. Those of different colours at one number stand a little beside each other, as their bars do."""
    rows = [asdict(point) for point in points.points]
    colors = list(dict.fromkeys(point.color for point in points.points))
    if is_number and len(colors) > 1:
        places = [point.x for point in points.points if isinstance(point.x, float)]
        step = DODGE * (max(places) - min(places))
        rows = [{**row, "x": row["x"] + step * (colors.index(row["color"]) - (len(colors) - 1) / 2)} for row in rows]
    return rows


def x_of(points: Points, *, is_number: bool) -> Any:
    """The x axis: at numbers a tick for each value, else the values in the order of the matrix."""
    import altair as alt  # noqa: PLC0415 - an extra

    values: list[Any] = list(dict.fromkeys(point.x for point in points.points))
    if is_number:
        axis = alt.Axis(values=values, format="~g", labelOverlap=True)
        return alt.X("x:Q", title=points.x, axis=axis, scale=alt.Scale(nice=False, padding=12))
    return alt.X("x:N", title=points.x, sort=values, axis=alt.Axis(labelAngle=0, labelLimit=WIDTH // len(values)))


def color_of(points: Points) -> Any:
    """The colours, in the order of the matrix; one for all where nothing is coloured by."""
    import altair as alt  # noqa: PLC0415 - an extra

    if points.color is None:
        return alt.value(COLORS[0])
    values = list(dict.fromkeys(point.color for point in points.points))
    scale = alt.Scale(domain=values, range=[COLORS[place % len(COLORS)] for place in range(len(values))])
    return alt.Color("color:N", title=points.color, scale=scale)


def domain(points: Sequence[Point]) -> list[float]:
    """The y axis: from the lowest to the highest end of a bar, to the next ten."""
    ends = [end for point in points for end in (point.value, point.low, point.high) if end is not None]
    low, high = 10 * (min(ends) // 10), -10 * (-max(ends) // 10)
    return [low, high] if high > low else [max(0, low - 10), min(100, low + 10)]


def lines(caption: str, width: int = 78) -> list[str]:
    """The caption in lines that the picture has room for."""
    from textwrap import wrap  # noqa: PLC0415 - only here

    return wrap(caption, width)
