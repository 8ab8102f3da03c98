"""The chain of O: steps in a row, and what they make of a completion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from promptkit.align.context import Context, Ended
from promptkit.align.ledger import Ledger, Tried, below
from promptkit.align.outcome import Answer, Found, Missing, NoAnswer, Outcome, Status
from promptkit.align.step import AlignStep
from promptkit.errors import PromptkitError
from promptkit.text import Span

__all__ = ["Chain", "Ended", "whole", "within"]


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps in a row, itself a step: each reads what the one before it found. No steps find the whole text."""

    steps: tuple[AlignStep, ...] = field(default=())

    def __call__(self, found: Found) -> Found | Missing:
        """What the last step finds, or what stopped the chain.

        `step` of either says which it was: `[1].number`; `ledger` has all that were tried, where that is asked for.
        """
        result, step, ledger = self.walked(found)
        return replace(result, step=step, ledger=ledger) if step else result

    def walked(self, found: Found) -> tuple[Found | Missing, str, Ledger]:
        """What the last step finds, or what stopped the chain; the way to that step; and the ledger."""
        result: Found | Missing = found
        is_traced, ledger = found.context.is_traced, found.ledger
        for number, step in enumerate(self.steps):
            started = perf_counter() if is_traced else 0.0
            result = attempt(step, found)
            if is_traced:
                ledger += entries_of(f"[{number}].{step.kind}", found, result, perf_counter() - started)
            if isinstance(result, Missing):
                break
            found = result
        return result, f"[{number}].{step.kind}{result.step}" if self.steps else "", ledger

    def align(
        self,
        text: str,
        context: Context | None = None,
        *,
        fields: Mapping[str, Any] | None = None,
        ended: Ended = "eos",
    ) -> Outcome:
        """The answer in a completion, or why it has none. `ended` says how the completion came to its end.

        `context` is all that is known beside the text; `fields` and `ended` alone may stand for it. A value of white
        space alone is no answer. Raises `PromptkitError` for what a person must mend, never for anything that a model
        wrote.
        """
        if context is None:
            context = Context(fields=fields or {}, ended=ended)
        result, place, ledger = self.walked(whole(text, context))
        step, ledger = f"align{place}", below("align", ledger) if ledger else ()
        if isinstance(result, Found) and not is_blank(result.value):
            return Answer(value=result.value, span=result.span, step=step, captures=result.captures, ledger=ledger)
        if isinstance(result, Found):
            result = Missing(reason="the completion is empty" if is_blank(text) else "the value is empty")
        status = status_of(result, text, context.ended)
        return NoAnswer(status=status, step=step, reason=result.reason, ledger=ledger)

    def settle(self, found: Found) -> Found | Missing:
        """What the chain finds in every text that begins with the open text `found`; open where no step closed it."""
        for step in self.steps:
            result = attempt(step.settle if found.is_open else step, found)
            if isinstance(result, Missing):
                return result
            found = result
        return found

    def is_settled(self, text: str, *, fields: Mapping[str, Any]) -> bool:
        """Whether the chain finds an answer in the text, and the same in the same place whatever text follows."""
        result = self.settle(replace(whole(text, Context(fields=fields)), is_open=True))
        return isinstance(result, Found) and not result.is_open and not is_blank(result.value)

    def unsettled(self, first: int = 0) -> str:
        """Why no text is ever settled, empty where one may be: `[0].regex` and what keeps this step from it.

        `first` is the number of its first step.
        """
        for number, step in enumerate(self.steps, first):
            why = step.unsettled()
            if why:
                inner = why.startswith(("[", ":"))  # of a step that is made of steps
                return f"[{number}].{step.kind}{why if inner else f' {why}'}"
            if not step.stays_open:
                return ""
        return ": no step says where an answer ends"

    @property
    def reads_scores(self) -> bool:
        """Whether a step reads the scores of options, and not the text of the best."""
        return any(step.reads_scores for step in self.steps)

    def align_target(self, target: Any, fields: Mapping[str, Any]) -> Any:
        """A right answer as the chain would have written it; None, which is no target, stays None.

        Raises `ValueError` where no completion could ever give it.
        """
        for step in self.steps:
            if target is None:
                return None
            target = step.align_target(target, fields)
        return target

    def step_names(self) -> tuple[str, ...]:
        """The steps as answers name them: `align[0].regex`, `align[1].number`."""
        return tuple(f"align[{number}].{step.kind}" for number, step in enumerate(self.steps))


def whole(text: str, context: Context) -> Found:
    """A completion before its first step."""
    return Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True, context=context)


def attempt(step: Callable[[Found], Found | Missing], found: Found) -> Found | Missing:
    """What the step finds. A step that breaks its word and raises has found nothing."""
    try:
        return step(replace(found, step="", ledger=()) if found.step or found.ledger else found)
    except PromptkitError:
        raise
    except Exception as error:  # noqa: BLE001 - plug-ins; one bad completion must not end the run
        return Missing(reason=f"the step raised {type(error).__name__}: {error}")


def within(place: str, steps: Sequence[AlignStep], result: Found | Missing) -> Found | Missing:
    """The result of a chain inside a step, its steps named below `place`; a step alone has no number of its own."""

    def short(step: str) -> str:
        return step.removeprefix("[0]") if len(steps) == 1 else step

    inner = tuple(replace(entry, step=short(entry.step)) for entry in result.ledger)
    return replace(result, step=f"{place}{short(result.step)}", ledger=below(place, inner))


def entries_of(name: str, found: Found, result: Found | Missing, took_s: float) -> Ledger:
    """A step in the ledger, and the steps inside it below."""
    if isinstance(result, Missing):
        entry = Tried(step=name, read=found.span, took_s=took_s, reason=result.reason)
    else:
        entry = Tried(step=name, read=found.span, took_s=took_s, span=result.span, value=result.value)
    return (entry, *below(name, result.ledger))


def status_of(miss: Missing, text: str, ended: Ended) -> Status:
    """The sort of no-answer. A cut completion that disagrees with itself is ambiguous: it did say something."""
    if is_blank(text):
        return "empty"
    if miss.is_ambiguous:
        return "ambiguous"
    return (
        "truncated" if miss.is_cut or ended in ("length", "answered") else "unparsed"
    )  # another chain had its answer there


def is_blank(value: Any) -> bool:
    """Whether a value is no value: None, or text of white space alone."""
    return value is None or (isinstance(value, str) and not value.strip())
