"""promptkit and its peers on GSM8K with chain-of-thought demonstrations, greedy: seconds, tokens, right answers.

    python bench/few_shot.py [--rows 128] [--shots 8] [--rounds 2] [--sides promptkit,lm-eval,vllm] [--dtype bfloat16]

The prompts are those of lm-evaluation-harness's task `gsm8k_cot`: the eight exemplars of Wei et al. (2022), and, where
more shots are asked for, rows of the train split, without their calculator marks. All sides get the same prompts, up
to 256 new tokens, and the stop `Q:`. Each runs in a fresh process, in turn, round by round.

"With start" is the whole process; "without" is the work alone (for promptkit all but the loading of the model: planning,
store and files included; for its peers, warmed up by four other rows with the same demonstrations, the call alone).
Tokens are those of the texts, tokenised again. An answer is right if the last number after "answer is" is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from bench.work import (
    NUM_WARM_UP,
    Item,
    Result,
    Round,
    Work,
    add_json,
    arguments,
    default_tokenizer,
    measured,
    read_rows,
    setting_for,
    times_table,
)

SIZES = (8, 16, 32, 64)
STOP = "Q:"
MARK = re.compile(r"<<[^>]*>>")
NUMBER = re.compile(r"answer is[^\d\n]*?(-?\d[\d,]*(?:\.\d+)?)")
DEMONSTRATION = "Q: {{ question }}\nA: {{ rationale }} The answer is {{ answer }}.\n\n"
QUERY = "Q: {{ question }}\nA:"


def few_shot_work(num_rows: int, num_shots: int, dtype: str, max_new_tokens: int) -> Work:
    """The first rows of GSM8K's test split, each after the same demonstrations."""
    shots, rows = solved(num_shots), read_rows("gsm8k/test.jsonl")
    beginning = "".join(
        f"Q: {row['question']}\nA: {row['rationale']} The answer is {row['answer']}.\n\n" for row in shots
    )
    items = [Item(prompt=f"{beginning}Q: {row['question']}\nA:") for row in rows[: num_rows + NUM_WARM_UP]]
    return Work(
        pipeline=pipeline(num_shots, max_new_tokens),
        files={"shots.jsonl": shots, "test.jsonl": rows[:num_rows]},
        items=items[:num_rows],
        warm_up=items[num_rows:],
        targets=[row["answer"] for row in rows[:num_rows]],
        dtype=dtype,
        max_new_tokens=max_new_tokens,
        stop=(STOP,),
    )


def add_work(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the work, but for the number of rows."""
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--max-new-tokens", type=int, default=256)


def solved(num_shots: int) -> list[dict[str, Any]]:
    """The demonstrations: the exemplars, then rows of the train split without their calculator marks."""
    exemplars, train = read_rows("gsm8k/exemplars.jsonl"), read_rows("gsm8k/train.jsonl")
    unmarked = [{**row, "rationale": MARK.sub("", row["rationale"])} for row in train[:num_shots]]
    return [*exemplars, *unmarked][:num_shots]


def pipeline(num_shots: int, max_new_tokens: int) -> dict[str, Any]:
    """The pipeline, as a user would write it."""
    shots = {"from": "shots.jsonl", "take": num_shots, "select": "first", "template": DEMONSTRATION}
    return {
        "name": "few-shot",
        "data": {"test": {"files": "test.jsonl"}, "target": "{{ answer }}"},
        "prompt": [*([{"demonstrations": shots}] if num_shots else []), {"query": QUERY}],
        "generate": {"max_new_tokens": max_new_tokens, "stop": [STOP]},
        "align": [{"regex": {"pattern": r"answer is:?\s*(?P<answer>[^\n]+)", "take": "last"}}, "number"],
        "score": ["exact_match"],
    }


def is_right(text: str, target: str) -> bool:
    """Whether the last number after "answer is" is the target.

    >>> is_right(" 2 + 3 = 5. The answer is $5.", "5")
    True
    """
    found = NUMBER.findall(text)
    return bool(found) and float(found[-1].replace(",", "")) == float(target.replace(",", ""))


def found_in(result: Result, work: Work, tokenizer: Tokenizer, texts: Sequence[str] | None) -> dict[str, float]:
    """New tokens, the share of right answers, and how many rows have the same text as `texts`."""
    right = [is_right(text, target) for text, target in zip(result.outputs, work.targets, strict=True)]
    return {
        "new_tokens": sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in result.outputs),
        "exact_match": sum(right) / len(right),
        "same_texts": sum(map(str.__eq__, result.outputs, texts)) if texts else 0,
    }


def texts_of(results: Round, side: str) -> Sequence[str] | None:
    """A side's texts; None where it did not take part."""
    return results[side].outputs if side in results else None


def findings(results: Round, work: Work) -> Mapping[str, Mapping[str, float]]:
    """What is found in each side's texts of one round."""
    tokenizer, texts = default_tokenizer(), texts_of(results, "promptkit")
    return {side: found_in(result, work, tokenizer, texts) for side, result in results.items()}


def main() -> None:
    """Measures all sides, round by round."""
    parser = arguments(__doc__, rows=128, sides=("promptkit", "lm-eval", "vllm"), rounds=2)
    add_work(parser)
    asked = parser.parse_args()
    work = few_shot_work(asked.rows, asked.shots, asked.dtype, asked.max_new_tokens)
    setting = setting_for(asked, work, SIZES)
    rounds = measured(work, asked.sides, setting, asked.rounds)
    found = findings(rounds[-1], work)
    print(
        f"{len(work.items)} rows of GSM8K, {asked.shots} shots, {asked.dtype}, up to {asked.max_new_tokens} new tokens, "
        f"{asked.rounds} rounds; lm-eval in batches of {setting.lm_eval_batch_size}"
    )
    print(*times_table(rounds), sep="\n")
    for side, values in found.items():
        same = f", {values['same_texts']} of {len(work.items)} texts as promptkit's" if "promptkit" in rounds[0] else ""
        print(f"{side:10} {values['new_tokens']} new tokens, exact match {100 * values['exact_match']:.1f} %{same}")
    add_json(asked.json, asked, rounds, {"found": found, "lm_eval_batch_size": setting.lm_eval_batch_size})


if __name__ == "__main__":
    main()
