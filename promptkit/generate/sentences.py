"""Texts as vectors by a model that was trained for that, where a file asks for one."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptkit.errors import MissingExtra, ModelError
from promptkit.generate.model_files import first_line
from promptkit.generate.process import give_back, prepare_process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["SentenceModel"]

TIMEOUT_S = 10


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
        with contextlib.suppress(Exception):  # what an interrupted download left is fetched again
            if self.is_kept:
                return SentenceTransformer(self.name, device="cpu", local_files_only=True)
        self.check_is_there()
        try:
            return SentenceTransformer(self.name, device="cpu")
        except Exception as error:
            message = f"embed {self.name!r}: no model of sentence-transformers can be read: {first_line(error)[:300]}"
            raise ModelError(message) from error

    @property
    def hub_id(self) -> str:
        """Its name on the hub: the library's own models are known without their owner."""
        return self.name if "/" in self.name else f"sentence-transformers/{self.name}"

    @property
    def is_kept(self) -> bool:
        """Whether the hub's own cache knows what it is made of. Weights alone might be those of another kind of model."""
        from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - slow to import, and needed here alone

        return not Path(self.name).is_dir() and try_to_load_from_cache(self.hub_id, "modules.json") is not None

    def check_is_there(self) -> None:
        """Nothing; or `ModelError` from one question: the library asks six times for each file before it gives up."""
        if Path(self.name).is_dir():
            return
        from huggingface_hub import HfApi  # noqa: PLC0415 - slow to import, and needed here alone

        try:
            HfApi().model_info(self.hub_id, timeout=TIMEOUT_S)
        except Exception as error:
            raise ModelError(
                f"embed {self.name!r}: neither a folder here nor to be had from the hub: {first_line(error)}\n"
                "    a folder works without the hub; `knn` without `embed` takes the pipeline's own model"
            ) from error

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
