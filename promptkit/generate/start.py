"""From a model's files to its engine: by what an earlier start kept, where that still holds, or through transformers."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from promptkit.generate.engine.engine import Engine, Limits
from promptkit.generate.engine.loading import NotCovered, Trial, make_engine, make_trial
from promptkit.generate.meter import Meter
from promptkit.generate.outline import keep_start, kept_outline, kept_trial, start_folder
from promptkit.generate.skeleton import outline_of, put_together
from promptkit.generate.tokenizer import Tokenizer

__all__ = ["Limits", "NotCovered", "Start"]

log = logging.getLogger(__name__)


class Start:
    """How a model of an identity starts. `load` gives the model as transformers makes it, `weights` the folder of them."""

    def __init__(self, identity: Mapping[str, Any], weights: Callable[[], Path], load: Callable[[], Any]) -> None:
        self._folder = start_folder(identity)
        self._dtype = getattr(torch, identity["dtype"])
        self._weights = weights
        self._load = load

    def engine(self, tokenizer: Tokenizer, eos: frozenset[int], meter: Meter, limits: Limits) -> Engine:
        """The engine. Raises `NotCovered`, and what `load` raises."""
        make = functools.partial(make_engine, tokenizer=tokenizer, eos=eos, meter=meter, limits=limits)
        trial = self._kept_trial()
        return (trial and self._again(trial, make)) or self._first(trial, make)

    def _again(self, trial: Trial, make: Callable[..., Engine]) -> Engine | None:
        """The engine of a skeleton; None where none is kept, or where it does not stand its trial any more."""
        outline = kept_outline(self._folder)
        if outline is None:
            return None
        try:
            return make(put_together(outline, self._weights(), self._dtype), trial=trial)
        except Exception as error:  # noqa: BLE001 - whatever it is, transformers makes the model, or says what is wrong
            log.debug("the model is made by transformers again: %s", error)
            return None

    def _first(self, trial: Trial | None, make: Callable[..., Engine]) -> Engine:
        """The engine of the model that transformers makes; what a later start needs is kept."""
        model = self._load()
        outline = outline_of(model)
        made = trial or make_trial(model)
        engine = make(model, trial=made)
        if trial is None:
            keep_start(self._folder, outline, made.to_bytes())
        return engine

    def _kept_trial(self) -> Trial | None:
        kept = kept_trial(self._folder)
        try:
            return None if kept is None else Trial.from_bytes(kept)
        except Exception:  # noqa: BLE001 - safetensors has no exception of its own for every way to be broken
            return None
