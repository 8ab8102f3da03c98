"""What the page embeds of one call of the model: the prompt, the completion, and how its answer was found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from promptkit.generate import OptionScore, normalized
from promptkit.report.ledger_view import LAST, is_part
from promptkit.report.page.shared import Shared, loaded

__all__ = ["call_json", "sample_json", "value_of"]

Row = Mapping[str, Any]
DIGITS = 4  # of log-likelihoods and probabilities; the run's table has all
SHOWN = ("left_out", "dropped", "relabelled")  # beside the demonstrations, which the prompt's segments name


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def value_of(value: Any) -> str:
    """A value as the page writes it: a text as it is, anything else by `repr`; JSON's null is nothing."""
    return value if isinstance(value, str) else "" if value is None else repr(value)


def sample_json(row: Row, shared: Shared, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """One sample of an example, from its row of the run's table."""
    text = row["completion"]
    stages = loaded(row.get("stages"), "[]")
    own = (
        {}
        if stages
        else {"prompt": shared.prompt(row["prompt"], loaded(row.get("segments"), "[]")), **shown(row, shared)}
    )
    has_span = row.get("span_start") is not None
    captures = loaded(row.get("captures"), "{}")
    return present(
        {
            "number": row["sample"],
            **own,
            **told(row, shared),
            "answer": value_of(loaded(row["answer"])),
            "uncalibrated": value_of(loaded(row.get("uncalibrated"))),
            "span": [row["span_start"], row["span_end"]] if has_span else None,
            "captures": [[name, value_of(each["value"]), *each["span"]] for name, each in captures.items()],
            "ledger": list(ledger_json(row.get("ledger") or (), text, shared)),
            "scores": scores_of(row, "score."),
            "log": rounded(row.get("log_likelihood")),
            "options": options_json(row, shared, normalization(declaration, row.get("stage"))),
            "stage": row.get("stage"),
            "stages": [call_json(each, shared, declaration) for each in stages],
        }
    )


def call_json(kept: Row, shared: Shared, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a stage, from what a run keeps of it."""
    return present(
        {
            "stage": kept["stage"],
            "round": kept["round"],
            "continues": kept["continues"],
            "prompt": shared.prompt(kept["prompt"], kept.get("segments") or ()),
            **{name: shared.word(json.dumps(kept[name])) for name in SHOWN if kept.get(name)},
            **told(kept, shared),
            "answer": value_of(kept["answer"]),
            "options": options_json(kept, shared, normalization(declaration, kept["stage"])),
        }
    )


def told(row: Row, shared: Shared) -> dict[str, Any]:
    """What a sample and a stage's call both have: the completion, its end, its status, its thinking."""
    state = row.get("thinking")
    nums = (row.get("num_thinking_tokens") or 0, row.get("num_forced_tokens") or 0)
    return {
        "text": shared.texts.number(row["completion"]),
        "ended": row["ended"],
        "tokens": [row["num_prompt_tokens"], row["num_new_tokens"]],
        "status": row["status"],
        "step": shared.word(row["step"]),
        "reason": shared.word(row["reason"]),
        "thinking": [state, *nums, row.get("thinking_end") or 0] if state else None,
        "stored": row.get("from_store") or None,
        "weighed": [
            [each["value"], rounded(each["before"]), rounded(each["probability"])]
            for each in row.get("calibrated") or ()
        ],
    }


def shown(row: Row, shared: Shared) -> dict[str, int | None]:
    """What the prompt did not show, or showed otherwise, as numbers of JSON texts: many rows have the same."""
    return {name: shared.word(row[name]) for name in SHOWN if row.get(name) not in (None, "[]")}


def ledger_json(ledger: Sequence[Row], text: str, shared: Shared) -> Iterator[list[Any]]:
    """Each step that was tried: the step, what it read, and what it found and where; or why it found nothing.

    A value that is the text at its span is null.
    """
    above: list[str] = []
    for entry in ledger:
        name = entry["step"]
        while above and not is_part(name, above[-1]):
            above.pop()
        short = LAST.search(name) if above else None
        step = shared.steps.number((name, (short[0].lstrip(".") if short else "") or name, len(above)))
        above.append(name)
        tried = [step, entry["read_start"], entry["read_end"]]
        if entry["span_start"] is None:
            has_parts = any(is_part(other["step"], name) for other in ledger)  # they say it better
            yield [*tried, shared.word("see below" if has_parts else entry["reason"] or "nothing")]
            continue
        start, end = entry["span_start"], entry["span_end"]
        value = text[start:end] if entry["value"] is None else json.loads(entry["value"])
        yield [*tried, start, end, None if value == text[start:end] else value_of(value)]


def options_json(row: Row, shared: Shared, how: str) -> list[list[Any]]:
    """Each option: its text, log-likelihood, tokens, and the score that options were compared by where that is another."""
    options = [OptionScore(**each) for each in row.get("options") or ()]
    asked = [[OptionScore(**score) for score in each["options"]] for each in row.get("asked") or ()]
    compared: Sequence[float | None] = [None] * len(options)
    if how in ("token", "byte") or (how == "unconditional" and len(asked) == 1):
        compared = normalized(options, how, asked[0] if asked else ())  # type: ignore[arg-type]  # as the file says it
    return [
        [shared.texts.number(each.text), rounded(each.log_likelihood), each.num_tokens, rounded(score)]
        for each, score in zip(options, compared, strict=True)
    ]


def normalization(declaration: Mapping[str, Any], stage: str | None) -> str:
    """How the options of a pipeline or of one of its stages are compared."""
    blocks = [each for block in declaration.get("stages") or () for each in block.get("stages") or (block,)]
    of = next((each for each in blocks if each.get("name") == stage), declaration)
    choose = of.get("choose")
    return str(choose.get("normalize", "raw")) if isinstance(choose, Mapping) else "raw"


def scores_of(row: Row, prefix: str) -> dict[str, float | None]:
    """The scores of a row, whose columns begin so; none where it has no target."""
    named = {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
    return {name: value for name, value in named.items() if value is not None}


def rounded(value: float | None) -> float | str | None:
    """The number as the page writes it; as text where JSON has no form for it."""
    return value if value is None else round(value, DIGITS) if isfinite(value) else str(value)
