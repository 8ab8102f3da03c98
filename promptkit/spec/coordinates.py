"""The four coordinates of a manipulation, after the taxonomy of neural network reprogrammability.

ŷ = O ∘ f ∘ I(x): where I acts, whether it is learned, how it acts, and how O reads the output. Every kind of step
states its own as the class variable `coordinates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Alignment", "Configuration", "Coordinates", "Location", "Operator"]

Location = Literal["input", "embedding", "hidden"]
Configuration = Literal["fixed", "learnable"]
Operator = Literal["concatenative", "additive", "parametric"]
Alignment = Literal["identity", "structural", "statistical", "linear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """Where one kind of step stands. A step of I has a location and an operator, a step of O an alignment."""

    location: Location | None = None
    configuration: Configuration = "fixed"
    operator: Operator | None = None
    alignment: Alignment | None = None
    num_parameters: int = 0
