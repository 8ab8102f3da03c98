"""A process that reads batches, started by `crew.py`: `python -m promptkit.run.worker`.

It is sent pickled values on standard input, an `Order` and then batches, and answers each with what it wrote. It ends
when its input does.
"""

from __future__ import annotations

import os
import pickle
import signal
from typing import BinaryIO

from promptkit.run.extracting import Order

__all__ = ["main"]


def main() -> None:
    """Reads batches until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    asked, answers = own_streams()
    order: Order = pickle.load(asked)  # noqa: S301 - of the process that started this one
    extractor = order.extractor()
    answer(None, answers)
    while True:
        try:
            batch = pickle.load(asked)  # noqa: S301
        except EOFError:
            return
        answer(extractor.written(batch), answers)


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Where values come from, and where answers go.

    Code of one's own, which may run here, finds nothing to read, and what it prints goes to standard error.
    """
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return asked, answers


def answer(value: object, answers: BinaryIO) -> None:
    """Sends one value."""
    pickle.dump(value, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()


if __name__ == "__main__":
    main()
