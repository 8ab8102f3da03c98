"""Fingerprints of files: what a stored completion is tied to, so that another model's is never taken for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from promptkit.folders import cache_folder

__all__ = ["fingerprint", "is_remembered"]

SMALL = 1 << 20  # bytes; a smaller file is read again each time
REMEMBERED = "fingerprints.json"


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256, in hex, over the names and contents of files. Empty where there are none."""
    paths = list(paths)
    if not paths:
        return ""
    if len(paths) == 1:
        return content_hash(paths[0])
    names = "".join(f"{path.name}\0{content_hash(path)}\0" for path in sorted(paths))
    return hashlib.sha256(names.encode()).hexdigest()


def is_remembered(path: Path) -> bool:
    """Whether a fingerprint of the file takes but a moment: it is small, or was looked through before."""
    return path.stat().st_size < SMALL or state_of(path) in load(cache_folder() / REMEMBERED)


def content_hash(path: Path) -> str:
    """The file's SHA-256. That of a large file is remembered under its path, size and time of change."""
    if path.stat().st_size < SMALL:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    remembered = cache_folder() / REMEMBERED
    key = state_of(path)
    known = load(remembered)
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        save(remembered, load(remembered) | known)
    return known[key]


def state_of(path: Path) -> str:
    """What a file is remembered by: it changes when the file does."""
    state = path.stat()
    return f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}|{state.st_ino}"


def load(path: Path) -> dict[str, str]:
    """What is remembered; nothing, where the file is missing or broken: hashing again is always right."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def save(path: Path, known: dict[str, str]) -> None:
    """Writes what is remembered, whole or not at all; a cache that cannot be written is only slower."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(known))
        partial.replace(path)
    except OSError:
        return
