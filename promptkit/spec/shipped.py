"""Where the pipelines and templates that come with promptkit lie."""

from __future__ import annotations

from pathlib import Path

from promptkit.errors import DeclarationError
from promptkit.text import Problem, known_names

__all__ = ["find_pipeline", "shipped_folder", "shipped_pipelines"]


def shipped_folder() -> Path:
    """The folder that holds the shipped `pipelines/` and `templates/`: in the package once installed, else beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


def shipped_pipelines() -> dict[str, Path]:
    """The shipped pipelines by name."""
    return {path.stem: path for path in sorted((shipped_folder() / "pipelines").glob("*.yaml"))}


def find_pipeline(name: str) -> tuple[Path, str]:
    """The file that `name` means, and the name to show: a path, or the name of a shipped pipeline."""
    path = Path(name)
    if path.exists() or path.suffix or len(path.parts) > 1:
        return path, name
    shipped = shipped_pipelines()
    if name in shipped:
        return shipped[name], f"{name}.yaml"
    message = "is neither a file nor a shipped pipeline"
    raise DeclarationError([Problem(position=None, path=repr(name), message=message, hint=known_names(name, shipped))])
