"""What the benchmarks against other programs share: the work, the sides that do it, and what they took.

Every side does the same work in a fresh process: promptkit as the command that a user types, its peers as the scripts
in `bench/peers/`, each in an environment of its own (`--peers`, a folder with `lmeval` and `vllm`), which takes a
work file and leaves a result file. In turn, round by round, so that all sides see the same noise.

A work file has `model` (a folder), `dtype`, `batch_size`, `max_new_tokens`, `stop`, `warm_up` and `items`, each item a
`prompt` and its `options` (none where text is asked for). A result file has `load_s`, `warm_up_s`, `run_s`, `versions`
and `outputs`: a text, or the log-likelihoods of the options, for each item.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow.parquet as pq
import yaml
from tokenizers import Tokenizer

from promptkit.generate.model_files import DEFAULT_MODEL, find_model
from promptkit.generate.prepared import Facts, prepare_facts, prepare_weights

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("PROMPTKIT_SHARED") or HERE.parents[1] / "shared" / "data")
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DO_NOT_TRACK": "1"}
QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "LMEVAL_LOG_LEVEL": "ERROR", "TRANSFORMERS_VERBOSITY": "error"}
NUM_WARM_UP = 4  # items beside the measured ones, with the same beginning
NUM_SEARCH = 64  # items with which the best batch size is looked for

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A prompt, and the options to be scored after it; none where text is asked for."""

    prompt: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every side is asked for: as a pipeline with its data files, and as the prompts that it must come to.

    `targets` has the right answer of each item: a text, or the place of the right option.
    """

    pipeline: Mapping[str, Any]
    files: Mapping[str, Sequence[Row]]
    items: Sequence[Item]
    warm_up: Sequence[Item]
    targets: Sequence[Any]
    dtype: str
    max_new_tokens: int = 1
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where peers are, the folder they load the model from, and the batch sizes."""

    peers: Path
    model: Path
    slots: int | None
    lm_eval_batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a side gave for each item (a text, or the options' log-likelihoods), and the seconds that it took.

    `process_s` is the whole process with its warm-up; `run_s` is the items alone, the model being loaded and warm.
    `timing` is what promptkit says of the run itself: seconds by sort of work, and tokens.
    """

    process_s: float
    load_s: float
    run_s: float
    outputs: Sequence[Any]
    warm_up_s: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)

    @property
    def whole_s(self) -> float:
        """The process as a user waits for it: the warm-up, which no user runs, is taken off."""
        return self.process_s - self.warm_up_s


Round = Mapping[str, Result]
Side = Callable[[Work, Setting], Result]


def promptkit_side(work: Work, setting: Setting) -> Result:
    """`promptkit run`, with the setting's slots."""
    return run_promptkit(work, setting.slots)


def run_promptkit(work: Work, slots: int | None) -> Result:
    """`promptkit run`, from a pipeline file. Its `run_s` is all but the loading: planning, store and files included."""
    with tempfile.TemporaryDirectory(prefix="promptkit-bench-") as name:
        folder = Path(name)
        write_pipeline(work, folder)
        started = time.perf_counter()
        printed = run_command(promptkit_command(work, slots), folder)
        process_s = time.perf_counter() - started
        summary = json.loads(printed)
        rows = pq.read_table(folder / summary["run"] / "samples.parquet").to_pylist()
    if [row["prompt"] for row in rows] != [item.prompt for item in work.items]:
        raise SystemExit("promptkit's prompts are not those that its peers were given: the comparison means nothing")
    timing = summary["timing"]
    return Result(
        process_s=process_s,
        load_s=timing["load_s"],
        run_s=timing["total_s"] - timing["load_s"],
        outputs=[[each["log_likelihood"] for each in row["options"]] or row["completion"] for row in rows],
        versions={"promptkit": summary["promptkit"], "engine": summary["identity"]["engine"]},
        timing=timing,
    )


def promptkit_command(work: Work, slots: int | None) -> list[str]:
    """What a user types, with a store and a folder of its own."""
    command = [sys.executable, "-m", "promptkit", "run", "pipeline.yaml", "--json", "--quiet", "--refresh"]
    command += ["--store", "store.sqlite", "--out", "out", "--dtype", work.dtype]
    return command + slots_words(slots)


def slots_words(slots: int | None) -> list[str]:
    """How the command is told the number of slots; nothing where it is to find one itself."""
    return ["--slots", str(slots)] if slots else []


def write_pipeline(work: Work, folder: Path) -> None:
    """Writes the pipeline and its data files."""
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(dict(work.pipeline), sort_keys=False), encoding="utf-8")
    for name, rows in work.files.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def lm_eval_side(work: Work, setting: Setting) -> Result:
    """lm-evaluation-harness, backend `hf`."""
    return peer(setting.peers / "lmeval", "lm_eval_hf.py", work, setting)


def vllm_side(work: Work, setting: Setting) -> Result:
    """vLLM, which decides about its batches itself, with the OpenMP library that it asks for and brings."""
    library = setting.peers / "vllm" / "lib" / "libiomp5.so"
    preloaded = {"LD_PRELOAD": str(library)} if library.is_file() else {}
    return peer(setting.peers / "vllm", "vllm_cpu.py", work, setting, preloaded)


SIDES: Mapping[str, Side] = {"promptkit": promptkit_side, "lm-eval": lm_eval_side, "vllm": vllm_side}


def peer(
    folder: Path, script: str, work: Work, setting: Setting, variables: Mapping[str, str] = MappingProxyType({})
) -> Result:
    """What a script of `bench/peers/` makes of the work, in the virtual environment in `folder`."""
    with tempfile.TemporaryDirectory(prefix="promptkit-bench-") as name:
        room = Path(name)
        (room / "work.json").write_text(json.dumps(work_file(work, setting)), encoding="utf-8")
        command = [str(folder / "bin" / "python"), str(HERE / "peers" / script), "work.json", "result.json"]
        started = time.perf_counter()
        # vLLM now and then fails while it ends, when its results are written
        run_command(command, room, variables, leaves=room / "result.json")
        process_s = time.perf_counter() - started
        return Result(process_s=process_s, **json.loads((room / "result.json").read_text(encoding="utf-8")))


def work_file(work: Work, setting: Setting) -> dict[str, Any]:
    """What a peer's script reads."""
    return {
        "model": str(setting.model),
        "dtype": work.dtype,
        "batch_size": setting.lm_eval_batch_size,
        "max_new_tokens": work.max_new_tokens,
        "stop": list(work.stop),
        "warm_up": [asdict(item) for item in work.warm_up],
        "items": [asdict(item) for item in work.items],
    }


def run_command(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] = MappingProxyType({}),
    leaves: Path | None = None,
) -> str:
    """What a command prints on standard output. Raises `SystemExit` with the end of its messages where it fails.

    A command that is there for the file that it leaves has not failed where it has left it.
    """
    environment = {**os.environ, **OFFLINE, **QUIET, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode and not (leaves and leaves.is_file()):
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def measured(work: Work, sides: Sequence[str], setting: Setting, num_rounds: int) -> list[Round]:
    """The sides' results, round by round; another side begins each round.

    All first run once on a few items, unmeasured: what they keep on the disk (compiled code) is made then.
    """
    some = {**work.files, "test.jsonl": work.files["test.jsonl"][:NUM_WARM_UP]}
    few = replace(work, items=work.items[:NUM_WARM_UP], files=some)
    for side in sides:
        SIDES[side](few if side == "promptkit" else replace(work, items=work.warm_up), setting)
    rounds: list[Round] = []
    for number in range(num_rounds):
        first = number % len(sides)
        results = {}
        for side in (*sides[first:], *sides[:first]):
            results[side] = SIDES[side](work, setting)
            say(f"round {number + 1}, {side}: {results[side].whole_s:.1f} s, {results[side].run_s:.1f} s without start")
        rounds.append({side: results[side] for side in sides})
    return rounds


def say(message: str) -> None:
    """Prints a message on standard error."""
    print(message, file=sys.stderr, flush=True)


def peers_model(peers: Path, dtype: str) -> Path:
    """A folder with the default model as peers load it: configuration, weights in `dtype`, tokenizer.

    It is kept, since vLLM finds the code that it compiled for a model by the model's path.
    """
    files = find_model(DEFAULT_MODEL)
    weights, facts = prepare_weights(files, dtype), prepare_facts(files)
    folder = peers / f"{DEFAULT_MODEL}-{dtype}"
    folder.mkdir(exist_ok=True)
    for path in (*weights.iterdir(), facts.folder / "tokenizer.json"):
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path)
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(facts)), encoding="utf-8")
    return folder


def tokenizer_config(facts: Facts) -> dict[str, Any]:
    """What transformers wants to know beside `tokenizer.json`."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": facts.context_length,
        "clean_up_tokenization_spaces": False,
        **facts.special_tokens,
    }


def default_tokenizer() -> Tokenizer:
    """The default model's tokenizer."""
    return Tokenizer.from_file(str(prepare_facts(find_model(DEFAULT_MODEL)).folder / "tokenizer.json"))


def best_batch_size(work: Work, setting: Setting, sizes: Sequence[int]) -> int:
    """The batch size with which lm-eval takes least, without its start, for the first items of the work."""
    some = replace(work, items=work.items[:NUM_SEARCH])
    seconds: dict[int, float] = {}
    for size in sizes:
        if size > max(len(some.items), min(sizes)):
            continue  # the same as a smaller one
        with contextlib.suppress(SystemExit):  # a size that does not fit into memory is not the best
            seconds[size] = lm_eval_side(some, replace(setting, lm_eval_batch_size=size)).run_s
        say(f"lm-eval, {len(some.items)} items in batches of {size}: {seconds.get(size, float('nan')):.1f} s")
    if not seconds:
        raise SystemExit("lm-eval fails with every batch size; name one with --lm-eval-batch-size to see why")
    return min(seconds, key=seconds.__getitem__)


def setting_for(asked: argparse.Namespace, work: Work, sizes: Sequence[int]) -> Setting:
    """The setting that the command line asks for; lm-eval's batch size is looked for where none is given."""
    setting = Setting(
        peers=asked.peers,
        model=peers_model(asked.peers, work.dtype),
        slots=asked.slots,
        lm_eval_batch_size=asked.lm_eval_batch_size or min(sizes),
    )
    if "lm-eval" not in asked.sides or asked.lm_eval_batch_size:
        return setting
    best = best_batch_size(work, setting, sizes)
    say(f"lm-eval is best in batches of {best}")
    return replace(setting, lm_eval_batch_size=best)


def arguments(description: str | None, *, rows: int, sides: Sequence[str], rounds: int) -> argparse.ArgumentParser:
    """The options that all comparisons have."""
    parser = plain_arguments(description)
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--sides", type=side_names, default=tuple(sides), help="a list with commas")
    parser.add_argument("--lm-eval-batch-size", type=int, help="the best of some, tried first, if not given")
    parser.add_argument(
        "--peers", type=Path, default=Path(tempfile.gettempdir()) / "peers", help="the folder of the environments"
    )
    return parser


def plain_arguments(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks of a run have, those of promptkit alone too."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32", "float16"])
    parser.add_argument("--slots", type=int, help="promptkit's; its default if not given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the raw results are added, a line a run")
    return parser


def counts(text: str) -> tuple[int, ...]:
    """The numbers in a list with commas, from the least.

    >>> counts("8,0,16")
    (0, 8, 16)
    """
    return tuple(sorted(int(each) for each in text.split(",")))


def side_names(text: str) -> tuple[str, ...]:
    """The sides in a list with commas. Raises a usage error for one that is not known."""
    names = tuple(text.split(","))
    for name in names:
        if name not in SIDES:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(SIDES)}")
    return names


def read_rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of the shared data's `tasks`."""
    with (SHARED / "tasks" / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ratios(rounds: Sequence[Round], side: str, seconds: Callable[[Result], float], base: str = "promptkit") -> str:
    """How many times the base's seconds a side takes: the median over the rounds, with the spread."""
    if side == base or base not in rounds[0]:
        return "-"
    return spread([seconds(results[side]) / seconds(results[base]) for results in rounds], ".2f")


def spread(values: Sequence[float], form: str) -> str:
    """The median of values with the least and the greatest.

    >>> spread([1.5, 4.0, 2.0], ".1f")
    '2.0 (1.5 to 4.0)'
    """
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def times_table(rounds: Sequence[Round], base: str = "promptkit") -> list[str]:
    """A line a side: median seconds with and without the start, items a second, and the ratios to the base's seconds."""
    lines = [f"{'':10} {'with start':>10} {'without':>9} {'items/s':>8}   {'ratio with start':22}   ratio without"]
    for side in rounds[0]:
        whole = statistics.median(results[side].whole_s for results in rounds)
        run = statistics.median(results[side].run_s for results in rounds)
        rate = len(rounds[0][side].outputs) / run
        with_start = ratios(rounds, side, lambda result: result.whole_s, base)
        without = ratios(rounds, side, lambda result: result.run_s, base)
        lines.append(f"{side:10} {whole:8.1f} s {run:7.1f} s {rate:8.2f}   {with_start:22}   {without}")
    return lines


def add_json(path: Path | None, asked: argparse.Namespace, rounds: Sequence[Round], found: Mapping[str, Any]) -> None:
    """Adds one line to the file: what was asked, every round's seconds, and what else was found. Outputs are left out."""
    seconds = [
        {side: {**asdict(result), "whole_s": result.whole_s} for side, result in each.items()} for each in rounds
    ]
    for each in seconds:
        for result in each.values():
            del result["outputs"]
    add_line(path, asked, {"rounds": seconds, **found})


def add_line(path: Path | None, asked: argparse.Namespace, found: Mapping[str, Any]) -> None:
    """Adds one line to the file, if one is given: which benchmark, when, what was asked, what was found."""
    if path is None:
        return
    record = {
        "bench": Path(sys.argv[0]).stem,
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "asked": vars(asked),
        **found,
    }
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record, default=str) + "\n")
