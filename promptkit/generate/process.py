"""Settings of the process that computes, and what it leaves alone while it starts."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator

from promptkit.generate.engine.pages import keep_memory

__all__ = ["give_back", "prepare_process", "without_collecting"]


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """No garbage is looked for meanwhile. The libraries that a model needs make a million objects, and keep them.

    Looking through these again and again takes a sixth of their import. In the end they stand with the oldest objects,
    where they are looked through with the next full collection, and not at once.
    """
    if not gc.isenabled() or gc.get_freeze_count():  # whoever has settings of their own keeps them
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def prepare_process() -> None:
    """Settings of the process that torch and the system's allocator look at, before torch is imported.

    Threads that wait for more work give the core free after some 50 microseconds, or another program on the machine
    slows every step tenfold.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    keep_memory()


def give_back() -> None:
    """Has what nobody uses any more collected, and its memory given back to the system, that of a card, too.

    Modules that transformers makes point at each other in circles, and `keep_memory` keeps what is freed. So does torch on a
    card, where what graphs of steps had is of use to nobody else till then.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
