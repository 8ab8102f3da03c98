"""What a prompt showed, and what it did not, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from promptkit.prompt import Shown
from promptkit.report.marked import harmless

__all__ = ["shown_view"]

NUM_NAMED = 6  # of each; the record has all


def shown_view(shown: Shown, *, with_ids: bool = False) -> Text:
    """A line each for what was left out, dropped and relabelled; with the ids of what is shown, where asked for."""
    view = Text()
    for name, said in lines(shown, with_ids=with_ids):
        view.append(f"{name}  ", style="dim").append(f"{harmless(said)}\n")
    return view


def lines(shown: Shown, *, with_ids: bool) -> Iterator[tuple[str, str]]:
    """Each line's name, and what it says."""
    if with_ids and shown.ids:
        yield f"demonstrations {len(shown.ids)}", listed(shown.ids)
    if shown.left_out:
        yield "left out", listed([f"{each.id} ({each.why})" for each in shown.left_out])
    if shown.dropped:
        yield f"dropped {len(shown.dropped)}, to fit", listed(shown.dropped)
    if shown.relabelled:
        texts = [f"{each.id} ({each.label!r} as {each.shown!r})" for each in shown.relabelled]
        yield f"relabelled {len(texts)}", listed(texts)


def listed(texts: Sequence[str]) -> str:
    """The first of the texts, in a row."""
    more = f", and {len(texts) - NUM_NAMED:,} more" if len(texts) > NUM_NAMED else ""
    return ", ".join(texts[:NUM_NAMED]) + more
