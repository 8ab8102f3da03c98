"""Settings of the process that computes, and what it leaves alone while it starts."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator

from promptkit.generate.engine.pages import keep_memory

__all__ = ["prepare_process", "without_collecting"]


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
