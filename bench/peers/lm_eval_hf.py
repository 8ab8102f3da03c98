"""lm-evaluation-harness's `hf` backend on a work file, inside an environment of its own.

    PEERS/lmeval/bin/python bench/peers/lm_eval_hf.py WORK.json RESULT.json

    python -m venv PEERS/lmeval && PEERS/lmeval/bin/pip install torch==2.13.0 lm-eval accelerate transformers==5.23.0

The work is done by `HFLM`'s own `generate_until` and `loglikelihood`, on `Instance` objects, as its evaluator calls
them. Writes seconds (imports and loading; the warm-up; the items), and each item's text or log-likelihoods.
`bench/work.py` says what stands in both files.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

Items = Sequence[Mapping[str, Any]]


def load(work: Mapping[str, Any]) -> Any:
    """The loaded model. lm-eval is imported here, by name: this project's environment does not have it."""
    backend = import_module("lm_eval.models.huggingface").HFLM
    return backend(pretrained=work["model"], dtype=work["dtype"], device="cpu", batch_size=work["batch_size"])


def instances(kind: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """lm-eval's own requests."""
    instance = import_module("lm_eval.api.instance").Instance
    return [instance(request_type=kind, doc={}, arguments=each, idx=0) for each in arguments]


def generated(model: Any, items: Items, work: Mapping[str, Any]) -> list[str]:
    """The text of each item, greedy."""
    settings = {"until": work["stop"], "max_gen_toks": work["max_new_tokens"], "do_sample": False}
    requests = instances("generate_until", [(item["prompt"], settings) for item in items])
    texts: list[str] = model.generate_until(requests, disable_tqdm=True)
    return texts


def scored(model: Any, items: Items) -> list[list[float]]:
    """The log-likelihood of each option of each item."""
    pairs = [(item["prompt"], option) for item in items for option in item["options"]]
    values = iter(model.loglikelihood(instances("loglikelihood", pairs), disable_tqdm=True))
    return [[float(next(values)[0]) for _ in item["options"]] for item in items]


def outputs(model: Any, items: Items, work: Mapping[str, Any]) -> tuple[list[Any], float]:
    """What the items give, and the seconds that it took; the items are all of one sort."""
    started = time.perf_counter()
    given = scored(model, items) if items and items[0]["options"] else generated(model, items, work)
    return given, time.perf_counter() - started


def main() -> None:
    """Does the work file's work and writes the result file."""
    started = time.perf_counter()
    work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    model = load(work)
    load_s = time.perf_counter() - started
    _, warm_up_s = outputs(model, work["warm_up"], work)
    given, run_s = outputs(model, work["items"], work)
    result = {
        "load_s": load_s,
        "warm_up_s": warm_up_s,
        "run_s": run_s,
        "outputs": given,
        "versions": {name: version(name) for name in ("lm_eval", "torch", "transformers")},
    }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
