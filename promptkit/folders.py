"""Where promptkit keeps what it need not make twice."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """The user's cache for promptkit: `$PROMPTKIT_CACHE`, else `promptkit` in `$XDG_CACHE_HOME` or `~/.cache`."""
    if own := os.environ.get("PROMPTKIT_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "promptkit"
