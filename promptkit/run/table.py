"""The table of a run: its records as rows of typed columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["columns_of", "records_table"]

SCORES = ("score.", "decided.score.", "uncalibrated.score.")  # what the names of columns of scores begin with


def records_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The records as an Arrow table, one a row, with the columns of all; the types do not depend on the values."""
    import pyarrow as pa  # noqa: PLC0415 - only where records are written, or asked for as Arrow

    option = pa.struct([("text", pa.string()), ("log_likelihood", pa.float64()), ("num_tokens", pa.int32())])
    step = pa.struct(
        [
            ("step", pa.string()),
            *((name, pa.int64()) for name in ("read_start", "read_end", "span_start", "span_end")),
            *((name, pa.string()) for name in ("value", "reason")),
            ("took_s", pa.float64()),
        ]
    )
    weighed = pa.struct([("value", pa.string()), ("probability", pa.float64()), ("before", pa.float64())])
    known = {
        "asked": pa.list_(pa.struct([("asked", pa.string()), ("options", pa.list_(option))])),
        "calibrated": pa.list_(weighed),
        "sample": pa.int32(),
        "num_prompt_tokens": pa.int32(),
        "num_new_tokens": pa.int32(),
        "num_thinking_tokens": pa.int32(),
        "num_forced_tokens": pa.int32(),
        "thinking_end": pa.int64(),
        "log_likelihood": pa.float64(),
        "decided_sample": pa.int32(),
        "options": pa.list_(option),
        "span_start": pa.int64(),
        "span_end": pa.int64(),
        "ledger": pa.list_(step),
        "from_store": pa.bool_(),
    }
    schema = pa.schema(
        [(name, pa.float64() if name.startswith(SCORES) else known.get(name, pa.string())) for name in columns_of(rows)]
    )
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all columns that any row has, in the order in which they come up."""
    return list(dict.fromkeys(name for row in rows for name in row))
