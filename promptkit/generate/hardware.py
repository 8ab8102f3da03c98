"""What this machine computes in, found without importing torch."""

from __future__ import annotations

import functools
from pathlib import Path

from promptkit.errors import ModelError
from promptkit.text import known_names

__all__ = ["DTYPES", "device", "resolve_dtype"]

DTYPES = ("float32", "bfloat16", "float16")
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16"}  # x86, and `bf16` of 64-bit Arm


@functools.lru_cache(maxsize=1)
def processor_flags() -> frozenset[str]:
    """The processor's feature flags, as Linux lists them; empty elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return frozenset()
    lines = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return frozenset(next(lines, "").partition(":")[2].split())


@functools.lru_cache(maxsize=1)
def device() -> str:
    """Where models run: "cuda" where there is a card that torch can use, else "cpu"."""
    if not Path("/proc/driver/nvidia/version").exists():
        return "cpu"
    import torch  # noqa: PLC0415 - only asked where there is a card

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolve_dtype(asked: str) -> str:
    """The dtype's torch name; "auto" is bfloat16 where the machine computes in it in hardware, else float32."""
    if asked == "auto":
        in_hardware = device() == "cuda" or bool(processor_flags() & BFLOAT16_FLAGS)
        return "bfloat16" if in_hardware else "float32"
    if asked not in DTYPES:
        raise ModelError(f"no dtype is called {asked!r}\n    {known_names(asked, ['auto', *DTYPES])}")
    return asked
