"""Every calibration on several pipelines: accuracy and calibration error before and after, as a table.

    python bench/icl/calibrate.py --data FOLDER [--store FILE] [--limit 200] [NAME ...]

The model is asked once for each prompt; what the calibrations share comes from the store.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import promptkit
from promptkit.run import load

HERE = Path(__file__).parent
SHOTS = "prompt.demonstrations.take"
PIPELINES: dict[str, tuple[str, list[str]]] = {
    "sentiment, 0 shots": ("sentiment", [f"{SHOTS}=0"]),
    "sentiment, 4 shots": ("sentiment", [f"{SHOTS}=4"]),
    "sentiment, 4 shots, 3 positive": (str(HERE / "sentiment-imbalanced.yaml"), []),
    "sentiment, 16 shots": ("sentiment", []),
    "strategyqa, 4 shots": (str(HERE / "strategyqa-choose.yaml"), []),
    "bbh sports, 2 shots": (str(HERE / "bbh-sports-choose.yaml"), []),
    "mmlu, 5 shots": ("mmlu", []),
}
STEPS = {name: ["contextual", "domain_context", "batch", "prototypical", "{pmi: 'A:'}"] for name in PIPELINES}
for each in [name for name in PIPELINES if name.startswith("sentiment")]:
    STEPS[each][-1] = "{pmi: 'Sentiment:'}"
STEPS["mmlu, 5 shots"] = [
    "contextual",
    "domain_context: 3",
    "batch",
    "prototypical",
    "{pmi: 'Answer:'}",
]  # each row's own
WORDS = str(HERE / "sentiment-words.yaml")
MAPS = ("frequency", "bayesian", "bayesian_top")


def main() -> None:
    """Runs what is named, all if nothing is, and prints a line for each calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of the names of pipelines")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    options = parser.parse_args()
    places: dict[str, Any] = {"data": options.data, "store": options.store, "limit": options.limit, "out": None}
    print("| pipeline | n | step | accuracy | after | ECE | after |\n|---|---|---|---|---|---|---|", flush=True)
    for name, (file, overrides) in PIPELINES.items():
        if not options.names or name.startswith(tuple(options.names)):
            calibrate(name, file, overrides, places)
    if not options.names or "words" in options.names:
        for method in MAPS:
            mapped = load(WORDS, overrides=[f"align=[{{label_map: {{method: {method}, to: [positive, negative]}}}}]"])
            done = promptkit.run(mapped, **{**places, "data": None})
            after = done.summary["calibration"]["after"]
            print(f"| sentiment, 20 words | {done.summary['num_examples']} | {method} | | {of(after)} | |", flush=True)


def calibrate(name: str, file: str, overrides: list[str], places: dict[str, Any]) -> None:
    """Prints a line for each calibration of one pipeline. Its own data is taken where it brings some."""
    where = {**places, "data": None} if name.startswith("sentiment") else places
    for step in STEPS[name]:
        written = step if step.startswith("{") else f"{{{step}}}" if ":" in step else step
        done = promptkit.run(load(file, overrides=[*overrides, f"align=[{written}]"]), **where)
        found = done.summary["calibration"]
        before, after = of(found["before"]).split(" | "), of(found["after"]).split(" | ")
        cells = " | ".join(cell for pair in zip(before, after, strict=True) for cell in pair)
        print(f"| {name} | {done.summary['num_examples']} | {step.strip('{}')} | {cells} |", flush=True)


def of(quality: dict[str, Any]) -> str:
    """Accuracy in per cent, and the calibration error."""
    return f"{100 * quality['scores']['accuracy']['value']:.1f} | {quality['ece']:.3f}"


if __name__ == "__main__":
    main()
