"""How fast a model computes on this machine, as earlier runs measured it: what a forecast of time is made from."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from promptkit.folders import cache_folder
from promptkit.generate.request import Work

__all__ = ["Speed", "known_speed", "remember_speed", "speed_of"]

ENOUGH_TOKENS, ENOUGH_S = 500, 1.0  # less says more of the start than of the speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Prompt tokens computed, and new tokens written, in a second, all rows together; None where not measured."""

    prefill: float | None = None
    decode: float | None = None


def speed_of(before: Work, after: Work, *, enough_tokens: int = ENOUGH_TOKENS, enough_s: float = ENOUGH_S) -> Speed:
    """The speed of the work between two states; None for a sort of work of which there was too little."""

    def rate(tokens: int, seconds: float) -> float | None:
        return round(tokens / seconds, 1) if tokens >= enough_tokens and seconds >= enough_s else None

    return Speed(
        prefill=rate(after.computed_prompt_tokens - before.computed_prompt_tokens, after.prefill_s - before.prefill_s),
        decode=rate(after.num_new_tokens - before.num_new_tokens, after.decode_s - before.decode_s),
    )


def speeds_file() -> Path:
    """Where speeds are kept."""
    return cache_folder() / "speeds.json"


def speed_key(identity: Mapping[str, Any]) -> str:
    """What a speed belongs to: the weights, dtype and device, on this machine."""
    parts = [str(identity[name]) for name in ("weights", "dtype", "device", "engine")]
    return "|".join([*parts, platform.node(), str(os.cpu_count())])


def read_speeds() -> dict[str, dict[str, float | None]]:
    """What is kept; nothing, where the file is missing or broken."""
    try:
        known = json.loads(speeds_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def known_speed(identity: Mapping[str, Any]) -> Speed | None:
    """What the last run of this model on this machine measured; None where there was none."""
    try:
        return Speed(**read_speeds()[speed_key(identity)])
    except (KeyError, TypeError):
        return None


def remember_speed(identity: Mapping[str, Any], speed: Speed) -> Speed:
    """What is known now: the newest of each sort. Keeps it; a cache that cannot be written is only less helpful."""
    before = known_speed(identity) or Speed()
    newest = Speed(prefill=speed.prefill or before.prefill, decode=speed.decode or before.decode)
    if newest == before:
        return newest
    path = speeds_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(read_speeds() | {speed_key(identity): asdict(newest)}, indent=1))
        partial.replace(path)
    except OSError:
        return newest
    return newest
