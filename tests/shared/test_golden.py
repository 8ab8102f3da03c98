"""Prompts byte for byte: what another tool builds for the same task, known by its hash."""

import hashlib
import json

from promptkit.run import Selection, load, make_prompter, read_examples

PIPELINE = r"""
data:
  test: {files: gsm8k/test.jsonl}
  target: "{{ answer }}"
prompt:
  - demonstrations:
      from: gsm8k/exemplars.jsonl
      template: "Q: {{ question }}\nA: {{ rationale }} The answer is {{ answer }}.\n\n"
  - query: "Q: {{ question }}\nA:"
"""


def test_eight_shot_prompts_are_those_of_lm_evaluation_harness(shared, tasks, tmp_path):
    """A prompt that differs by one byte is another experiment."""
    lines = (shared / "golden" / "gsm8k_cot_prompts.jsonl").read_text().splitlines()
    golden = [json.loads(line) for line in lines]
    (tmp_path / "cot.yaml").write_text(PIPELINE)
    pipeline = load(tmp_path / "cot.yaml")
    selection = Selection(limit=len(golden), data_folder=tasks)
    prompter = make_prompter(pipeline, selection, None)
    texts = [prompter.prompt(example).text for example in read_examples(pipeline, selection)]
    built = [
        {"row": row, "sha256": hashlib.sha256(text.encode()).hexdigest(), "num_chars": len(text)}
        for row, text in enumerate(texts)
    ]
    assert len(golden) == 32
    assert built == golden
