"""The ready-made chains on what real models wrote, against verdicts that others gave, or that were read by hand.

`labels/` holds what a reader takes for the answer of a completion, null where it has none: read for this, one by one.
"""

import json
from pathlib import Path

import pytest

from promptkit.align import Answer, Context
from promptkit.run import load
from promptkit.score import ExactMatch

LABELS = Path(__file__).parent / "labels"
SAME = ExactMatch(ignore_case=True)
BBH = {
    "boolean_expressions": "yes_no",
    "causal_judgement": "yes_no",
    "date_understanding": "choice",
    "dyck_languages": "text",
    "multistep_arithmetic_two": "number",
    "object_counting": "number",
    "sports_understanding": "yes_no",
    "tracking_shuffled_objects_three_objects": "choice",
    "word_sorting": "text",
}
BASELINES = {"gsm8k": "number", "svamp": "number", "multiarith": "number", "aqua": "choice", "date": "date"}


def rows(shared, name):
    with (shared / "chains" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def labelled(shared, name):
    """The rows that were read by hand, with what was read."""
    with (LABELS / f"{name}.jsonl").open(encoding="utf-8") as lines:
        labels = {row["id"]: row["answer"] for row in map(json.loads, lines)}
    found = [(row, labels[row["id"]]) for row in rows(shared, name) if row["id"] in labels]
    assert len(found) == len(labels)
    return found


def read(kind, row):
    """The answer of a row's completion."""
    context = Context(fields={"question": row["question"]}, question=row["question"] or "")
    outcome = load(kind).chain.align(row["chain"], context)
    return outcome.value if isinstance(outcome, Answer) else None


def written(kind, target):
    """A target as the chain writes it."""
    return None if target is None else load(kind).chain.align_target(target, {})


def agree(answer, target):
    return answer is None if target is None else answer is not None and SAME(answer, target) == 1


def share(values):
    values = list(values)
    return sum(values) / len(values)


def test_gsm8k_is_graded_as_its_authors_did(shared):
    """2,380 solutions of four models."""
    assert (
        share(
            agree(read("number", row), written("number", row["gold"])) == row["reported_correct"]
            for row in rows(shared, "gsm8k_openai_solutions")
        )
        >= 0.998
    )


def test_programs_with_a_boxed_result_are_read_as_their_authors_did(shared):
    """Three of 600 end in prose; a number that was computed before is read there."""
    assert (
        share(agree(read("number", row), written("number", row["source_pred"])) for row in rows(shared, "tora_gsm8k"))
        >= 0.995
    )


def test_verdicts_first_last_and_cut_are_read_as_by_hand(shared):
    """100 rows of GPT-3.5 and GPT-4: `[Yes]` and `[No]` first or last, boxes with two backslashes, cut ones."""
    assert (
        share(
            agree(read("yes_no" if row["task"] == "prime" else "number", row), label)
            for row, label in labelled(shared, "llmdrift")
        )
        >= 0.98
    )


def test_nine_tasks_of_big_bench_hard_are_read_as_by_hand(shared):
    """150 rows: brackets, words in order, letters, truth values, numbers; 18 are cut."""
    results = []
    for row, label in labelled(shared, "bbh_codex_cot"):
        kind = BBH[row["task"].removeprefix("bbh/")]
        results.append(agree(read(kind, row), label if kind == "text" else written(kind, label)))
    assert share(results) >= 0.98


@pytest.mark.parametrize(("name", "floor"), [("zeroeval_numersense", 1.0), ("zeroeval_gsm8k", 0.98)])
def test_json_of_forty_models_is_read_however_broken(shared, name, floor):
    """Line ends and quotes inside its strings are no hindrance."""
    answers = [read("number", row) for row in rows(shared, name)]
    assert share(answer is not None for answer in answers) >= floor


@pytest.mark.parametrize("task", BASELINES)
def test_prose_conclusions_are_read_as_their_authors_did(shared, task):
    """Where the authors extracted a number, a letter or a date; where they took a whole sentence, nothing compares."""
    results = []
    for row in rows(shared, "faithful_cot_baselines"):
        if row["task"] != task:
            continue
        try:
            results.append(agree(read(BASELINES[task], row), written(BASELINES[task], row["source_pred"])))
        except ValueError:
            continue
    assert share(results) >= 0.98
