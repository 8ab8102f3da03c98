"""The completion store: one SQLite file that never gives one request's completion for another's.

A key is the SHA-256 of everything that can change a completion. Each completion is committed as it comes, so a run
that dies loses only what was still being computed, and several processes may share the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from promptkit.errors import RunError
from promptkit.folders import cache_folder
from promptkit.generate import Completion, OptionScore, Request, Thought
from promptkit.run.places import SCHEMA as PLACES
from promptkit.run.places import Places, canonical

__all__ = ["Store", "canonical", "default_store", "described", "request_key"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS completions (
    key BLOB PRIMARY KEY,
    identity TEXT NOT NULL,
    request TEXT NOT NULL,
    completion TEXT NOT NULL,
    made_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) WITHOUT ROWID
"""
VECTORS = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
BUSY_S = 60.0  # how long to wait for another process that is writing
BETWEEN_TRIES_S = 0.02
MANY = 500  # keys asked for at once: SQLite allows few thousand


def default_store() -> Path:
    """The store that all runs of a user share."""
    return cache_folder() / "completions.sqlite"


def request_key(identity: Mapping[str, Any], request: Request, sample: int) -> bytes:
    """The key of one completion, over the model's identity and all of the request that can change it."""
    return hashlib.sha256(canonical({"model": identity, **described(request, sample)}).encode()).digest()


def described(request: Request, sample: int) -> dict[str, Any]:
    """All of a request that can change its completion, as JSON values.

    Greedy text depends on no seed. A local model sees tokens, a server text: what it sees is what counts.
    """
    seen: dict[str, Any] = {"tokens": request.token_ids} if request.token_ids else {"prompt": request.prompt}
    if request.options:
        return {**seen, "options": request.options, "option_tokens": request.option_token_ids}
    if request.until:
        seen["until"] = request.until
    if request.wants_likelihood:
        seen["likelihood"] = True
    if request.constraint is not None:
        seen["constraint"] = dict(request.constraint.identity)
    if request.thinking is not None:
        seen["thinking"] = dict(request.thinking.identity)
    sampling = asdict(request.sampling)
    if request.sampling.temperature == 0:
        limits = {name: sampling[name] for name in ("max_new_tokens", "stop")}
        return {**seen, "sampling": limits}
    return {**seen, "sampling": sampling, "seed": request.seed, "sample": sample}


class Store:
    """An open store. Use it in a `with` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Opens the file, and makes it where there is none. Raises `RunError` where that cannot be."""
        with self._saying("opened"), contextlib.ExitStack() as on_failure:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            on_failure.callback(connection.close)
            use_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            for table in (SCHEMA, VECTORS, *PLACES):
                connection.execute(table)
            on_failure.pop_all()
            self._connection = connection
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __len__(self) -> int:
        with self._saying("read"):
            return int(self._open.execute("SELECT count(*) FROM completions").fetchone()[0])

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Completion]:
        """The completions that are kept under these keys."""
        with self._saying("read"):
            rows = self._rows("SELECT key, completion FROM completions WHERE key IN", keys)
            return {key: completion_from_json(text) for key, text in rows}

    def vectors(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The vectors that are kept under these keys, as they were given."""
        with self._saying("read"):
            return dict(self._rows("SELECT key, vector FROM vectors WHERE key IN", keys))

    def put_vectors(self, vectors: Mapping[bytes, bytes]) -> None:
        """Keeps vectors, all of them or none."""
        with self._saying("written"):
            self._open.execute("BEGIN IMMEDIATE")
            self._open.executemany("INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)", vectors.items())
            self._open.execute("COMMIT")

    def put(
        self, key: bytes, identity: Mapping[str, Any], request: Request, sample: int, completion: Completion
    ) -> None:
        """Keeps one completion; on disk when this returns, but for a power cut."""
        row = (key, canonical(identity), canonical(described(request, sample)), canonical(asdict(completion)))
        with self._saying("written"):
            self._open.execute(
                "INSERT OR REPLACE INTO completions (key, identity, request, completion) VALUES (?, ?, ?, ?)", row
            )

    @contextlib.contextmanager
    def places(self, done: str = "read") -> Iterator[Places]:
        """What was asked at each place of a pipeline, for a `with` block; `done` is what an error says of the store."""
        with self._saying(done):
            yield Places(self._open)

    def _rows(self, query: str, keys: Iterable[bytes]) -> Iterator[tuple[bytes, Any]]:
        """What a query that ends with `IN` finds for the keys, so many at a time as SQLite allows."""
        wanted = list(dict.fromkeys(keys))
        for first in range(0, len(wanted), MANY):
            some = wanted[first : first + MANY]
            for key, value in self._open.execute(f"{query} ({','.join('?' * len(some))})", some):
                yield bytes(key), value

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "the store is used outside its `with` block"
        return self._connection

    @contextlib.contextmanager
    def _saying(self, done: str) -> Iterator[None]:
        """Turns what SQLite and the disk say, and a row that is no completion, into one error that names the file."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError, TypeError, LookupError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            reason = "its folder is a file" if isinstance(error, FileExistsError) else reason
            raise RunError(
                f"the completion store {str(self.path)!r} cannot be {done}: {reason.lower()}\n"
                "    --store FILE names another"
            ) from error


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Turns on the write-ahead log. SQLite does not always wait for another process here, so this does."""
    give_up_at = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(BETWEEN_TRIES_S)
        else:
            return


def completion_from_json(text: str) -> Completion:
    """A completion as it was kept."""
    known = json.loads(text)
    known["token_ids"] = tuple(known["token_ids"])
    known["options"] = tuple(OptionScore(**option) for option in known["options"])
    if known.get("thought") is not None:
        known["thought"] = Thought(**known["thought"])
    return Completion(**known)
