"""The forecast of a sweep as people read it."""

from __future__ import annotations

from rich.text import Text

from promptkit.report.plan_view import WIDTH, plan_view
from promptkit.run.sweeps.forecast import SweepForecast

__all__ = ["sweep_plan_view"]


def sweep_plan_view(forecast: SweepForecast) -> Text:
    """The cells and what they save together; then the forecast of each model, over its cells."""
    text = Text()
    if forecast.has_race:
        text.append(f"{'race':{WIDTH}}", style="dim").append(
            "all of this is the most: cells that are dropped take less\n"
        )
    text.append(f"{'cells':{WIDTH}}", style="dim").append(f"{forecast.num_cells:,}\n")
    if forecast.num_computed:
        saved = forecast.num_separate / forecast.num_computed
        text.append(f"{'one by one':{WIDTH}}", style="dim")
        text.append(f"{forecast.num_separate:,} tokens; together {forecast.num_computed:,}, {saved:.2f} times fewer\n")
    for each in forecast.models:
        text.append_text(plan_view(each)).append("\n")
    text.rstrip()
    return text
