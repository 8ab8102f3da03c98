"""What was asked at each place of a pipeline, part by part: by it one can tell why a completion is not in the store.

A key says only whether all parts are the same. A place is what stays when parts change: the pipeline's name and the
model's, the stage, the example, the sample.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SCHEMA", "Entry", "Kept", "Parts", "Places", "canonical", "digest", "parts_of"]

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS identities (digest BLOB PRIMARY KEY, parts TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS places (
        place BLOB NOT NULL,
        key BLOB NOT NULL,
        identity BLOB NOT NULL,
        prompt BLOB NOT NULL,
        settings TEXT NOT NULL,
        seed INTEGER,
        asked_at INTEGER NOT NULL,
        PRIMARY KEY (place, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS places_by_prompt ON places (prompt, asked_at)",
)
NOWHERE = b""  # the place of what an earlier version kept, which did not note it
NOTED = 1  # SQLite's `user_version` of a file in which all that is kept has been noted
LONG = ("constraint", "thinking", "until")  # parts of a request that are kept as a digest
NUM_NEAR = 20  # candidates looked at for one request
NUM_AT_ONCE = 1000  # rows of old that are noted in one transaction
NEAR = """
SELECT key, identity, prompt, settings, seed, asked_at FROM places
WHERE place = ? ORDER BY prompt = ? DESC, asked_at DESC LIMIT ?
"""
ELSEWHERE = """
SELECT key, identity, prompt, settings, seed, asked_at FROM places WHERE prompt = ? ORDER BY asked_at DESC LIMIT ?
"""
OLD = """
SELECT key, identity, request, CAST(strftime('%s', made_at) AS INTEGER) FROM completions
WHERE key > ? ORDER BY key LIMIT ?
"""
NOTE = """
INSERT OR IGNORE INTO places (place, identity, key, prompt, settings, seed, asked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

Row = tuple[bytes, bytes, bytes, "Parts", int]  # place, digest of the identity, key, parts, when it was asked

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What of a request can change its completion: digests of what is long, values of what is short.

    `settings` is JSON with one spelling. `seed` is None where nothing is drawn.
    """

    prompt: bytes
    settings: str
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request at its place: the key of its completion, and the parts that the key is made of, but for the identity."""

    place: bytes
    key: bytes
    parts: Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was asked before: as an `Entry`, with the digest of the model's identity, and seconds since 1970."""

    key: bytes
    identity: bytes
    parts: Parts
    asked_at: int


def canonical(value: Any) -> str:
    """JSON with one spelling for each value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def digest(text: str | bytes) -> bytes:
    """16 bytes of SHA-256: enough to tell parts of one store apart, where nothing is served by them."""
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).digest()[:16]


def parts_of(described: Mapping[str, Any]) -> Parts:
    """The parts of a request, from all that `described` says of it."""
    rest = {name: value for name, value in described.items() if name != "sample"}  # the place has the sample
    seed = rest.pop("seed", None)
    seen = array("q", rest.pop("tokens")).tobytes() if "tokens" in rest else str(rest.pop("prompt", "")).encode()
    settings = {"temperature": 0.0, **rest.pop("sampling")} if "sampling" in rest else {}
    if "options" in rest:
        settings["options"] = digest(canonical([rest.pop("options"), rest.pop("option_tokens", ())])).hex()
    settings |= {name: digest(canonical(rest.pop(name))).hex() for name in LONG if name in rest}
    return Parts(prompt=digest(seen), settings=canonical(settings | rest), seed=seed)


class Places:
    """The tables of places in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def note(self, identity: Mapping[str, Any], entries: Iterable[Entry]) -> None:
        """Notes what is asked of the model of that identity, all of it or none; what is noted already stays."""
        now, written = int(time.time()), canonical(identity)
        rows = [(each.place, digest(written), each.key, each.parts, now) for each in entries]
        self._write({digest(written): written}, rows)

    def was_asked(self, place: bytes, key: bytes) -> bool:
        """Whether the very same was asked at this place before."""
        found = self.connection.execute("SELECT 1 FROM places WHERE place = ? AND key = ?", (place, key))
        return found.fetchone() is not None

    def near(self, entry: Entry) -> list[Kept]:
        """What else was asked at its place, the same prompt first, then the newest."""
        return self._kept(NEAR, entry.place, entry.parts.prompt)

    def elsewhere(self, entry: Entry) -> list[Kept]:
        """What was asked with the same prompt, wherever that was, the newest first."""
        return self._kept(ELSEWHERE, entry.parts.prompt)

    def identity(self, found: bytes) -> dict[str, Any]:
        """The identity of that digest, by its parts; empty where it is not known."""
        row = self.connection.execute("SELECT parts FROM identities WHERE digest = ?", (found,)).fetchone()
        known: dict[str, Any] = json.loads(row[0]) if row else {}
        return known

    def request(self, key: bytes) -> dict[str, Any] | None:
        """The request whose completion is kept under that key, as it was described; None where there is none."""
        row = self.connection.execute("SELECT request FROM completions WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def has(self, key: bytes) -> bool:
        """Whether a completion is kept under that key."""
        return self.connection.execute("SELECT 1 FROM completions WHERE key = ?", (key,)).fetchone() is not None

    def has_placeless(self) -> bool:
        """Whether the store has completions of an earlier version, which noted no places."""
        return self.connection.execute("SELECT 1 FROM places WHERE place = ?", (NOWHERE,)).fetchone() is not None

    def note_old(self) -> None:
        """Notes, once, what an earlier version kept. It had all parts, but for the place.

        Begun again where it was broken off; two processes that do it at once do no harm.
        """
        if self.connection.execute("PRAGMA user_version").fetchone()[0] >= NOTED:
            return
        last = b""
        while rows := self.connection.execute(OLD, (last, NUM_AT_ONCE)).fetchall():
            if not last and len(rows) == NUM_AT_ONCE:
                log.info(
                    "what the store holds from before is noted part by part, once, so that it can say what differs"
                )
            last = rows[-1][0]
            noted = [
                (NOWHERE, digest(identity), key, parts_of(json.loads(request)), made_at or 0)
                for key, identity, request, made_at in rows
            ]
            self._write({digest(identity): identity for _, identity, _, _ in rows}, noted)
        self.connection.execute(f"PRAGMA user_version = {NOTED}")

    def _kept(self, query: str, *values: bytes) -> list[Kept]:
        return [
            Kept(key=key, identity=identity, parts=Parts(prompt=prompt, settings=settings, seed=seed), asked_at=at)
            for key, identity, prompt, settings, seed, at in self.connection.execute(query, (*values, NUM_NEAR))
        ]

    def _write(self, identities: Mapping[bytes, str], rows: Iterable[Row]) -> None:
        flat = [
            (place, identity, key, parts.prompt, parts.settings, parts.seed, at)
            for place, identity, key, parts, at in rows
        ]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?)", identities.items())
        self.connection.executemany(NOTE, flat)
        self.connection.execute("COMMIT")
