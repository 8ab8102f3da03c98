"""Texts as vectors by a model that was trained for that, where a file asks for one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import MissingExtra, ModelError
from promptkit.generate.process import give_back, prepare_process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["SentenceModel"]


class SentenceModel:
    """A model of the sentence-transformers library, by a folder or a hub id. It is read when it is first needed."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def model(self) -> Any:
        """The library's object. Raises `MissingExtra`, or `ModelError` where there is no such model."""
        if self.name.startswith((".", "/", "~")) and not Path(self.name).expanduser().is_dir():
            raise ModelError(f"embed {self.name!r}: there is no such folder")
        prepare_process()
        try:
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise MissingExtra("sentence-transformers", "embeddings") from error
        try:
            return SentenceTransformer(self.name, device="cpu")
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise ModelError(f"embed {self.name!r}: no model of sentence-transformers can be read: {reason}") from error

    def unload(self) -> None:
        """Lets the library's object go; it is read again when it is next needed."""
        if vars(self).pop("model", None) is not None:
            give_back()

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The fingerprint of its weights, its modules, and the version that computes, as JSON values."""
        digest = hashlib.sha256(str(self.model).encode())
        for name, weight in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.cpu().float().numpy().tobytes())
        return {"kind": "sentences", "weights": digest.hexdigest(), "library": version("sentence-transformers")}

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The texts as vectors (N, D) of length 1."""
        vectors: npt.NDArray[np.float32] = self.model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors.astype("float32")
