"""`promptkit plan`: what a run would take, without running it."""

from __future__ import annotations

from typing import Annotated

import typer

from promptkit.cli.loading import load_any
from promptkit.cli.options import (
    AllowCode,
    AsJson,
    CellNumber,
    DataFolder,
    Dtype,
    Limit,
    Memory,
    ModelName,
    Overrides,
    PipelineFile,
    Slots,
    Split,
    StoreFile,
)
from promptkit.cli.output import print_json, print_view
from promptkit.generate import Loading
from promptkit.run import RunForecast, Selection, Settings, Sweep, SweepForecast, forecast_run, forecast_sweep

__all__ = ["plan"]


def plan(
    file: PipelineFile,
    model: ModelName = None,
    data: DataFolder = None,
    split: Split = "test",
    limit: Limit = None,
    overrides: Overrides = None,
    dtype: Dtype = "auto",
    slots: Slots = None,
    memory: Memory = None,
    store: StoreFile = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="load the model and measure its speed, some seconds long")
    ] = False,
    cell: CellNumber = None,
    allow_code: AllowCode = False,
    as_json: AsJson = False,
) -> None:
    """Say what a run would compute: tokens, what is shared, memory, what does not fit, the time to expect; of a matrix for all cells."""
    declared = load_any(file, overrides or [], cell, allow_code=allow_code)
    declared = declared.with_model(model) if model else declared
    settings = Settings(
        selection=Selection(split=split, limit=limit, data_folder=data),
        loading=Loading(dtype=dtype, slots=slots, memory=memory),
        store=store,
    )
    forecast: RunForecast | SweepForecast
    if isinstance(declared, Sweep):
        forecast = forecast_sweep(declared, settings, calibrate=calibrate)
    else:
        forecast = forecast_run(declared, settings, calibrate=calibrate)
    if as_json:
        print_json(forecast.to_json())
    else:
        from promptkit.report import plan_view, sweep_plan_view

        print_view(sweep_plan_view(forecast) if isinstance(forecast, SweepForecast) else plan_view(forecast))
    if not forecast.fits:
        raise typer.Exit(1)
