"""A step of O: a small function from a value with its span to a value with its span, or a reason why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import core_schema

from promptkit.align.outcome import Found, Missing
from promptkit.spec import Coordinates, Seam, StepDeclaration, kinds_of
from promptkit.spec.declaration import shorten

__all__ = ["ALIGN", "AlignStep", "ItemStep", "Steps"]

UNSETTLED = "reads the text to its end"


class AlignStep(StepDeclaration):
    """A step of the alignment chain. It never raises on any value, and its span lies inside the one it was given.

    What a person must mend, such as a template that names a field that is not there, is a `PromptkitError` all the
    same.
    """

    coordinates: ClassVar[Coordinates] = Coordinates(alignment="structural")
    reads_scores: ClassVar[bool] = False  # whether it reads the scores of options, and not the text of the best
    stays_open: ClassVar[bool] = False  # whether what it finds in an open text is open again, for the step after it

    @abstractmethod
    def __call__(self, found: Found) -> Found | Missing:
        """The value that this step finds in `found`, or why there is none."""

    def settle(self, found: Found) -> Found | Missing:
        """What this step finds in every text that begins with the open text `found`; `Missing` where that differs.

        What is found may itself be open: then it begins what the step finds in all of those texts, from the same place
        on. The default never knows before the text has ended.
        """
        return Missing(reason=UNSETTLED)

    def unsettled(self) -> str:
        """Why `settle` finds nothing in any text, to stand after the step's name; empty where it may find something."""
        return UNSETTLED

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A right answer as this step would have written it, so that answer and target are values of one kind.

        Raises `ValueError` where no completion could ever give this target. The default changes nothing.
        """
        return target


class ItemStep(AlignStep):
    """A step that reads one value. Given a list, it reads each item, and finds nothing unless it finds all of them."""

    def __call__(self, found: Found) -> Found | Missing:
        """What `read` finds in the value, or the list of what it finds in each item."""
        if not isinstance(found.value, list):
            return self.read(found) if isinstance(found.value, str) else self.read_other(found)
        values = []
        for number, item in enumerate(found.value):
            result = self(replace(found, value=item, is_verbatim=False))
            if isinstance(result, Missing):
                return replace(result, reason=f"item {number}: {result.reason}")
            values.append(result.value)
        return found.become(values)

    @abstractmethod
    def read(self, found: Found) -> Found | Missing:
        """What the step finds in a text."""

    def read_other(self, found: Found) -> Found | Missing:
        """What the step finds in a value that is neither text nor a list: nothing, unless it says otherwise."""
        return Missing(reason=f"{self.kind} reads text, not {shorten(found.value)}")

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The target as `read_target` has it, item by item where it is a list."""
        if isinstance(target, list | tuple):
            return [self.align_target(item, fields) for item in target]
        return self.read_target(target, fields)

    def read_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """One right answer as this step would have written it. The default changes nothing."""
        return target


ALIGN = Seam("align", "step", kinds_of("promptkit.align.kinds"))


class OneOrSeveral:
    """Says of a list of steps that one step alone may stand in its place."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_wrap_validator_function(read_steps, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


def read_steps(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """The steps of a list, or the one step that stands there alone."""
    return handler(value) if isinstance(value, list | tuple) else (ALIGN.read(value, info, AlignStep),)


Steps = Annotated[tuple[Annotated[AlignStep, ALIGN], ...], OneOrSeveral()]
