"""The card of a pipeline as a table."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from promptkit.report.fitting import FirstThatFits
from promptkit.run.card import Card, CardRow

__all__ = ["card_view"]

COORDINATES = ("location", "configuration", "operator", "alignment")


def card_view(card: Card) -> Group:
    """The formula, one row a step, and how many numbers are learned beside how many are frozen."""
    return Group(
        Text(f"{card.pipeline}   ŷ = O ∘ f ∘ I(x)", style="bold"),
        Text(card.about, style="dim"),
        Text(),
        FirstThatFits(steps_table(card, is_wide=True), steps_table(card, is_wide=False)),
        Text(),
        Text(foot(card), style="dim"),
    )


def steps_table(card: Card, *, is_wide: bool) -> Table:
    """One row a step; the coordinates in columns of their own, or side by side in one."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("", "step", "place"):
        table.add_column(name, overflow="fold")
    for name in COORDINATES if is_wide else ("coordinates",):
        table.add_column(name)
    table.add_column("parameters", justify="right")
    for row in card.rows:
        cells = coordinates(row)
        learned = "" if row.part == "f" else number(row.num_parameters)
        shown = cells if is_wide else [" · ".join(filter(None, cells))]
        table.add_row(row.part, escape(row.step), escape(row.place), *shown, learned)
    return table


def number(num: int | None) -> str:
    """A number of parameters; "?" where only the data says it."""
    return "?" if num is None else f"{num:,}"


def coordinates(row: CardRow) -> list[str]:
    """A step's coordinates as the table shows them, in the order of `COORDINATES`; empty where it has none."""
    place = row.coordinates
    configuration = "frozen" if row.part == "f" else place.configuration
    return [place.location or "", configuration, place.operator or "", place.alignment or ""]


def foot(card: Card) -> str:
    """What is learned beside what is frozen, in a sentence."""
    more = any(row.num_parameters is None for row in card.rows)
    learned = f"learns {card.num_learned_parameters:,} parameters" + (
        " and those that the data decides" if more else ""
    )
    if card.num_model_parameters is None:
        return f"{learned}; how many the model has is not known here, and all of them are frozen"
    return f"{learned}; the model has {card.num_model_parameters:,}, all frozen"
