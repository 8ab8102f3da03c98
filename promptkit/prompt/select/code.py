"""`python`: a choice by a function of one's own, where the person who runs the file allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt.pool import Pool
from promptkit.prompt.select.selector import Chooser, Selector
from promptkit.spec.code import Code

__all__ = ["Python"]


class Python(Selector):
    """Calls `function(rows, example, num, seed)`, which gives the places of at most `num` rows, the best first.

    `rows` are the fields of those that may be shown, in the order of the pool; `example` is the fields of the one that
    is asked about, None where one choice is made for all (`per: example` makes one for each).
    """

    kind = "python"
    main: ClassVar[str | None] = "call"

    call: Code = Field(description="module:function; the module is a file beside the pipeline's, or installed")

    def chooser(self, pool: Pool, seed: int) -> Chooser:
        """What calls it. Raises `DataError` for whatever the function does wrong."""

        def choose(example: Example | None, allowed: Sequence[int], num: int) -> list[int]:
            rows = [dict(pool.rows[number].fields) for number in allowed]
            asked = dict(example.fields) if example else None
            try:
                given = list(self.call.function(rows, asked, num, seed))
            except Exception as error:
                raise DataError(f"select: {self.call.name} raised {type(error).__name__}: {error}") from error
            if wrong := what_is_wrong(given, len(rows), num):
                raise DataError(f"select: {self.call.name} {wrong}")
            return [allowed[int(place)] for place in given]

        return choose


def what_is_wrong(given: Sequence[Any], num_rows: int, num: int) -> str:
    """What is wrong with the places that a function gave; empty if nothing.

    >>> what_is_wrong([0, 2], 3, 2), what_is_wrong([0, 3], 3, 2)
    ('', 'gave 3, which is no place of a row: there are 3, counted from 0')
    """
    for each in given:
        if isinstance(each, bool) or not hasattr(each, "__index__") or not 0 <= int(each) < num_rows:
            return f"gave {each!r}, which is no place of a row: there are {num_rows}, counted from 0"
    if len({int(each) for each in given}) < len(given):
        return f"gave a row twice: {[int(each) for each in given]}"
    return f"gave {len(given)} rows, and at most {num} are to be taken" if len(given) > num else ""
