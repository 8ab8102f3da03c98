"""`promptkit extract`: O alone, over completions from anywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from promptkit.align import STATUSES
from promptkit.cli.options import AllowCode, AsJson, Limit, Overrides, PipelineFile
from promptkit.cli.output import print_json, say, writing
from promptkit.data import Names, SampleFile, open_samples
from promptkit.errors import Interrupted, RunError
from promptkit.run import Extractor, Order, Pipeline, Tally, Written, load, read_batches

__all__ = ["extract"]

SHOWN_AFTER_S = 1.0  # what takes less needs no progress


def extract(
    file: PipelineFile,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FILE",
            help="where completions are: JSONL (- is standard input), CSV, JSON, Parquet, a log of lm-eval or inspect, a run, SWEEP/N",
        ),
    ],
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the completion, else 'completion'")
    ] = None,
    question: Annotated[str | None, typer.Option(metavar="NAME", help="the field that holds what was asked")] = None,
    prompt: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the prompt, as the model got it")
    ] = None,
    ended: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that says why it ended: stop, length, ...")
    ] = None,
    gold: Annotated[
        str | None, typer.Option(metavar="NAME", help="the field that holds the right answer; asks for scores")
    ] = None,
    ledger: Annotated[bool, typer.Option("--ledger", help="write what each step did with each row")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="write the rows here, not to standard output")
    ] = None,
    limit: Limit = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="processes; else one a core, where the file is large")
    ] = None,
    overrides: Overrides = None,
    allow_code: AllowCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress")] = False,
    as_json: AsJson = False,
) -> None:
    """Extract answers from completions with a pipeline's align chain. Needs no model.

    Writes one JSON object a row: id, answer, status, span, step. Exits with 1 where rows could not be read.
    """
    pipeline = load(file, overrides=overrides or [], allow_code=allow_code)
    started = time.perf_counter()
    names = Names(completion=field or "completion", prompt=prompt, question=question, ended=ended, target=gold)
    opened = open_samples(source, names, is_plain=field is not None)
    if out is not None and out.exists() and opened.file.path.exists() and out.samefile(opened.file.path):
        raise RunError(f"{str(out)!r} is what --from reads, and would be overwritten\n    --out FILE names another")
    if opened.shape.about:
        say(f"{opened.file.name}: read as {opened.shape.about}")
    order = Order(
        file=file, overrides=overrides or (), allow_code=allow_code, is_scored=gold is not None, is_traced=ledger
    )
    metrics = pipeline.metrics if order.is_scored else ()
    extractor = Extractor(chain=pipeline.chain, metrics=metrics, is_traced=ledger)
    written = read_batches(opened.batches(limit), extractor, order, workers)
    tally = write_all(written, out, opened, is_shown=not quiet, to_output=out is None and not as_json)
    seconds = time.perf_counter() - started
    say_summary(tally, pipeline, seconds)
    if as_json:
        print_json(summary(tally, pipeline, seconds))
    if tally.num_unreadable:
        raise typer.Exit(1)


def write_all(
    written: Generator[Written], out: Path | None, opened: SampleFile, *, is_shown: bool, to_output: bool
) -> Tally:
    """Writes all rows, as they come, and counts them. Raises `Interrupted` on Ctrl-C, which says what is written."""
    tally, started = Tally(), time.perf_counter()
    is_watched = is_shown and not (to_output and sys.stdout.isatty())
    sink = writing(out) if out else nullcontext(sys.stdout if to_output else None)
    try:
        with closing(written), sink as stream, ExitStack() as shown:
            for rows in written:
                if stream is not None:
                    stream.write(rows.text)
                tally.add(rows.tally)
                if is_watched and time.perf_counter() - started > SHOWN_AFTER_S:
                    shown.enter_context(progress_line(opened, tally, started))
                    is_watched = False
    except KeyboardInterrupt as error:
        kept = f"and nothing is written to {str(out)!r}" if out else "which are written"
        raise Interrupted(f"stopped after {tally.num_rows:,} rows, {kept}") from error
    return tally


def progress_line(opened: SampleFile, tally: Tally, started: float) -> AbstractContextManager[Any]:
    """What shows how far the file is read."""
    from promptkit.report import ProgressLine, Reading

    def reading() -> Reading:
        share = opened.num_bytes_read / opened.num_bytes if opened.num_bytes and opened.num_bytes_read else None
        return Reading(num_done=tally.num_rows, seconds=time.perf_counter() - started, share=share)

    line = ProgressLine(opened.file.name)
    line.watch(reading)
    return line


def say_summary(tally: Tally, pipeline: Pipeline, seconds: float) -> None:
    """Says how many rows there were of each sort, and how they score."""
    shown = ", ".join(f"{status} {tally.statuses[status]}" for status in STATUSES if tally.statuses[status])
    say(f"{tally.num_rows:,} rows in {seconds:.1f} s: {shown}")
    if tally.num_unreadable:
        say(f"unreadable: {tally.num_unreadable}, the first: {tally.first_unreadable}")
    if tally.scores or tally.num_without_target:
        from promptkit.report import format_score

        shown = ", ".join(f"{name} {format_score(score)}" for name, score in scores_of(tally, pipeline).items())
        without = f"; {tally.num_without_target} without a target" if tally.num_without_target else ""
        say(f"{shown}{without}")


def scores_of(tally: Tally, pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """Each metric's mean with its interval."""
    from promptkit.score import summarize

    scores = [summarize(metric.name, tally.values(metric.name)) for metric in pipeline.metrics]
    return {score.metric: {"value": score.value, "low": score.low, "high": score.high} for score in scores}


def summary(tally: Tally, pipeline: Pipeline, seconds: float) -> dict[str, Any]:
    """What `--json` prints."""
    counts = {status: tally.statuses[status] for status in STATUSES}
    printed: dict[str, Any] = {"pipeline": pipeline.name, "num_rows": tally.num_rows, "statuses": counts}
    printed["num_unreadable"] = tally.num_unreadable
    if tally.scores or tally.num_without_target:
        printed |= {"scores": scores_of(tally, pipeline), "num_without_target": tally.num_without_target}
    return {**printed, "total_s": round(seconds, 3)}
