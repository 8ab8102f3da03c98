"""What of a model's modules its weights do not say, written down when transformers has made it.

Later starts put the model together from that (`skeleton.py`), and look again whether it computes what it computed then.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from promptkit.folders import cache_folder
from promptkit.generate.prepared import whole_folder

__all__ = ["Outline", "keep_start", "kept_outline", "kept_trial", "start_folder"]

LAYOUT = 1  # raised when what is kept changes shape
OUTLINE, TRIAL = "outline.json", "trial.safetensors"
DECIDING = ("weights", "config", "dtype", "device", "torch", "transformers")  # of a generator's identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A usual decoder, but for its weights. `windows` and `kinds` have one entry a layer.

    `inverse_frequencies` and `rotary_scale` are those of its rotary positions, which are the same at every length.
    """

    model_class: str
    layer_class: str
    head_size: int
    attention_scale: float
    epsilon: float
    windows: tuple[int | None, ...]
    kinds: tuple[str, ...]
    inverse_frequencies: tuple[float, ...]
    rotary_scale: float
    is_tied: bool


def start_folder(identity: Mapping[str, Any]) -> Path:
    """Where it is kept how a model starts: under the hash of all that it follows from."""
    key = hashlib.sha256(json.dumps([LAYOUT, *(identity[name] for name in DECIDING)]).encode()).hexdigest()
    return cache_folder() / "models" / f"{key[:20]}-start"


def kept_outline(folder: Path) -> Outline | None:
    """The outline that a folder keeps; None where there is none, or it cannot be read."""
    try:
        kept = json.loads((folder / OUTLINE).read_text(encoding="utf-8"))
        known: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in kept.items()}
        return Outline(**known)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def kept_trial(folder: Path) -> bytes | None:
    """The trial that a folder keeps, as it was given; None where there is none."""
    try:
        return (folder / TRIAL).read_bytes()
    except OSError:
        return None


def keep_start(folder: Path, outline: Outline | None, trial: bytes) -> None:
    """Keeps an outline, if there is one, and a trial; what was kept before gives way. Not kept is only slower."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        with whole_folder(folder) as partial:
            (partial / TRIAL).write_bytes(trial)
            if outline is not None:
                (partial / OUTLINE).write_text(json.dumps(asdict(outline)), encoding="utf-8")
    except OSError:
        return
