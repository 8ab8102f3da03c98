"""What a model makes of texts inside: the seam behind which its hidden states stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from promptkit.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["HasStates", "resolved_layers"]

DEPTH = 3  # where no layer is declared: that after a third of them


@runtime_checkable
class HasStates(Protocol):
    """A generator whose hidden states can be had."""

    def layers(self, declared: Sequence[int]) -> tuple[int, ...]:
        """The layers that are meant: 0 is the embedding, 1 the first layer's output; negative ones count from the last.

        That after a third of them where none is declared. Raises `ModelError` where there is no such layer.
        """

    def embed(self, rows: Sequence[Sequence[int]], layers: Sequence[int]) -> npt.NDArray[np.float32]:
        """Rows of tokens as vectors (N, L * D): each layer's hidden states averaged over the tokens, made of length 1,
        put side by side, and made of length 1 again. No row may be empty.
        """


def resolved_layers(declared: Sequence[int], num_layers: int | None, name: str) -> tuple[int, ...]:
    """The layers that are meant, of a model that has so many.

    >>> resolved_layers([], 30, "m"), resolved_layers([0, -1], 30, "m")
    ((10,), (0, 30))
    """
    if num_layers is None:
        raise ModelError(f"model {name!r}: its configuration does not say how many layers it has")
    found = []
    for layer in declared or [-(-num_layers // DEPTH)]:
        if not -num_layers - 1 <= layer <= num_layers:
            raise ModelError(
                f"model {name!r}: there is no layer {layer}: it has {num_layers} layers\n"
                f"    known: 0 (the embedding), 1 to {num_layers}, -1 (the last) to {-num_layers}"
            )
        found.append(layer if layer >= 0 else num_layers + 1 + layer)
    return tuple(found)
