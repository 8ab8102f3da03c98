"""promptkit and its peers on MMLU, five-shot, by the log-likelihood of each option's full text.

    python bench/options.py [--rows 128] [--rounds 2] [--sides promptkit,lm-eval,vllm] [--dtype bfloat16]

The same five demonstrations of five subjects for all rows, which are spread over the 57 subjects; four options a row.
promptkit's side is a pipeline with `choose:`, lm-eval's is `loglikelihood` of its `hf` backend, vLLM's `prompt_logprobs`.
Prints seconds as `bench/few_shot.py` does, and how far the log-likelihoods of promptkit and each peer are apart; in
float32, more than 0.001 between promptkit and lm-eval is a failure, with exit code 1.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from bench.work import (
    NUM_WARM_UP,
    Item,
    Result,
    Round,
    Work,
    add_json,
    arguments,
    measured,
    read_rows,
    setting_for,
    times_table,
)

SIZES = (8, 16, 32)  # lm-eval keeps the logits of all tokens: 64 rows in float32 would take more than this machine has
NUM_SHOTS = 5
NUM_OPTIONS = 4
GREATEST_DIFFERENCE = 1e-3  # between promptkit and lm-eval in float32
DEMONSTRATION = "Question: {{ question }}\nAnswer: {{ answer }}\n\n"
QUERY = "Question: {{ question }}\nAnswer:"


def options_work(num_rows: int, dtype: str) -> Work:
    """Rows of MMLU's test split, every so many one, each after the same demonstrations."""
    train, test = answered("mmlu/train.jsonl"), answered("mmlu/test.jsonl")
    shots = train[:: len(train) // NUM_SHOTS][:NUM_SHOTS]
    beginning = "".join(f"Question: {row['question']}\nAnswer: {row['answer']}\n\n" for row in shots)
    wanted = num_rows + NUM_WARM_UP
    rows = test[:: max(1, len(test) // wanted)][:wanted]
    items = [item_of(row, beginning) for row in rows]
    return Work(
        pipeline=pipeline(),
        files={"shots.jsonl": shots, "test.jsonl": rows[:num_rows]},
        items=items[:num_rows],
        warm_up=items[num_rows:],
        targets=[row["options"].index(row["answer"]) for row in rows[:num_rows]],
        dtype=dtype,
    )


def answered(name: str) -> list[dict[str, Any]]:
    """The rows of a file whose options all differ, the letter of each replaced by its option's text."""
    rows = [row for row in read_rows(name) if len(set(row["options"])) == NUM_OPTIONS and all(row["options"])]
    return [{**row, "answer": row["options"]["ABCD".index(row["answer"])]} for row in rows]


def item_of(row: dict[str, Any], beginning: str) -> Item:
    """A row as its peers get it."""
    return Item(
        prompt=f"{beginning}Question: {row['question']}\nAnswer:", options=tuple(f" {each}" for each in row["options"])
    )


def pipeline() -> dict[str, Any]:
    """The pipeline, as a user would write it."""
    shots = {"from": "shots.jsonl", "take": NUM_SHOTS, "select": "first", "template": DEMONSTRATION}
    return {
        "name": "options",
        "data": {"test": {"files": "test.jsonl"}, "target": "{{ answer }}"},
        "prompt": [{"demonstrations": shots}, {"query": QUERY}],
        "choose": {"options": "{{ options }}", "lead": " "},
        "align": ["strip"],
        "score": ["accuracy"],
    }


def accuracy(result: Result, targets: Sequence[int]) -> float:
    """The share of rows whose right option has the highest log-likelihood, and alone."""
    pairs: list[tuple[list[float], int]] = list(zip(result.outputs, targets, strict=True))
    return sum([scores[right] == max(scores) and scores.count(max(scores)) == 1 for scores, right in pairs]) / len(
        pairs
    )


def greatest_difference(results: Round, side: str) -> float | None:
    """How far the log-likelihoods of promptkit and the side are apart at the most; None where there are not both."""
    if side == "promptkit" or "promptkit" not in results:
        return None
    pairs = zip(results["promptkit"].outputs, results[side].outputs, strict=True)
    apart: list[float] = [abs(a - b) for mine, others in pairs for a, b in zip(mine, others, strict=True)]
    return max(apart)


def main() -> None:
    """Measures all sides, round by round."""
    asked = arguments(__doc__, rows=128, sides=("promptkit", "lm-eval", "vllm"), rounds=2).parse_args()
    work = options_work(asked.rows, asked.dtype)
    setting = setting_for(asked, work, SIZES)
    rounds = measured(work, asked.sides, setting, asked.rounds)
    found = {
        side: {"accuracy": accuracy(result, work.targets), "difference": greatest_difference(rounds[-1], side)}
        for side, result in rounds[-1].items()
    }
    print(
        f"{len(work.items)} rows of MMLU, {NUM_OPTIONS} options each, {NUM_SHOTS} shots, {asked.dtype}, "
        f"{asked.rounds} rounds; lm-eval in batches of {setting.lm_eval_batch_size}"
    )
    print(*times_table(rounds), sep="\n")
    for side, values in found.items():
        apart = values["difference"]
        said = "" if apart is None else f", log-likelihoods at the most {apart:.2g} from promptkit's"
        print(f"{side:10} accuracy {100 * (values['accuracy'] or 0):.1f} %{said}")
    add_json(asked.json, asked, rounds, {"found": found, "lm_eval_batch_size": setting.lm_eval_batch_size})
    apart = greatest_difference(rounds[-1], "lm-eval") if "lm-eval" in asked.sides else None
    if asked.dtype == "float32" and apart is not None and apart > GREATEST_DIFFERENCE:
        sys.exit("promptkit and lm-eval differ in float32")


if __name__ == "__main__":
    main()
