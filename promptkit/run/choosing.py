"""Which option of a row wins: the scores made comparable, and kept as a run's table has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promptkit.align import NoAnswer
from promptkit.generate import Choose, OptionScore, normalized
from promptkit.run.asking import unconditional

__all__ = ["asked_rows", "best", "comparable", "read_asked", "renamed", "score_rows", "tie"]

Asked = Mapping[str, Sequence[OptionScore]]


def renamed(scores: Sequence[OptionScore], options: Sequence[str]) -> tuple[OptionScore, ...]:
    """The scores under the options' own texts, without their lead."""
    return tuple(replace(score, text=text) for score, text in zip(scores, options, strict=True))


def comparable(
    choose: Choose | None, options: Sequence[OptionScore], asked: Asked, fields: Mapping[str, Any]
) -> list[float]:
    """The options' scores as `choose` compares them. Raises `KeyError` where it asked for what is not there."""
    alone = [asked[ask.key] for ask in unconditional(choose, fields)]
    return normalized(options, choose.normalize if choose else "raw", alone[0] if alone else ())


def best(options: Sequence[OptionScore], values: Sequence[float]) -> list[str]:
    """The option of the highest value; several where it is the very same."""
    return [option.text for option, value in zip(options, values, strict=True) if value == max(values)]


def tie(winners: Sequence[str]) -> NoAnswer:
    """The outcome of options of the very same score: taking the first would favour a letter."""
    reason = f"{len(winners)} options have the same score: {', '.join(map(repr, winners))}"
    return NoAnswer(status="ambiguous", step="choose", reason=reason)


def score_rows(scores: Sequence[OptionScore]) -> list[dict[str, Any]]:
    """Options and their scores as a run's table has them."""
    return [
        {"text": each.text, "log_likelihood": each.log_likelihood, "num_tokens": each.num_tokens} for each in scores
    ]


def asked_rows(asked: Asked) -> list[dict[str, Any]]:
    """What else was asked, as a run's table has it."""
    return [{"asked": name, "options": score_rows(scores)} for name, scores in asked.items()]


def read_asked(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[OptionScore, ...]]:
    """What `asked_rows` made."""
    return {row["asked"]: tuple(OptionScore(**each) for each in row["options"]) for row in rows}
