"""Attention by a card's own programs, and steps that it repeats by itself."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from promptkit.generate.engine.attention import Heads, Settings
from promptkit.generate.engine.card.desk import DESK, Desk
from promptkit.generate.engine.card.kernels import Kernels, TritonKernels
from promptkit.generate.engine.card.readings import Readings
from promptkit.generate.engine.card.steps import Graphs, Record, Steps
from promptkit.generate.engine.layout import Pass

if TYPE_CHECKING:
    from promptkit.generate.engine.engine import Engine

__all__ = ["LARGE_FROM", "Card", "find_card"]

LARGE_FROM = 1024  # tokens of a pass that keep a card busy in large pieces
READINGS = "readings"  # of a pass, among what it keeps


class Card:
    """What computes attention for passes that carry it."""

    def __init__(self, kernels: Kernels, record: Record) -> None:
        self.steps = Steps(record)
        self.large_from = LARGE_FROM
        self._kernels = kernels
        self._layers: dict[int, tuple[int, torch.dtype]] = {}  # those that have attended: query heads a key's, dtype

    def attend(self, forward: Pass, settings: Settings, heads: Heads) -> torch.Tensor:
        """Attention (T, K, G, E) of the packed tokens, whose keys and values it keeps."""
        self._layers[settings.layer] = (heads.query.shape[2], heads.query.dtype)
        desk = self.desk(forward)
        holders = desk.table(settings.layer, heads)
        self._kernels.put(heads, holders, desk.homes)
        out = heads.new_output()
        shape = (len(desk.lines), *out.shape[1:])
        partials = (
            torch.empty(shape, dtype=torch.float32, device=out.device),
            torch.empty(shape[:-1], dtype=torch.float32, device=out.device),
        )
        self._kernels.read(settings, heads, holders, desk.pieces, desk.most_tokens, desk.positions, partials)
        self._kernels.merge(settings, partials, desk.line_starts, desk.lines, out)
        return out

    def logits(self, engine: Engine, forward: Pass) -> torch.Tensor | None:
        """The logits (T, V) of a captured step, until the next one; None where the pass is computed as it is."""
        if not self._layers or not forward.is_step:
            return None
        return self.steps.logits(engine, forward, self.readings(forward), tuple(sorted(self._layers)))

    def desk(self, forward: Pass) -> Desk:
        """The desk of a pass, which keeps it for its other layers."""
        if DESK not in forward.kept:
            forward.kept[DESK] = Desk.of(self.readings(forward), forward.position_ids)
        desk: Desk = forward.kept[DESK]
        return desk

    def readings(self, forward: Pass) -> Readings:
        """What a pass reads, which is cut once."""
        if READINGS not in forward.kept:
            group, dtype = max(self._layers.values(), key=lambda each: each[0])
            cut = self._kernels.cut(group, dtype, is_large=len(forward) >= self.large_from)
            forward.kept[READINGS] = Readings.of(forward, cut)
        readings: Readings = forward.kept[READINGS]
        return readings


def find_card(model: Any) -> Card | None:
    """The card that a model is on, if its programs can be made there."""
    if model.device.type != "cuda" or find_spec("triton") is None:
        return None
    has_units = torch.cuda.get_device_capability(model.device) >= (8, 0)
    return Card(TritonKernels(has_units=has_units), Graphs())
