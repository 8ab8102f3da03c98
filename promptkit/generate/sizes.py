"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from promptkit.errors import GenerationError

__all__ = ["format_bytes", "parse_bytes"]

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", re.IGNORECASE)


def parse_bytes(text: str) -> int:
    """The bytes that a text such as "6GB" means. Raises `GenerationError` where it means none.

    >>> parse_bytes("500MB"), parse_bytes("2GiB"), parse_bytes("1.5 G")
    (500000000, 2147483648, 1500000000)
    """
    found = WRITTEN.fullmatch(text)
    unit = UNITS.get(found[2].upper()) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        raise GenerationError(f"{text!r} is no amount of memory, such as 6GB, 500MB or 2GiB")
    return int(float(found[1]) * unit)


def format_bytes(num_bytes: float) -> str:
    """An amount of memory as people read it.

    >>> format_bytes(1_234_000_000), format_bytes(56_000_000), format_bytes(800)
    ('1.23 GB', '56 MB', '1 kB')
    """
    if num_bytes >= 10**9:
        return f"{num_bytes / 10**9:.3g} GB" if num_bytes < 10**12 else f"{num_bytes / 10**9:,.0f} GB"
    if num_bytes >= 10**6:
        return f"{num_bytes / 10**6:.0f} MB"
    return f"{num_bytes / 10**3:.0f} kB"
