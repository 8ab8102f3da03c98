"""`extract` over what real models wrote: every row accounted for, in seconds, whatever the text."""

import json

import pytest

from promptkit.align import STATUSES
from promptkit.run import extract, load

CHAINS = {
    "bbh_codex_cot": 967,
    "faithful_cot_baselines": 300,
    "gsm8k_openai_solutions": 2380,
    "llmdrift": 1480,
    "tora_gsm8k": 600,
    "zeroeval_gsm8k": 250,
    "zeroeval_numersense": 315,
}
PIPELINES = ["gsm8k-cot", "gsm8k-zero-shot", "mmlu", "strategyqa"]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_row_of_every_file_is_accounted_for(shared, pipeline):
    """Ids in order, a status for each, a span that lies in the text, and no row left out."""
    chain = load(pipeline).chain
    num_rows = 0
    for name, num in CHAINS.items():
        path = shared / "chains" / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = [each.to_row() for each in extract(chain, path, "chain")]
        assert [row["id"] for row in found] == [row["id"] for row in rows]
        assert len(found) == num
        for row, made in zip(rows, found, strict=True):
            assert made["status"] in STATUSES
            assert (made["answer"] is not None) == (made["status"] == "answered") == (made["span"] is not None)
            if made["span"]:
                assert 0 <= made["span"][0] < made["span"][1] <= len(row["chain"])
        num_rows += num
    assert num_rows == 6292


@pytest.mark.slow
def test_the_verb_writes_one_row_for_each(shared, tmp_path):
    """The command itself, from start to end: 2,380 rows, one JSON object each."""
    import subprocess
    import sys

    source, out = shared / "chains" / "gsm8k_openai_solutions.jsonl", tmp_path / "answers.jsonl"
    command = [sys.executable, "-m", "promptkit", "extract", "gsm8k-zero-shot", "--field", "chain", "--json"]
    done = subprocess.run(
        [*command, "--from", str(source), "--out", str(out)], capture_output=True, text=True, check=True
    )
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    summary = json.loads(done.stdout)
    assert summary["num_rows"] == len(rows) == CHAINS["gsm8k_openai_solutions"]
    assert sum(summary["statuses"].values()) == len(rows)
    assert summary["total_s"] < 10
