"""What a card's graph does, on any machine: work is written down once, and done again with the same memory and no Python."""

from typing import Any
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

ATEN = torch.ops.aten
# what waits for the card's numbers: a card refuses it while it captures
WAITING = {
    ATEN._local_scalar_dense.default,
    ATEN.item.default,
    ATEN.nonzero.default,
    ATEN.is_nonzero.default,
    ATEN.equal.default,
}


class Tape(TorchDispatchMode):
    """Writes down each of torch's operations, with the tensors that it read and made."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in WAITING:
            raise RuntimeError(f"{func} while capturing")
        made = func(*args, **(kwargs or {}))
        self.done.append((func, args, kwargs or {}, made))
        return made

    def replay(self) -> None:
        """Does all of it again, into the same tensors."""
        for func, args, kwargs, made in self.done:
            for kept, new in zip(tensors(made), tensors(func(*args, **kwargs)), strict=True):
                if kept.data_ptr() != new.data_ptr():  # neither a view of what was read nor changed in place
                    kept.copy_(new)


def tensors(made: Any) -> list[torch.Tensor]:
    return [each for each in tree_iter(made) if isinstance(each, torch.Tensor)]


class Taped:
    """`Kernels` whose work is written down as a whole: to a card they are programs like others."""

    def __init__(self, kernels: Any) -> None:
        self.cut = kernels.cut
        self._kernels = kernels
        self.tape: Tape | None = None

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self._kernels, name)

        def call(*args: Any) -> None:
            if self.tape is None:
                kernel(*args)
                return
            tape = self.tape
            with torch.utils._python_dispatch._disable_current_modes():
                kernel(*args)
            tape.done.append((kernel, args, {}, None))

        return call

    def record(self, run: Any) -> Any:
        """`Record` for these kernels."""
        run()
        self.tape = tape = Tape()
        try:
            with tape, patch("torch.cuda.is_current_stream_capturing", return_value=True):  # transformers asks it
                out = run()
        finally:
            self.tape = None

        def replay() -> Any:
            tape.replay()
            return out

        return replay
