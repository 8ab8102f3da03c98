"""`use`: a chain from a file, ready-made or one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.chain import Chain
from promptkit.align.chain_file import ChainFile
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep
from promptkit.spec import Template

__all__ = ["Use"]


class Use(AlignStep):
    """Runs the chain of a file: one of the ready-made (`number`, `choice`, `yes_no`, ...), or any file's `align`.

    A name is that of a file `templates/align/NAME.yaml`, found as templates are: beside the pipeline's file, in the
    folder above it, or shipped. A name that ends with `.yaml` is a path. Steps before and after it extend it.
    """

    kind = "use"
    main: ClassVar[str | None] = "chain"

    chain: ChainFile = Field(description="the chain's name, or the path of a file that has an `align` section")
    given: dict[str, Template] = Field(
        default_factory=dict,
        alias="with",
        description="fields that the chain is to see, as templates over the example's: `{options: '{{ choices }}'}`",
    )

    @property
    def from_files(self) -> str:
        """What the chain's file says."""
        return self.chain.text

    @property
    def steps(self) -> Chain:
        """The chain."""
        return Chain(self.chain.steps)

    def __call__(self, found: Found) -> Found | Missing:
        """What the chain finds."""
        result = self.steps(self.with_fields(found))
        return replace(result, context=found.context) if isinstance(result, Found) else result

    def settle(self, found: Found) -> Found | Missing:
        """What the chain finds for good."""
        result = self.steps.settle(self.with_fields(found))
        return replace(result, context=found.context) if isinstance(result, Found) else result

    def unsettled(self) -> str:
        """What keeps the chain from it."""
        return self.steps.unsettled()

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """The target as the chain writes it."""
        return self.steps.align_target(target, self.seen(fields))

    def with_fields(self, found: Found) -> Found:
        """The same, with the fields that the chain is to see."""
        if not self.given:
            return found
        return replace(found, context=replace(found.context, fields=self.seen(found.fields)))

    def seen(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The example's fields, with those that are given laid over them."""
        return {**fields, **{name: template.value(fields) for name, template in self.given.items()}}
