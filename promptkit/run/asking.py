"""What is asked of the model beside a row's own prompt: what `choose` and the first step of O compare options with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptkit.align import Ask
from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.generate import Choose, Request
from promptkit.prompt import Piece, Prompt, Query
from promptkit.run.pipeline import Pipeline
from promptkit.run.prompter import Prompter
from promptkit.text import known_names

__all__ = ["Asker", "alone", "make_asker", "unconditional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Makes the requests for what the first step of O asks beside a row's own prompt. Equal ones are made once."""

    prompter: Prompter
    asks: Callable[[Mapping[str, Any]], tuple[Ask, ...]]
    made: dict[tuple[str, tuple[str, ...]], Request] = field(default_factory=dict)

    def requests(
        self,
        example: Example,
        options: Sequence[str],
        request: Callable[[Prompt], Request],
        fields: Mapping[str, Any] | None = None,
    ) -> dict[str, Request]:
        """The requests for one example, by what is asked. `request` makes the one for its options after a prompt.

        `fields` are what its templates see, where that is more than its own.
        """
        seen = example.fields if fields is None else fields
        found = {}
        for ask in self.asks(seen):
            prompt = self.prompt(ask, example, seen)
            key = (prompt.text, tuple(options))
            if key not in self.made:
                self.made[key] = request(prompt)
            found[ask.key] = self.made[key]
        return found

    def prompt(self, ask: Ask, example: Example, fields: Mapping[str, Any]) -> Prompt:
        """The prompt: one of its own, or the example's with other texts in some fields, below the same demonstrations."""
        if ask.prompt is not None:
            return alone(ask)
        return self.prompter.prompt_with(example, {**fields, **ask.fields}, fields)


def make_asker(pipeline: Pipeline, prompter: Prompter, examples: Sequence[Example]) -> Asker | None:
    """What makes these requests in a run over the examples; None where no step asks for any."""
    step = pipeline.weighing
    if step is None or pipeline.declaration.choose is None:
        return None
    names = fields_to_replace(pipeline, examples) if step.replaces_fields else ()
    return Asker(prompter=prompter, asks=step.asks([example.fields for example in examples], names))


def alone(ask: Ask) -> Prompt:
    """The prompt that says nothing of the example."""
    return Prompt.from_pieces([Piece(text=ask.prompt or "", kind="unconditional")])


def unconditional(choose: Choose | None, fields: Mapping[str, Any]) -> list[Ask]:
    """What `choose` itself asks beside, for a row of these fields."""
    if choose is None or choose.unconditional_prompt is None:
        return []
    return [Ask(prompt=choose.unconditional_prompt.render(fields))]


def fields_to_replace(pipeline: Pipeline, examples: Sequence[Example]) -> tuple[str, ...]:
    """The fields whose text a content-free prompt replaces: as declared, or those that the query takes.

    Fields that the options or the target are made of stay, and so do those that hold no text. Raises `DataError` where a
    field is not there, or there is none to replace.
    """
    step = pipeline.weighing
    assert step is not None
    for name in step.replaced:
        lacking = next((example for example in examples if name not in example.fields), None)
        if lacking is not None:
            hint = known_names(name, lacking.fields)
            raise DataError(f"{lacking.origin}: {step.kind}: there is no field {name!r} to replace\n    {hint}")
    found = step.replaced or tuple(
        sorted(
            name
            for name in asked_fields(pipeline)
            if all(isinstance(example.fields.get(name), str) for example in examples)
        )
    )
    if not found:
        raise DataError(
            f"{step.kind}: `query` takes no text from the examples that could be replaced\n    `fields` names what is"
        )
    return found


def asked_fields(pipeline: Pipeline) -> set[str]:
    """The fields that the query takes from the example, but for those that the options and the target are made of."""
    declared = pipeline.declaration
    taken = {name for step in declared.prompt if isinstance(step, Query) for name in step.text.names}
    others = [declared.data.target if declared.data else None, declared.choose.options if declared.choose else None]
    return taken - {name for other in others for name in getattr(other, "names", ())}
