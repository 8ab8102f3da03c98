"""What a prompt showed as columns of a run's table, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from promptkit.prompt import LeftOut, Relabelled, Shown
from promptkit.run.ledger import to_json

__all__ = ["read_shown", "shown_columns"]


def shown_columns(shown: Shown) -> dict[str, str]:
    """What was shown as JSON texts, one a column."""
    return {name: to_json(value) for name, value in shown.to_json().items()}


def read_shown(row: Mapping[str, Any]) -> Shown:
    """What a row of a run's table says was shown; nothing for runs of a version that did not keep it."""
    found = {name: json.loads(row.get(name) or "[]") for name in Shown().to_json()}
    return Shown(
        ids=tuple(found["demonstrations"]),
        left_out=tuple(LeftOut(**each) for each in found["left_out"]),
        dropped=tuple(found["dropped"]),
        relabelled=tuple(Relabelled(**each) for each in found["relabelled"]),
    )
