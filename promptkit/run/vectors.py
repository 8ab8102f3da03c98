"""Vectors of texts that are kept: each is computed once for a model, and found again by every later run."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from promptkit.errors import Interrupted
from promptkit.run.places import canonical
from promptkit.run.store import Store

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KeptVectors"]

log = logging.getLogger(__name__)

NUM_TOGETHER = 1024  # texts that are embedded before they are kept
MANY = 256  # texts whose embedding takes so long that it is said


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVectors:
    """Where vectors are kept, and what makes them: `identity` is all that can change one, beside the text itself."""

    store: Path
    identity: Mapping[str, Any]
    name: str
    embed: Callable[[Sequence[Any]], npt.NDArray[np.float32]]
    refresh: bool = False

    def of(self, texts: Sequence[tuple[Any, bytes]]) -> npt.NDArray[np.float32]:
        """The vectors (N, D), float32, of texts, each as `embed` reads it and as bytes; zero for one without bytes.

        Raises `Interrupted` on Ctrl-C, which loses at most the last thousand.
        """
        begin = hashlib.sha256(canonical(self.identity).encode())
        keys = [key_of(begin, each) for _, each in texts]
        rows = {key: row for key, (row, each) in zip(keys, texts, strict=True) if each}
        with Store(self.store) as store:
            found = {} if self.refresh else store.vectors(rows)
            missing = sorted((key for key in rows if key not in found), key=lambda key: -len(rows[key]))
            if len(missing) >= MANY:
                log.info("%s: embedding %s texts; they are kept", self.name, f"{len(missing):,}")
            for first in range(0, len(missing), NUM_TOGETHER):
                found |= self._made(missing[first : first + NUM_TOGETHER], rows, store, len(missing) - first)
        return stacked([found.get(key, b"") for key in keys])

    def _made(
        self, keys: Sequence[bytes], rows: Mapping[bytes, Any], store: Store, num_left: int
    ) -> dict[bytes, bytes]:
        """New vectors, which are kept when this returns."""
        try:
            vectors = self.embed([rows[key] for key in keys])
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"stopped: {num_left:,} of {len(rows):,} texts are still to be embedded; the others are kept in "
                f"{str(store.path)!r}, and the same command goes on from there"
            ) from error
        made = {key: vector.astype("<f4").tobytes() for key, vector in zip(keys, vectors, strict=True)}
        store.put_vectors(made)
        return made


def key_of(begin: hashlib._Hash, text: bytes) -> bytes:
    """The key of a text under an identity that `begin` has read already."""
    digest = begin.copy()
    digest.update(text)
    return digest.digest()


def stacked(kept: Sequence[bytes]) -> npt.NDArray[np.float32]:
    """The vectors (N, D) as they were kept; zero where there are no bytes."""
    size = max(map(len, kept), default=0)
    return np.frombuffer(b"".join(each or bytes(size) for each in kept), "<f4").reshape(len(kept), size // 4)
