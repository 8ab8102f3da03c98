"""Demonstrations for all of GSM8K: eight of 7,473 rows for each of 1,319 questions, by bm25 and by knn.

    python bench/demonstrations.py --data DIR [--take 8] [--limit 1319] [--dtype auto] [--model NAME]

`--data` is the folder that holds `gsm8k/train.jsonl` and `gsm8k/test.jsonl`. What is measured is all that a run waits for:
rows read, texts indexed or embedded, every question's rows chosen, and what leaks left out. knn is measured with an empty
store, and again with the one that it filled. CPU seconds are those of all threads: what a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from promptkit.data import Example
from promptkit.generate import Loading
from promptkit.run import Pipeline, Selection, load, make_prompter, read_examples
from promptkit.run.frozen import FrozenModel

FILE = """
data: {train: gsm8k/train.jsonl, test: gsm8k/test.jsonl, target: "{{ answer }}"}
prompt:
  - demonstrations: {from: train, take: TAKE, select: SELECT, template: "Q: {{ question }}\\nA: {{ answer }}\\n\\n"}
  - query: "Q: {{ question }}\\nA:"
generate: {max_new_tokens: 1}
"""

Chosen = Mapping[str, Sequence[str]]


def pipeline(folder: Path, select: str, take: int, model: str) -> Pipeline:
    """The pipeline that chooses by `select`."""
    path = folder / f"{select}.yaml"
    path.write_text(FILE.replace("SELECT", select).replace("TAKE", str(take)), encoding="utf-8")
    return load(path).with_model(model)


def chosen(loaded: Pipeline, selection: Selection, frozen: FrozenModel) -> tuple[Chosen, dict[str, float]]:
    """The ids of the rows that each question is shown, and the seconds: to read and index, to choose, in all."""
    started, used = time.perf_counter(), time.process_time()
    examples: Sequence[Example] = read_examples(loaded, selection)
    prompter = make_prompter(loaded, selection, None, examples, replace(frozen, pipeline=loaded))
    (gallery,) = (each for each in prompter.galleries if each)
    indexed = time.perf_counter()
    found = {example.id: [row.id for row in gallery.rows(example)] for example in examples}
    ended = time.perf_counter()
    return found, {
        "index": indexed - started,
        "choose": ended - indexed,
        "total": ended - started,
        "cpu": time.process_time() - used,
    }


def overlap(one: Chosen, other: Chosen) -> float:
    """The mean share of rows that both choose.

    >>> overlap({"q": ["a", "b"]}, {"q": ["b", "c"]})
    0.5
    """
    shares = [len(set(one[name]) & set(other[name])) / len(one[name]) for name in one]
    return sum(shares) / len(shares)


def said(name: str, seconds: Mapping[str, float], more: str = "") -> str:
    """A line of the table."""
    numbers = "".join(f"{each:10.2f}" for each in seconds.values())
    return f"{name:28}{numbers}   {more}"


def main() -> None:
    """Prints the seconds of each selector, and how far they choose the same rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--take", type=int, default=8)
    parser.add_argument("--limit", type=int, default=1319)
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--model", default="smollm2-135m")
    asked: Any = parser.parse_args()
    selection = Selection(limit=asked.limit, data_folder=asked.data)
    print(f"{'':28}{'index s':>10}{'choose s':>10}{'total s':>10}{'CPU s':>10}")
    with tempfile.TemporaryDirectory() as folder:
        make = {name: pipeline(Path(folder), name, asked.take, asked.model) for name in ("first", "bm25", "knn")}
        generator = make["knn"].declaration.model.open(Loading(dtype=asked.dtype))
        frozen = FrozenModel(pipeline=make["knn"], generator=generator, store=Path(folder) / "store.sqlite")
        _, seconds = chosen(make["first"], selection, frozen)
        print(said("first", seconds, "reading alone"))
        by_words, seconds = chosen(make["bm25"], selection, frozen)
        print(said("bm25", seconds))
        by_states, seconds = chosen(make["knn"], selection, frozen)
        print(said("knn, empty store", seconds, f"{generator.work.load_s:.1f} s of it to load the model"))
        again, seconds = chosen(make["knn"], selection, frozen)
        print(said("knn, kept vectors", seconds))
        assert again == by_states
        print(f"rows that bm25 and knn both choose: {overlap(by_words, by_states):.1%}")


if __name__ == "__main__":
    main()
