"""The card of a pipeline as a table."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from promptkit.run import Card

__all__ = ["card_view"]


def card_view(card: Card) -> Group:
    """The formula, one row a step, and how many numbers are learned beside how many are frozen."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("", "step", "place", "location", "configuration", "operator", "alignment", "parameters"):
        table.add_column(name)
    for row in card.rows:
        place = row.coordinates
        is_model = row.part == "f"
        table.add_row(
            row.part,
            row.step,
            row.place,
            place.location or "",
            "frozen" if is_model else place.configuration,
            place.operator or "",
            place.alignment or "",
            "" if is_model else str(place.num_parameters),
        )
    frozen = f"{card.num_model_parameters:,}" if card.num_model_parameters is not None else "an unknown number of"
    head = Text(f"{card.pipeline}   ŷ = O ∘ f ∘ I(x)", style="bold")
    foot = Text(f"learns {card.num_learned_parameters:,} parameters; the model has {frozen}, all frozen", style="dim")
    return Group(head, Text(card.about, style="dim"), Text(), table, Text(), foot)
