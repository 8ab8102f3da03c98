"""A step of O: a small function from a value with its span to a value with its span, or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from promptkit.align.outcome import Found, Missing
from promptkit.spec import Coordinates, Seam, StepDeclaration

__all__ = ["ALIGN", "AlignStep", "Steps"]


class AlignStep(StepDeclaration):
    """A step of the alignment chain. It never raises on any value, and its span lies inside the one it was given."""

    coordinates: ClassVar[Coordinates] = Coordinates(alignment="structural")

    @abstractmethod
    def __call__(self, found: Found) -> Found | Missing:
        """The value that this step finds in `found`, or why there is none."""

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A right answer as this step would have written it, so that answer and target are values of one kind.

        Raises `ValueError` where no completion could ever give this target. The default changes nothing.
        """
        return target


def kinds() -> Mapping[str, type[StepDeclaration]]:
    """Every kind of step that promptkit ships, by name."""
    from promptkit.align.kinds import KINDS  # noqa: PLC0415 - the kinds are steps, which are declared with this

    return KINDS


ALIGN = Seam("align", "step", kinds)
Steps = tuple[Annotated[AlignStep, ALIGN], ...]
