"""Where the pipelines and templates that come with promptkit lie."""

from __future__ import annotations

from pathlib import Path

from promptkit.errors import DeclarationError
from promptkit.text import Problem, known_names

__all__ = ["find_chain", "find_pipeline", "shipped_chains", "shipped_folder", "shipped_pipelines"]

CHAINS = Path("templates") / "align"


def shipped_folder() -> Path:
    """The folder that holds the shipped `pipelines/` and `templates/`: in the package once installed, else beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


def shipped_pipelines() -> dict[str, Path]:
    """The shipped pipelines by name."""
    return {path.stem: path for path in sorted((shipped_folder() / "pipelines").glob("*.yaml"))}


def shipped_chains() -> dict[str, Path]:
    """The ready-made chains of `align` by name."""
    return {path.stem: path for path in sorted((shipped_folder() / CHAINS).glob("*.yaml"))}


def find_pipeline(name: str) -> tuple[Path, str]:
    """The file that `name` means, and the name to show: a path, or the name of a shipped pipeline or chain."""
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path, name
    shipped = {**shipped_chains(), **shipped_pipelines()}
    if name in shipped:
        return shipped[name], f"{name}.yaml"
    message = "is neither a file nor a shipped pipeline or chain"
    hint = "standard input is the file /dev/stdin" if name == "-" else known_names(name, shipped)
    raise DeclarationError([Problem(position=None, path=repr(name), message=message, hint=hint)])


def find_chain(name: str, folder: Path | None) -> Path:
    """The file of the chain that a file in `folder` names: beside it, in the folder above, or shipped; or a path.

    Raises `DeclarationError` where there is none.
    """
    relative = Path(name) if name.endswith(".yaml") else CHAINS / f"{name}.yaml"
    if folder is not None and folder.parts[-2:] == CHAINS.parts:  # a chain that uses another, beside it
        folder = folder.parent.parent
    beside = [folder, folder.parent] if folder else []
    found = next((each / relative for each in (*beside, shipped_folder()) if (each / relative).is_file()), None)
    if found is None:
        hint = known_names(name, shipped_chains())
        raise DeclarationError([Problem(position=None, path="", message=f"there is no chain {name!r}", hint=hint)])
    return found
