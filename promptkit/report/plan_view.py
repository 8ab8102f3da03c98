"""A forecast as people read it: what is computed, what is shared, the memory that it takes, and the time."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from promptkit.generate.engine.memory import MemoryPlan
from promptkit.generate.sizes import format_bytes
from promptkit.report.table import format_seconds
from promptkit.run.forecast import RunForecast, SharedText

__all__ = ["plan_view"]

WIDTH = 14  # of the names in front of the lines
MAX_EXCERPT = 48  # characters of a stretch's beginning, and of its end


def plan_view(forecast: RunForecast) -> Text:
    """Some lines, each with its name in front; what keeps the run from beginning in red."""
    text = Text()
    text.append(forecast.pipeline, style="bold")
    text.append(f" on {forecast.model}{f', {forecast.dtype}' if forecast.dtype else ''}\n")
    for name, said in lines(forecast):
        is_bad = name in ("does not fit", "no memory")
        text.append(f"{name:{WIDTH}}", style="red" if is_bad else "dim").append(f"{said}\n")
    text.rstrip()
    return text


def lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """Each line's name, and what it says; a name is empty where the line goes on with the one before."""
    work = forecast.work
    if forecast.later:
        yield "planned", "the first stage; what later ones ask follows from what is written before"
    yield "examples", f"{forecast.num_examples:,}"
    yield from demonstration_lines(forecast)
    if forecast.asks_model:
        yield "selection", "the choice of demonstrations asks the model: it was asked, and a run finds what it said"
    yield "requests", f"{forecast.num_requests:,}{from_store(forecast)}"
    yield from missed_lines(forecast)
    yield "prompts", f"{work.num_prompt_tokens:,} tokens"
    if forecast.segments and forecast.num_from_store:
        yield "segments", "of all prompts, those in the store too"
    for each in forecast.segments:
        yield "", f"{each.kind} {each.mean:,.1f} a prompt, {each.num_tokens:,} in all ({100 * each.share:.0f} %)"
    if work.num_alone != work.num_prompt_tokens:
        yield "with options", f"{work.num_alone:,} tokens"
    yield "computed", f"{work.num_computed:,} tokens; sharing saves a factor of {work.sharing:.2f}"
    if work.max_new_tokens:
        yield "new tokens", f"at most {work.max_new_tokens:,}"
    for stage in forecast.later:
        tokens = f", {stage.max_new_tokens:,} new tokens" if stage.max_new_tokens else ""
        yield "later", f"{stage.stage}: at most {plural(stage.max_rows, 'row')}{tokens}"
    yield from shared_lines(forecast)
    yield from fit_lines(forecast)
    yield from memory_lines(forecast)
    yield "time", expected(forecast)


def demonstration_lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """What examples are not shown, where there is any of it; `show` and the run's record name it."""
    if forecast.num_left_out:
        yield "left out", f"for {plural(forecast.num_left_out, 'example')}, demonstrations that would leak the answer"
    if forecast.num_dropped:
        yield "dropped", f"for {plural(forecast.num_dropped, 'example')}, demonstrations that do not fit"


def from_store(forecast: RunForecast) -> str:
    """What the store holds of the requests, as the end of a line."""
    if not forecast.num_from_store:
        return ""
    return f", {forecast.num_from_store:,} of them in the store: {forecast.num_requests - forecast.num_from_store:,} to compute"


def missed_lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """Why requests are not in the store, where the store knows of any of them."""
    if all(each.why == "new" for each in forecast.missed) and not forecast.num_from_store:
        return  # it was never run
    for number, each in enumerate(forecast.missed):
        yield "" if number else "not kept", f"{each.num:,}: {each.reason}"


def shared_lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """The tree: how many stretches are shared, how deep they lie, and those that save most."""
    work = forecast.work
    if not work.num_stretches:
        yield "shared", "nothing"
        return
    deep = f", {work.num_levels} levels deep" if work.num_levels > 1 else ""
    yield "shared", f"{plural(work.num_stretches, 'stretch', 'stretches')}{deep}"
    for each in forecast.shared:
        yield "", f"{each.num_tokens:,} tokens x {each.num_rows:,} rows  {excerpt(each)}"


def excerpt(shared: SharedText) -> str:
    """The beginning and the end of a stretch's text, in quotes.

    >>> excerpt(SharedText(num_tokens=40, num_rows=2, level=1, begins="Q: 1", ends="A:"))
    "'Q: 1' … 'A:'"
    """
    begins, ends = shared.begins[:MAX_EXCERPT], shared.ends[-MAX_EXCERPT:]
    return f"{begins!r} … {ends!r}" if ends else repr(begins)


def fit_lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """What the model's context holds, and the first of what it does not."""
    if forecast.context_length is None:
        yield "context", "unknown"
        return
    if not forecast.num_too_long:
        yield "context", f"{forecast.context_length:,} tokens; everything fits"
        return
    yield "does not fit", f"{plural(forecast.num_too_long, 'request')} of {forecast.context_length:,} tokens at most"
    for said in forecast.too_long:
        yield "", said
    if forecast.num_too_long > len(forecast.too_long):
        yield "", "..."


def memory_lines(forecast: RunForecast) -> Iterator[tuple[str, str]]:
    """The memory plan, or why there is none."""
    if forecast.no_memory:
        first, *more = forecast.no_memory.splitlines()
        yield "no memory", first
        yield from (("", line.strip()) for line in more)
    plan = forecast.memory
    if plan is None:
        return
    kept = plan.stretches + plan.slots
    held = f"{format_bytes(plan.stretches)} shared, {slots_of(plan)}"
    yield "keys, values", f"{format_bytes(kept)}: {held}, {format_bytes(forecast.bytes_per_token or 0)} a token"
    yield "memory", f"{format_bytes(plan.needed)}{limits_of(plan)}"
    if plan.kept:
        yield "", f"beside it up to {format_bytes(plan.kept)} that later stages go on from"
    parts = {
        "weights": plan.weights,
        "keys and values": kept,
        "logits": plan.logits,
        "working space": plan.working,
        "the process": plan.base,
    }
    yield "", ", ".join(f"{name} {format_bytes(value)}" for name, value in parts.items())
    if plan.mapped:
        yield (
            "",
            f"tools show up to {format_bytes(plan.total)}: the weights' file counts until the system wants its room",
        )
    if plan.assumed:
        yield "", f"assumed, since the model's configuration does not say: {', '.join(plan.assumed)}"


def slots_of(plan: MemoryPlan) -> str:
    """The slots and what they take."""
    if plan.is_scored:
        return f"{format_bytes(plan.slots)} for a pass over options"
    return f"{format_bytes(plan.slots)} in {plural(plan.num_slots, 'slot')} of {plan.room:,} tokens"


def limits_of(plan: MemoryPlan) -> str:
    """What may be used, as the end of a line."""
    return "" if plan.limit is None else f" of the {format_bytes(plan.limit)} that may be used"


def expected(forecast: RunForecast) -> str:
    """The time, as far as earlier runs tell; it is that of the computing alone."""
    if not forecast.work.num_requests and not forecast.later:
        return "nothing is to be computed"
    found = forecast.expected
    if found is None or found.prefill_s is None:
        how = "--calibrate measures its speed in some seconds"
        return f"no run of this model on this machine yet that was long enough to tell; {how}"
    read = f"{format_seconds(found.prefill_s)} to read"
    if forecast.later:
        read += " in the first stage, and what later ones read is not known"
    if not forecast.max_new_tokens:
        return read
    if found.decode_s is None:
        return f"{read}; how fast it writes is not known yet, --calibrate measures it"
    write = f"at most {format_seconds(found.decode_s)} to write"
    return f"{read}; {write} in all of them" if forecast.later else f"{read}, {write}"


def plural(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
