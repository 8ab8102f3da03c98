"""`first`: ordered alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from promptkit.align.chain import Chain, within
from promptkit.align.ledger import Ledger
from promptkit.align.outcome import Found, Missing
from promptkit.align.step import AlignStep, Steps

__all__ = ["First"]


class First(AlignStep):
    """Tries alternatives in their order; the first that answers wins, and the answer says which it was."""

    kind = "first"
    main: ClassVar[str | None] = "alternatives"

    alternatives: tuple[Steps, ...] = Field(
        min_length=1, description="what to try, in this order; each a step, or a list of steps that are one chain"
    )

    def __call__(self, found: Found) -> Found | Missing:
        """What the first alternative that finds anything finds; else the reasons of all."""
        misses: list[Missing] = []
        ledger: Ledger = ()
        for number, steps in enumerate(self.alternatives):
            result = within(f"[{number}]", steps, Chain(steps)(found))
            ledger += result.ledger
            if isinstance(result, Found):
                return replace(result, ledger=ledger)
            misses.append(result)
        reason = "; ".join(f"{miss.step}: {miss.reason}" for miss in misses)
        return Missing(
            reason=reason,
            is_ambiguous=any(miss.is_ambiguous for miss in misses),
            is_cut=any(miss.is_cut for miss in misses),
            ledger=ledger,
        )

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
