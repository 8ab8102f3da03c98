"""What a sweep would do: of each model what its cells take together, beside what they would take one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from promptkit.generate import Generator
from promptkit.generate.engine.forecast import Forecast
from promptkit.generate.local_generator import needed_tokens
from promptkit.run.forecast import RunForecast, forecast_plans, requests_of
from promptkit.run.models import Models
from promptkit.run.plan import Plan
from promptkit.run.run import Settings
from promptkit.run.stages.later import LaterStage, later_stages, summed
from promptkit.run.sweeps.entrant import Entrant, enter
from promptkit.run.sweeps.sweep import Sweep

__all__ = ["SweepForecast", "forecast_sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepForecast:
    """What a sweep would take: a forecast for each model. With a race all of it is the most that there can be.

    `num_separate` is how many prompt tokens would be computed if each cell were run by itself, none knowing of the others.
    """

    sweep: str
    num_cells: int
    models: tuple[RunForecast, ...]
    num_separate: int
    has_race: bool

    @property
    def num_computed(self) -> int:
        """How many prompt tokens the cells compute together."""
        return sum(each.work.num_computed for each in self.models)

    @property
    def fits(self) -> bool:
        """Whether `run` would begin to compute."""
        return all(each.fits for each in self.models)

    def to_json(self) -> dict[str, Any]:
        """The forecast as JSON values."""
        return {
            "pipeline": self.sweep,
            "num_cells": self.num_cells,
            "num_computed": self.num_computed,
            "num_separate": self.num_separate,
            "has_race": self.has_race,
            "models": [each.to_json() for each in self.models],
            "fits": self.fits,
        }


def forecast_sweep(sweep: Sweep, settings: Settings, *, calibrate: bool = False) -> SweepForecast:
    """The forecast. Raises `RunError` with the mistakes of all cells, as a run would."""
    models = Models(settings.loading)
    entrants = enter(sweep, settings, models)
    groups: dict[int, list[Entrant]] = {}
    for each in entrants:
        groups.setdefault(id(each.model), []).append(each)
    return SweepForecast(
        sweep=sweep.name,
        num_cells=len(sweep.cells),
        models=tuple(forecast_group(group, settings, models, calibrate=calibrate) for group in groups.values()),
        num_separate=sum(computed_alone(each.plan, each.model, settings) for each in entrants if each.plan),
        has_race=sweep.race is not None,
    )


def forecast_group(group: Sequence[Entrant], settings: Settings, models: Models, *, calibrate: bool) -> RunForecast:
    """The forecast of the cells of one model."""
    models.turn_to(group[0].model)  # to be measured, it is loaded
    plans = [each.plan for each in group if each.plan]
    made = forecast_plans(group[0].cell.pipeline, plans, group[0].model, settings, calibrate=calibrate)
    return made.with_later(summed(stage for each in group for stage in later_of(each)))


def later_of(entrant: Entrant) -> tuple[LaterStage, ...]:
    """What a cell's later stages do at most. What cells share is counted for each."""
    return later_stages(entrant.cell.pipeline, entrant.plan, entrant.model.tokenizer) if entrant.plan else ()


def computed_alone(plan: Plan, model: Generator, settings: Settings) -> int:
    """How many prompt tokens a run of one cell by itself would compute now."""
    _, missing, _ = requests_of([plan], model, settings)
    context = model.context_length
    return Forecast.of([each for each in missing if context is None or needed_tokens(each) <= context]).num_computed
