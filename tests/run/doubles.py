"""A generator that must not be asked, and what a test looks at when it was not."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from promptkit.generate import Work
from promptkit.run import Selection, Settings, load, run_pipeline


class NeverAsked:
    """A generator that must not be asked for anything."""

    name = "never"
    identity: Mapping[str, Any] = MappingProxyType({"kind": "never"})
    tokenizer = None
    context_length = None
    work = Work()

    def generate(self, requests):
        raise AssertionError("something was computed")


def begin(path, places, **selection):
    """Runs a pipeline that must fail before anything is computed."""
    settings = Settings(selection=Selection(**selection), out=places["out"], store=places["store"])
    return run_pipeline(load(path), settings, generator=NeverAsked())


def folders(out):
    """All that lies in the folder of runs, hidden or not."""
    return sorted(path.name for path in Path(out).iterdir())
