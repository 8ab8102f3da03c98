"""`first`: ordered alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import core_schema

from promptkit.align.chain import Chain
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import ALIGN, AlignStep, Steps

__all__ = ["First"]


class OneOrSeveral:
    """Says of a list of steps that one step alone may stand in its place."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_wrap_validator_function(read_alternative, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


def read_alternative(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """The steps of an alternative: of a list, or the one step that stands there alone."""
    return handler(value) if isinstance(value, list | tuple) else (ALIGN.read(value, info, AlignStep),)


Alternative = Annotated[Steps, OneOrSeveral()]


class First(AlignStep):
    """Tries alternatives in their order; the first that answers wins, and the answer says which it was."""

    kind = "first"
    main: ClassVar[str | None] = "alternatives"

    alternatives: tuple[Alternative, ...] = Field(
        min_length=1, description="what to try, in this order; each a step, or a list of steps that are one chain"
    )

    def __call__(self, found: Found) -> Found | Missing:
        """What the first alternative that finds anything finds; else the reasons of all."""
        misses = []
        for number, steps in enumerate(self.alternatives):
            result = Chain(steps)(found)
            inner = result.step.removeprefix("[0]") if len(steps) == 1 else result.step
            result = replace(result, step=f"[{number}]{inner}")
            if isinstance(result, Found):
                return result
            misses.append(result)
        reason = "; ".join(f"{miss.step}: {miss.reason}" for miss in misses)
        return Missing(reason=reason, is_ambiguous=any(miss.is_ambiguous for miss in misses))

    def settle(self, found: Found) -> Found | Missing:
        """What the first alternative finds for good. What a later one finds, the first may find instead in the end."""
        return Chain(self.alternatives[0]).settle(found)

    def unsettled(self) -> str:
        """What keeps the first alternative from it."""
        why = Chain(self.alternatives[0]).unsettled()
        return f"[0]{why.removeprefix('[0]') if len(self.alternatives[0]) == 1 else why}" if why else ""

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The target as the first alternative that can give it writes it."""
        reasons = []
        for steps in self.alternatives:
            try:
                return Chain(steps).align_target(target, fields)
            except ValueError as error:
                reasons.append(str(error))
        raise ValueError("; ".join(reasons))
