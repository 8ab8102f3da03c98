"""What this machine computes in, found without importing torch."""

from __future__ import annotations

import functools
import platform
import sys
from pathlib import Path

from promptkit.errors import ModelError
from promptkit.text import known_names

__all__ = ["DTYPES", "available_memory", "device", "has_matrix_units", "lays_out_bfloat16", "resolve_dtype"]

DTYPES = ("float32", "bfloat16", "float16")
BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16"}  # x86, and `bf16` of 64-bit Arm
CARD_SIGNS = (  # the card's driver: of Linux, of Linux inside Windows, of Windows
    Path("/proc/driver/nvidia/version"),
    Path("/dev/dxg"),
    Path("C:/Windows/System32/nvcuda.dll"),
)


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
    if not any(map(Path.exists, CARD_SIGNS)):
        return "cpu"
    import torch  # noqa: PLC0415 - only asked where there is a card

    return "cuda" if torch.cuda.is_available() else "cpu"


def card_has_bfloat16() -> bool:
    """Whether the card multiplies bfloat16 by itself, as those since Ampere do; older ones only imitate it."""
    import torch  # noqa: PLC0415 - only asked where there is a card

    return torch.cuda.get_device_capability() >= (8, 0)


def resolve_dtype(asked: str) -> str:
    """The dtype's torch name; "auto" is bfloat16 where the machine computes in it in hardware, else float32."""
    if asked == "auto":
        in_hardware = card_has_bfloat16() if device() == "cuda" else bool(processor_flags() & BFLOAT16_FLAGS)
        return "bfloat16" if in_hardware else "float32"
    if asked not in DTYPES:
        raise ModelError(f"no dtype is called {asked!r}\n    {known_names(asked, ['auto', *DTYPES])}")
    return asked


def available_memory() -> int | None:
    """The bytes that this process may have, with those that it has; None where the machine does not say.

    On a card they are the card's; else what Linux calls available, or less where the control group allows less.
    """
    if device() == "cuda":
        import torch  # noqa: PLC0415 - only asked where there is a card

        return int(torch.cuda.mem_get_info()[0]) + int(torch.cuda.memory_reserved())
    available = kilobytes("/proc/meminfo", "MemAvailable")
    if available is None:
        return None
    free = min([available, *control_group_free()])
    return free + sum(
        kilobytes("/proc/self/status", name) or 0 for name in ("RssAnon", "RssShmem")
    )  # arenas are shared


def kilobytes(path: str, name: str) -> int | None:
    """A line of one of Linux' own files that says kilobytes, in bytes; None where it is not there."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else int(found) * 1024


def control_group_free() -> list[int]:
    """What the control group leaves to its processes, where it sets a limit."""
    folder = Path("/sys/fs/cgroup")
    try:
        most = int((folder / "memory.max").read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return [max(0, most - int(statistics["anon"]) - int(statistics["shmem"]))]
    except (OSError, ValueError, KeyError):  # no group, or its limit is "max"
        return []


def has_matrix_units() -> bool:
    """Whether the processor multiplies tiles of bfloat16 (Intel AMX); the system may still keep them from a process."""
    is_there = {"amx_bf16", "avx512f"} <= processor_flags()
    return is_there and sys.platform == "linux" and platform.machine() == "x86_64"


def lays_out_bfloat16() -> bool:
    """Whether the processor computes in bfloat16, for which the engine lays weights out anew."""
    return bool(processor_flags() & BFLOAT16_FLAGS)
