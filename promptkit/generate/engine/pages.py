"""How the system maps memory for us: large pages for what is read in every step, and none given back between steps.

On Linux with glibc; elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["LARGE_PAGE", "keep_memory", "map_in_large_pages"]

LARGE_PAGE = 2 << 20  # bytes
MADV_HUGEPAGE = 14
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 1 << 30  # bytes: blocks up to this size come from memory that the process has already


def keep_memory() -> None:
    """Lets freed blocks be used again: else each large intermediate result is mapped, zeroed and given back anew."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(M_MMAP_THRESHOLD, KEPT)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT)


def map_in_large_pages(address: int, num_bytes: int) -> None:
    """Asks the system to map a block of fresh memory in large pages, which it may refuse."""
    if sys.platform == "linux":
        start = -(-address // LARGE_PAGE) * LARGE_PAGE
        length = (address + num_bytes - start) // LARGE_PAGE * LARGE_PAGE
        if length > 0:
            ctypes.CDLL(None).madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), MADV_HUGEPAGE)
