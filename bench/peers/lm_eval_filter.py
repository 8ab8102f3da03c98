"""lm-evaluation-harness's RegexFilter over lines of JSON: prints the seconds that reading, filtering, writing took.

python lm_eval_filter.py FILE.jsonl FIELD PATTERN
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Filters the file, in the way of the task `gsm8k`: the last match."""
    path, field, pattern = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    made = import_module("lm_eval.filters.extraction").RegexFilter  # by name: this project's environment has no lm-eval
    regex_filter = made(regex_pattern=pattern, group_select=-1)
    started = time.perf_counter()
    with path.open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    found = regex_filter.apply([[row[field]] for row in rows], rows)
    with path.with_suffix(".out").open("w", encoding="utf-8") as stream:
        for row, (answer,) in zip(rows, found, strict=True):
            stream.write(json.dumps({"id": row["id"], "answer": answer}) + "\n")
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
