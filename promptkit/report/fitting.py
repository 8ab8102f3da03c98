"""Views for wide and for narrow terminals."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement

__all__ = ["FirstThatFits"]

UNLIMITED = 10_000


class FirstThatFits:
    """The first of several views that the width has room for without folding; the last where none has."""

    def __init__(self, *views: RenderableType) -> None:
        self.views = views

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for view in self.views:
            wanted = Measurement.get(console, options.update(max_width=UNLIMITED), view).maximum
            if wanted <= options.max_width or view is self.views[-1]:
                yield view
                return
