"""Several samples of each prompt in one run, against as many runs of one sample: promptkit alone, on GSM8K.

    python bench/samples.py [--rows 16] [--samples 16] [--temperature 0.7] [--rounds 2] [--json FILE]

Self-consistency (Wang et al. 2022) draws many chains of thought for one prompt. "Together" is one run with `samples:`;
"apart" is one run a sample, each with a `seed:` of its own, in a fresh process with an empty store, their seconds and
tokens added up. The prompts are those of `bench/few_shot.py`. The two sides draw from the same distribution, but not the
same texts, so they write about as many tokens, not as many; the last lines have the tokens, computed and written, the
share of right answers, and how many texts differ, of those of one prompt.

"With start" is the whole of the processes, "without" all but the loading of the model, as in `bench/few_shot.py`. The
sides go in turn, round by round; ratios are to the run together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.few_shot import add_work, few_shot_work, is_right
from bench.work import Result, Round, Work, add_json, plain_arguments, run_promptkit, say, times_table

BASE = "together"
COUNTED = {"prompt_tokens": "prompt tokens", "computed_prompt_tokens": "computed", "new_tokens": "written"}


def sampled(work: Work, num_samples: int, temperature: float, seed: int) -> Work:
    """The work with so many samples of each prompt, which stand side by side."""
    generate = {**work.pipeline["generate"], "samples": num_samples, "temperature": temperature, "seed": seed}
    return replace(
        work,
        pipeline={**work.pipeline, "generate": generate},
        items=[item for item in work.items for _ in range(num_samples)],
        targets=[target for target in work.targets for _ in range(num_samples)],
    )


def added_up(results: Sequence[Result]) -> Result:
    """Runs of one sample as if they were one: seconds and tokens added up, a prompt's samples side by side."""
    return Result(
        process_s=sum(each.process_s for each in results),
        load_s=sum(each.load_s for each in results),
        run_s=sum(each.run_s for each in results),
        outputs=[text for texts in zip(*(each.outputs for each in results), strict=True) for text in texts],
        versions=results[0].versions,
        timing={name: sum(each.timing[name] for each in results) for name in results[0].timing},
    )


def measure(together: Work, apart: Sequence[Work], slots: int | None, num_rounds: int) -> list[Round]:
    """Both sides' results, round by round; another side begins each round.

    A first run is not counted: loops that are not compiled yet are compiled then, and files come from the disk.
    """
    run_promptkit(apart[0], slots)
    sides = {BASE: [together], "apart": apart}
    rounds: list[Round] = []
    for number in range(num_rounds):
        results = {}
        for side in sides if number % 2 == 0 else reversed(sides):
            results[side] = added_up([run_promptkit(work, slots) for work in sides[side]])
            say(f"round {number + 1}, {side}: {results[side].whole_s:.1f} s, {results[side].run_s:.1f} s without start")
        rounds.append({side: results[side] for side in sides})
    return rounds


def found_in(result: Result, targets: Sequence[str], num_samples: int) -> Mapping[str, float]:
    """Tokens, the share of right answers, and the share of texts that no earlier sample of the prompt has."""
    right = [is_right(text, target) for text, target in zip(result.outputs, targets, strict=True)]
    texts = result.outputs
    prompts = [texts[first : first + num_samples] for first in range(0, len(texts), num_samples)]
    return {
        **{name: result.timing[name] for name in COUNTED},
        "exact_match": sum(right) / len(right),
        "different": sum(len(set(samples)) for samples in prompts) / len(texts),
    }


def main() -> None:
    """Measures both sides, round by round."""
    parser = plain_arguments(__doc__)
    add_work(parser)
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    work = few_shot_work(asked.rows, asked.shots, asked.dtype, asked.max_new_tokens)
    together = sampled(work, asked.samples, asked.temperature, seed=0)
    apart = [sampled(work, 1, asked.temperature, seed=number + 1) for number in range(asked.samples)]
    rounds = measure(together, apart, asked.slots, asked.rounds)
    print(
        f"{asked.rows} rows of GSM8K, {asked.shots} shots, {asked.dtype}, up to {asked.max_new_tokens} new tokens, "
        f"{asked.samples} samples at temperature {asked.temperature:g}, {asked.rounds} rounds"
    )
    print(*times_table(rounds, BASE), sep="\n")
    found = {side: found_in(result, together.targets, asked.samples) for side, result in rounds[-1].items()}
    for side, values in found.items():
        tokens = ", ".join(f"{values[name]:,.0f} {words}" for name, words in COUNTED.items())
        print(
            f"{side:10} {tokens}; exact match {100 * values['exact_match']:.1f} %, "
            f"{100 * values['different']:.0f} % of the texts differ"
        )
    add_json(asked.json, asked, rounds, {"found": found})


if __name__ == "__main__":
    main()
