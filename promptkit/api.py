"""promptkit in Python: what `from promptkit import load, run` gives. Importing it imports next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptkit.run import Pipeline, Run, Sweep

__all__ = ["load", "run"]


def load(name: str | Path, *, overrides: Sequence[str] = (), allow_code: bool = False) -> Pipeline:
    """The pipeline in a file, or the shipped one of that name. Raises `DeclarationError` with every mistake.

    `overrides` are texts `path=value`, laid over what the file says before it is read.
    """
    from promptkit.run.pipeline import load as load_now  # noqa: PLC0415 - importing promptkit stays light

    return load_now(name, overrides=overrides, allow_code=allow_code)


def run(  # noqa: PLR0913 - each option of the verb is a keyword here
    pipeline: Pipeline | Sweep | str | Path,
    *,
    model: str | None = None,
    data: str | Path | None = None,
    split: str = "test",
    limit: int | None = None,
    dtype: str = "auto",
    slots: int | None = None,
    memory: int | str | None = None,
    out: str | Path | None = "runs",
    store: str | Path | None = None,
    audit: int = 0,
) -> Run:
    """The finished run of a pipeline, or of the file or shipped pipeline of that name.

    `data` is the folder in which relative data files are looked for, `limit` the most examples to take. With `out`
    None no folder is written. A file with a `matrix` gives a `SweepRun`, which has the runs of its cells as `.cells`.
    `slots` is how many rows are in progress at once, `memory` the most to use, in bytes or as a text such as "6GB"; each
    follows from the machine where it is not given. `audit` rows are computed once more, each alone, and compared:
    `summary["audit"]`. Raises `PromptkitError` for every mistake that a person can mend.
    """
    from promptkit.generate import Loading  # noqa: PLC0415
    from promptkit.generate.sizes import parse_bytes  # noqa: PLC0415
    from promptkit.run import Pipeline, Selection, Settings, Sweep, load_whole, run_pipeline, run_sweep  # noqa: PLC0415

    declared = pipeline if isinstance(pipeline, Pipeline | Sweep) else load_whole(pipeline)
    settings = Settings(
        selection=Selection(split=split, limit=limit, data_folder=Path(data) if data else None),
        loading=Loading(dtype=dtype, slots=slots, memory=parse_bytes(memory) if isinstance(memory, str) else memory),
        out=Path(out or "."),
        store=Path(store) if store else None,
        num_audited=audit,
    )
    on_model = declared.with_model(model) if model else declared
    if isinstance(on_model, Sweep):
        return run_sweep(on_model, settings, is_written=out is not None)
    return run_pipeline(on_model, settings, is_written=out is not None)
