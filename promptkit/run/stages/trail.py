"""An example's way through the stages: what each of them was asked, wrote and answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptkit.align import NoAnswer
from promptkit.data import Example
from promptkit.errors import DataError
from promptkit.prompt import Piece, Prompt
from promptkit.run.choosing import asked_rows, score_rows
from promptkit.run.record import Record, thought_columns
from promptkit.run.stages.stage import Instead, Stage
from promptkit.spec.leaves import templates_in

__all__ = ["Asked", "Passed", "Trail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A stage's prompt, and the pieces that it is made of; the first `num_before` are the transcript that it continues."""

    prompt: Prompt
    pieces: tuple[Piece, ...]
    num_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A stage that ran for an example: what it was asked, and its record.

    `call` numbers the calls of the stage, from 0: the rows of one are weighed together. `beside` are the fields that its
    templates saw and the example has not.
    """

    stage: Stage
    round: int | None
    asked: Asked
    record: Record
    call: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answer(self) -> Any:
        """What later stages see: its answer, or what the stage declares in place of one that is missing."""
        if isinstance(self.record.outcome, NoAnswer) and isinstance(self.stage.if_missing, Instead):
            return self.stage.if_missing.default
        return self.record.answer

    @property
    def text(self) -> str:
        """What the model wrote or chose, as later stages see it: where options were weighed, the one that won."""
        calibrated = self.record.calibrated
        is_clear = calibrated is not None and len(calibrated.weighed.best) == 1
        return str(calibrated.weighed.best[0]) if calibrated and is_clear else self.record.completion.text

    @property
    def transcript(self) -> tuple[Piece, ...]:
        """Its prompt, and what the model wrote after it as the assistant's words."""
        return (*self.asked.pieces, Piece(text=self.lead + self.text, kind="completion", role="assistant"))

    @property
    def lead(self) -> str:
        """What stands between the prompt and an option that was chosen."""
        return self.stage.choose.lead if self.stage.choose else ""

    @property
    def ends(self) -> bool:
        """Whether the example ends here, without an answer. Where no answer is looked for, none is missing."""
        is_missing = isinstance(self.record.outcome, NoAnswer) and bool(self.stage.align or self.stage.choose)
        return is_missing and self.stage.if_missing == "end"

    def seen(self) -> dict[str, Any]:
        """What templates see of it."""
        record = self.record
        return {
            "text": self.text,
            "answer": self.answer,
            "status": record.outcome.status,
            "ended": record.completion.ended,
            "prompt": self.asked.prompt.text,
            "transcript": self.asked.prompt.text + self.lead + self.text,
        }

    def to_json(self, *, is_answer: bool = False) -> dict[str, Any]:
        """What a run keeps of it; of its prompt, what it added to the transcript that it went on from.

        `is_answer` says that it is the one whose completion stands in the row's own columns.
        """
        outcome = self.record.outcome
        asked, num_before = self.asked.prompt, self.asked.num_before
        added = Prompt.from_pieces(self.asked.pieces[num_before:]) if num_before else asked
        return {
            "stage": self.stage.name,
            "round": self.round,
            "continues": self.stage.carries_on if num_before else None,
            "prompt": added.text,
            "segments": [each.to_json() for each in added.segments],
            **(self.record.shown.to_json() if self.record.shown.ids or self.record.shown.left_out else {}),
            "completion": self.record.completion.text,
            "ended": self.record.completion.ended,
            "answer": self.record.answer,
            "status": outcome.status,
            "step": outcome.step,
            "reason": outcome.reason if isinstance(outcome, NoAnswer) else None,
            "num_prompt_tokens": self.record.num_prompt_tokens,
            "num_new_tokens": self.record.completion.num_new_tokens,
            **thought_columns(self.record.completion.thought),
            "from_store": self.record.from_store,
            **self.options_json(is_answer=is_answer),
        }

    def options_json(self, *, is_answer: bool) -> dict[str, Any]:
        """What is kept of options: all that it takes to weigh them again, and how they were weighed; nothing for free text."""
        options, asked, calibrated = self.record.completion.options, self.record.asked, self.record.calibrated
        if not options:
            return {}
        scores = {} if is_answer else {"options": score_rows(options), "asked": asked_rows(asked)}
        weighed = calibrated.to_json() if calibrated else {}
        return {"call": self.call, "fields": dict(self.beside), **scores, **weighed}


@dataclass(slots=True)
class Trail:
    """One sample of an example on its way. It grows by `passed`; `variables` are those of the loops that it is in."""

    example: Example
    sample: int = 0
    passed: list[Passed] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it ended at a stage that gave no answer."""
        return bool(self.passed) and self.passed[-1].ends

    def last(self, name: str) -> Passed | None:
        """The stage of that name as it ran last; None where it did not."""
        return next((each for each in reversed(self.passed) if each.stage.name == name), None)

    def fields(self) -> dict[str, Any]:
        """What templates see: the example's fields, the stages that ran, and the variables of loops."""
        for name in ("stages", *self.variables):
            if name in self.example.fields:
                raise DataError(
                    f"{self.example.origin}: the field {name!r} has the name of what templates see of stages\n"
                    f"    give it another name under `data.fields`"
                )
        return {**self.example.fields, "stages": self.stages(), **self.variables}

    def stages(self) -> dict[str, Any]:
        """The stages that ran, by name: as they ran last, with all their rounds under `rounds`."""
        rounds: dict[str, list[dict[str, Any]]] = {}
        for each in self.passed:
            rounds.setdefault(each.stage.name, []).append(each.seen())
        return {name: {**seen[-1], "rounds": seen} for name, seen in rounds.items()}

    def split(self, num: int) -> list[Trail]:
        """The same trail once for each of `num` samples."""
        return [Trail(self.example, number, list(self.passed), dict(self.variables)) for number in range(num)]

    def beside(self, stage: Stage, fields: Mapping[str, Any], replaced: Collection[str]) -> dict[str, Any]:
        """Of the `fields` that a stage's templates see, those by which options are weighed again and the example has not.

        `replaced` are those that prompts without content replace.
        """
        names = {name for step in stage.align[:1] for _, template in templates_in(step) for name in template.names}
        wanted = (names | set(replaced)) & fields.keys() - self.example.fields.keys()
        return {name: fields[name] for name in sorted(wanted)}

    def to_json(self, answer: Passed) -> list[Mapping[str, Any]]:
        """What a run keeps of its stages, of which one holds the answer."""
        return [each.to_json(is_answer=each is answer) for each in self.passed]
