"""How the system maps memory for us: large pages for what is read in every step, and none given back between steps.

On Linux with glibc; elsewhere nothing is done.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
import threading

__all__ = ["LARGE_PAGE", "Arena", "keep_memory", "map_in_large_pages"]

LARGE_PAGE = 2 << 20  # bytes
MADV_HUGEPAGE, MADV_POPULATE_WRITE = 14, 23
AT_ONCE = 16 << 20  # bytes that are populated before others get a turn
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


class Arena:
    """Zeroed memory in large pages, which a thread has the system map before it is needed, while a model loads.

    A gigabyte takes the system a second to map. Where it cannot be told to, the pages are mapped on first use.
    """

    def __init__(self, num_bytes: int) -> None:
        self.memory = mmap.mmap(-1, num_bytes + LARGE_PAGE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.first = -self.address % LARGE_PAGE
        self.num_bytes = num_bytes
        self._is_wanted = True
        self._taken = 0
        map_in_large_pages(self.address + self.first, num_bytes)
        self._thread = threading.Thread(target=self._populate, name="pages", daemon=True)
        self._thread.start()

    def _populate(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            madvise = ctypes.CDLL(None).madvise
            for offset in range(0, self.num_bytes // LARGE_PAGE * LARGE_PAGE, AT_ONCE):
                num = min(AT_ONCE, self.num_bytes // LARGE_PAGE * LARGE_PAGE - offset)
                place = ctypes.c_void_p(self.address + self.first + offset)
                if not self._is_wanted or madvise(place, ctypes.c_size_t(num), MADV_POPULATE_WRITE):
                    return

    def take(self, num_bytes: int) -> memoryview | None:
        """So many bytes that nobody else has, from the beginning of a cache line on; None where there are not as many."""
        begin = -(-self._taken // 64) * 64
        if begin + num_bytes > self.num_bytes:
            return None
        self._taken = begin + num_bytes
        return memoryview(self.memory)[self.first + begin : self.first + begin + num_bytes]

    def clear(self) -> None:
        """Takes everything back: those who had it no longer use it."""
        self._taken = 0

    def stop(self) -> None:
        """Maps no more ahead of its use."""
        self._is_wanted = False
        self._thread.join()
