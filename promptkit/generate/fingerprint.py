"""Fingerprints of files: what a stored completion is tied to, so that another model's is never taken for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from promptkit.folders import cache_folder

__all__ = ["fingerprint"]


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256, in hex, over the names and contents of files. Empty where there are none."""
    paths = list(paths)
    if not paths:
        return ""
    if len(paths) == 1:
        return content_hash(paths[0])
    names = "".join(f"{path.name}\0{content_hash(path)}\0" for path in sorted(paths))
    return hashlib.sha256(names.encode()).hexdigest()


def content_hash(path: Path) -> str:
    """The file's SHA-256. That of a large file is remembered under its path, size and time of change."""
    state = path.stat()
    if state.st_size < 1 << 20:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    remembered = cache_folder() / "fingerprints.json"
    key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}|{state.st_ino}"
    known = load(remembered)
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha256").hexdigest()
        save(remembered, load(remembered) | known)
    return known[key]


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
